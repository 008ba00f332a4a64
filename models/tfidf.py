"""TF-IDF of words and two-word phrases, fitted with scikit-learn."""

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfTransformer

from models.progress import Advance, unheard
from models.strings import SortedStrings
from models.text import fields

PAPERS_PER_DOCUMENT_FREQUENCY = 20_000
"""The rarest phrase that is kept stands in 2 papers, and in one more for each 20,000 papers."""

_PHRASE = 32  # bits that hold one word's number in a phrase's key


@dataclass(frozen=True)
class Tfidf:
    """`matrix`: float32 CSR, papers x terms, rows of length 1 (or empty), entries
    (1 + ln tf) idf, with idf = ln((1 + papers) / (1 + df)) + 1 (Salton and Buckley 1988).

    `vocabulary`: the terms in column order. `idf`: float32 (terms). `is_word`: bool (terms), false
    for phrases.
    """

    matrix: sp.csr_matrix
    vocabulary: SortedStrings
    idf: NDArray[np.float32]
    is_word: NDArray[np.bool_]


@dataclass(frozen=True)
class TermCounts:
    """How often each term stands in each paper: float32 CSR, papers x terms, and the terms' names
    in column order."""

    matrix: sp.csr_matrix
    names: SortedStrings

    def take(self, rows: NDArray[np.int64]) -> "TermCounts":
        """The counts of these papers alone, with the terms of at least two of them."""
        counts = sp.csr_matrix(self.matrix[rows])
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        kept = np.flatnonzero(frequency >= min(2, len(rows)))
        names = SortedStrings.build(self.names[at] for at in kept.tolist())
        return TermCounts(sp.csr_matrix(counts[:, kept]), names)


def fit_tfidf(counts: TermCounts) -> Tfidf:
    """Weigh the terms of every paper."""
    weighted = TfidfTransformer(sublinear_tf=True)
    some = counts.matrix.shape[1] > 0
    matrix = weighted.fit_transform(counts.matrix) if some else counts.matrix
    matrix = sp.csr_matrix(matrix, dtype=np.float32)
    matrix.sort_indices()
    idf = weighted.idf_ if some else np.zeros(0)
    names = counts.names
    is_word = np.fromiter((" " not in names[at] for at in range(len(names))), bool, len(names))
    return Tfidf(matrix, names, idf.astype(np.float32), is_word)


def count_terms(table: pa.Table, advance: Advance = unheard) -> TermCounts:
    """Count the words and phrases of every paper.

    Terms of one paper alone are left out (they relate nothing), unless there is only one paper.
    """
    number: defaultdict[str, int] = defaultdict(count().__next__)
    word_of: list[NDArray[np.int32]] = []
    phrase_of: list[NDArray[np.int64]] = []
    for batch in table.select(["title", "abstract", "keywords"]).to_batches(max_chunksize=2000):
        for title, abstract, keywords in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            runs = [
                np.fromiter((number[word] for word in run), np.int32, len(run))
                for run in fields(title, abstract, keywords)
            ]
            word_of.append(np.concatenate(runs))
            phrase_of.append(np.concatenate([_phrases(run) for run in runs]))
        advance(batch.num_rows)
    papers = len(word_of)
    spelling = list(number)
    least = min(2, papers)
    words, word_keys = _kept(word_of, least)
    phrases, phrase_keys = _kept(phrase_of, least + papers // PAPERS_PER_DOCUMENT_FREQUENCY)
    names = [spelling[key] for key in word_keys]
    names += [
        f"{spelling[key >> _PHRASE]} {spelling[key & (1 << _PHRASE) - 1]}"
        for key in phrase_keys.tolist()
    ]
    # Columns follow the spelling, so that the matrix does not depend on the order of papers.
    order = np.array(sorted(range(len(names)), key=lambda at: names[at].encode()), np.int64)
    counts = sp.csr_matrix(sp.hstack([words, phrases], format="csr")[:, order])
    return TermCounts(counts, SortedStrings.build(names))


def _phrases(run: NDArray[np.int32]) -> NDArray[np.int64]:
    return run[:-1].astype(np.int64) << _PHRASE | run[1:]


def _kept(
    keys_of: list[NDArray[np.int32]] | list[NDArray[np.int64]], least: int
) -> tuple[sp.csr_matrix, NDArray[np.int64]]:
    """Counts of the keys that stand in at least so many papers, and these keys in order."""
    papers = len(keys_of)
    indptr = np.concatenate([[0], np.cumsum([len(keys) for keys in keys_of])])
    keys, column = np.unique(np.concatenate(keys_of), return_inverse=True)
    keys_of.clear()
    ones = np.ones(len(column), np.float32)
    counts = sp.csr_matrix((ones, column, indptr), (papers, len(keys)))
    counts.sum_duplicates()
    frequency = np.bincount(counts.indices, minlength=len(keys))
    kept = np.flatnonzero(frequency >= least)
    return sp.csr_matrix(counts[:, kept]), keys[kept].astype(np.int64)
