"""Versions of one work: a preprint and its published copy are two papers, one work."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.identifiers import canonical

_NOT_A_LETTER = re.compile(r"[\W_]+")


def _folded(text: str) -> str:
    """Letters and digits alone, without case and accents."""
    text = unicodedata.normalize("NFKD", text).casefold()
    return _NOT_A_LETTER.sub("", "".join(c for c in text if not unicodedata.combining(c)))


def surname(author: str) -> str:
    """The folded family name of `Ada Lovelace`, `A. Lovelace` or `Lovelace, Ada`."""
    family, comma, _ = author.partition(",")
    return _folded(family if comma else "".join(author.split()[-1:]))


def group_works(papers: Sequence[Mapping[str, Any]]) -> NDArray[np.int32]:
    """For each paper the row of the first version of its work, int32 (papers).

    Two papers are versions of one work if their DOI or arXiv ids are equal in any spelling, or if
    their normalised titles are equal and they share an author's family name.
    """
    work = list(range(len(papers)))

    def root(row: int) -> int:
        while work[row] != row:
            work[row] = work[work[row]]
            row = work[row]
        return row

    first: dict[tuple[str, ...], int] = {}
    for row, paper in enumerate(papers):
        keys: list[tuple[str, ...]] = [("id", canonical(paper["id"]))]
        title = _folded(paper["title"])
        if title:
            # An author without a letter is nobody, and two papers can't share nobody.
            keys += [("title", title, name) for name in map(surname, paper["authors"]) if name]
        for key in keys:
            other, this = root(first.setdefault(key, row)), root(row)
            work[max(other, this)] = min(other, this)
    return np.fromiter((root(row) for row in range(len(papers))), np.int32, len(papers))
