"""Papers for a reader: four signals over the library, each standardised, and a weight for each."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.rows import unit_sparse_rows

FACTORS = 96
CONFIDENCE = 100.0
"""c of a saved paper (alpha of Hu, Koren and Volinsky 2008); 1 for every other."""

REGULARIZATION = 10.0

RankedPapers = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Rows of papers, best first, and their scores."""

SIGNALS = ("text", "smoothed_text", "als", "saves")


def solve_readers(
    libraries: sp.csr_matrix, item_factors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The exact ALS vectors of readers, float32, readers x factors.

    Equation 4 of Hu, Koren and Volinsky (2008), x = (Y'Y + Y'(C - I)Y + lambda I)^-1 Y'C p, over
    the whole library. `libraries`: CSR, readers x papers; what is stored counts as saved.
    """
    factors = item_factors.shape[1]
    gram = item_factors.T @ item_factors + np.float32(REGULARIZATION) * np.eye(
        factors, dtype=np.float32
    )
    readers = np.zeros((libraries.shape[0], factors), np.float32)
    for reader in range(len(readers)):
        saved = item_factors[_row(libraries, reader)]
        if len(saved):
            left = gram + np.float32(CONFIDENCE - 1) * (saved.T @ saved)
            readers[reader] = np.linalg.solve(left, np.float32(CONFIDENCE) * saved.sum(axis=0))
    return readers


def co_readers(libraries: sp.csr_matrix) -> sp.csr_matrix:
    """papers x readers: cosine of who has both, a reader of many papers counting less, by the
    inverse document frequency ln(1 + papers / size of the library)."""
    size = np.maximum(np.diff(libraries.indptr), 1)
    weight = np.log(1 + libraries.shape[1] / size).astype(np.float32)
    return unit_sparse_rows((sp.diags_array(weight) @ libraries.astype(np.float32)).T)


@dataclass(frozen=True)
class ReaderModel:
    """score(reader, paper) = sum over SIGNALS of weight x signal.

    `text`: float32 CSR, papers x terms; `smoothed_text`: float32, papers x dimensions;
    `item_factors`: float32, papers x factors: a reader's similarity by each is standardised over
    all papers to mean 0 and deviation 1. `saves`: float32 (papers), ln(1 + readers who have it).
    `weights`: float32 (SIGNALS), at least 0.
    """

    text: sp.csr_matrix
    smoothed_text: NDArray[np.float32]
    item_factors: NDArray[np.float32]
    saves: NDArray[np.float32]
    weights: NDArray[np.float32]

    def signals(self, libraries: sp.csr_matrix) -> NDArray[np.float32]:
        """float32, SIGNALS x readers x papers, from libraries (CSR, readers x papers)."""
        profile = libraries.astype(np.float32)
        text = (self.text @ (profile @ self.text).toarray().T).T
        smoothed = (profile @ self.smoothed_text) @ self.smoothed_text.T
        als = solve_readers(libraries, self.item_factors) @ self.item_factors.T
        saves = np.broadcast_to(self.saves, text.shape)
        return np.stack([_standardised(text), _standardised(smoothed), _standardised(als), saves])

    def rank(self, libraries: sp.csr_matrix, depth: int) -> list[RankedPapers]:
        """For each reader the best papers that the library does not hold, and their scores."""
        scores = np.tensordot(self.weights, self.signals(libraries), 1)
        return [_best(score, _row(libraries, reader), depth) for reader, score in enumerate(scores)]


def _best(score: NDArray[np.float32], library: NDArray[np.int32], depth: int) -> RankedPapers:
    """The papers with the highest scores outside a library, equal ones by row. Overwrites."""
    score[library] = -np.inf
    if depth < len(score):
        least = np.partition(score, len(score) - depth)[len(score) - depth]
        rows = np.flatnonzero(score >= least)
    else:
        rows = np.arange(len(score))
    rows = rows[np.isfinite(score[rows])]
    best = rows[np.lexsort((rows, -score[rows]))][:depth]
    return best.astype(np.int32), score[best]


def _row(libraries: sp.csr_matrix, reader: int) -> NDArray[np.int32]:
    saved: NDArray[np.int32] = libraries.indices[
        libraries.indptr[reader] : libraries.indptr[reader + 1]
    ]
    return saved


def _standardised(similar: NDArray[np.float32]) -> NDArray[np.float32]:
    mean, deviation = similar.mean(axis=1, keepdims=True), similar.std(axis=1, keepdims=True)
    scaled: NDArray[np.float32] = (similar - mean) / np.maximum(deviation, np.float32(1e-9))
    return scaled
