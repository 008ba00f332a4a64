"""Readers' events, and the libraries that they make."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from models.corpus import Corpus
from models.formats import read_jsonl
from models.papers import PaperIndex
from models.strings import SortedStrings

ADDING = frozenset({"save", "read", "click", "cite", "share"})
REMOVING = frozenset({"unsave"})


@dataclass(frozen=True)
class Interactions:
    """`user_items`: bool CSR, readers x papers, who has what. `readers`: their ids, by row."""

    user_items: sp.csr_matrix
    readers: SortedStrings
    notes: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.readers)


def read_interactions(paths: Iterable[Path], corpus: Corpus) -> Interactions:
    """The libraries that the events leave, in the order of the files.

    A line is {"user", "paper", "type"}; events of papers outside the corpus and of types that say
    nothing about a library are counted and passed over. Raises InputError.
    """
    notes: Counter[str] = Counter()
    index = PaperIndex.build(corpus.ids)
    libraries: dict[str, dict[int, None]] = {}
    for line in read_jsonl(paths):
        reader, paper = line.identifier("user"), line.identifier("paper")
        library = libraries.setdefault(reader, {})
        row = index.row(paper)
        kind = line.fields.get("type", "save")
        if row is None:
            notes["events of papers outside the corpus (passed over)"] += 1
        elif kind in ADDING:
            library[row] = None
        elif kind in REMOVING:
            library.pop(row, None)
        else:
            notes["events of types that are no part of a library (passed over)"] += 1
    readers = SortedStrings.build(libraries)
    rows = [sorted(libraries[readers[at]]) for at in range(len(readers))]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)])
    indices = np.fromiter((paper for row in rows for paper in row), np.int32, int(indptr[-1]))
    ones = np.ones(len(indices), bool)
    user_items = sp.csr_matrix((ones, indices, indptr), (len(readers), len(corpus)))
    return Interactions(user_items, readers, dict(notes))
