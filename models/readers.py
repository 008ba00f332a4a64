"""Papers for a reader: four signals over the library, each standardised, and a weight for each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.libraries import library_sizes, wanted
from models.rows import unit_sparse_rows

FACTORS = 96
CONFIDENCE = 100.0
"""c of a saved paper (alpha of Hu, Koren and Volinsky 2008); 1 for every other."""

REGULARIZATION = 10.0

UNWANTED = 0.2
"""What a paper that is not wanted takes from a text profile where a wanted one adds 1 (Rocchio;
.15 against .75 in Manning, Raghavan and Schütze 2008, 9.1.1)."""

RankedPapers = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Rows of papers, best first, and their scores."""

SIGNALS = ("text", "smoothed_text", "als", "saves")


@cache
def solver() -> Callable[..., Any]:
    """LAPACK sposv, loaded when first asked for."""
    from scipy.linalg.lapack import sposv  # noqa: PLC0415 - .2 s, for which no start has to wait

    found: Callable[..., Any] = sposv
    return found


def solve_readers(
    libraries: sp.csr_matrix, item_factors: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The exact ALS vectors of readers (CSR, readers x papers), float32, readers x factors."""
    gram = item_factors.T @ item_factors
    readers = np.zeros((libraries.shape[0], item_factors.shape[1]), np.float32)
    for reader in range(len(readers)):
        part = slice(libraries.indptr[reader], libraries.indptr[reader + 1])
        rows, weights = libraries.indices[part], libraries.data[part]
        readers[reader] = solve_reader(gram, item_factors[rows], weights)
    return readers


def confidence(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """c of papers of these signed weights, at least 1, which is that of every other paper."""
    return np.maximum(np.float32(1), np.float32(CONFIDENCE) * np.abs(weights))


class NormalEquations(NamedTuple):
    """What the papers of a library add to the equations of its reader's exact ALS vector,
    x = (Y'Y + Y'(C - I)Y + lambda I)^-1 Y'C p (Hu, Koren and Volinsky 2008, equation 4).

    p is 1 where a weight is above 0, and c as `confidence` says.
    left: Y'(C - I)Y, float32 (F x F). right: Y'C p, float32 (F).
    """

    left: NDArray[np.float32]
    right: NDArray[np.float32]

    @classmethod
    def of(cls, factors: NDArray[np.float32], weights: NDArray[np.float32]) -> "NormalEquations":
        """factors: those of the papers, float32 (n x F); weights: signed (n)."""
        c = confidence(weights)
        # A matrix's transpose times itself takes half the products of two others: so there is
        # (C - I) / a at both sides of it.
        surplus = c - np.float32(1)
        a = surplus.max(initial=0)
        equal = a == surplus.min(initial=a)
        known = factors if equal else factors * np.sqrt(surplus / a)[:, None]
        left = known.T @ known
        left *= a
        return cls(left, (c * (weights > 0)) @ factors)

    def reweighted(
        self,
        factors: NDArray[np.float32],
        then: NDArray[np.float32],
        now: NDArray[np.float32],
    ) -> "NormalEquations":
        """After the weights of some papers changed; 0 is that of a paper outside the library."""
        before, after = confidence(then), confidence(now)
        surplus = np.subtract(after, before)
        wanted = np.subtract(after * (now > 0), before * (then > 0))
        right = np.add(self.right, wanted @ factors)
        return NormalEquations(self.left + (factors.T * surplus) @ factors, right)

    def solved(self, gram: NDArray[np.float32]) -> NDArray[np.float32]:
        """x, float32 (F). gram: Y'Y of all papers. Raises ValueError where the factors are no
        numbers."""
        left = gram + self.left
        left.ravel()[:: len(left) + 1] += np.float32(REGULARIZATION)
        _, solved, failed = solver()(left.T, self.right, lower=1, overwrite_a=1)
        if failed:
            raise ValueError("the equations are not positive definite; are the factors finite?")
        vector: NDArray[np.float32] = solved
        return vector


def solve_reader(
    gram: NDArray[np.float32], factors: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The exact ALS vector of a reader by the whole library, float32 (F).

    gram: Y'Y of all papers, F x F; factors: those of the library's papers, n x F; weights: signed
    (n).
    """
    return NormalEquations.of(factors, weights).solved(gram)


def co_readers(libraries: sp.csr_matrix) -> sp.csr_matrix:
    """papers x readers: cosine of who has both, a reader of many papers counting less, by the
    inverse document frequency ln(1 + papers / size of the library)."""
    weight = co_reader_weight(library_sizes(libraries), libraries.shape[1]).astype(np.float32)
    return unit_sparse_rows((sp.diags_array(weight) @ wanted(libraries)).T)


def co_reader_weight(sizes: NDArray[np.float64], papers: int) -> NDArray[np.float64]:
    """ln(1 + papers / size of the library), for each reader."""
    weights: NDArray[np.float64] = np.log(1 + papers / sizes)
    return weights


def said_of_text(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of each paper's text joins a profile, by the signed weight of the paper."""
    return np.where(weights < 0, np.float32(UNWANTED) * weights, weights)


@dataclass(frozen=True)
class ReaderModel:
    """score(reader, paper) = sum over SIGNALS of weight x signal. Also a model that was trained
    without readers has one, from texts and links, so that the first event can be answered.

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
        profile = sp.csr_matrix(libraries, dtype=np.float32, copy=True)
        profile.data = said_of_text(profile.data)
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
