"""Signals from citations: who cites both, what both cite, whose neighbourhoods overlap."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.rows import mean_sparse_rows, unit_rows, unit_sparse_rows

HALF_LIFE_YEARS = 4.0
"""A co-citation counts half as much for each so many years that the citing paper is older."""

SELF_WEIGHT = 4.0
"""What a paper's own text counts in its smoothed text, where each linked paper's counts 1."""


def co_citation(citations: sp.csr_matrix, year: NDArray[np.int16]) -> sp.csr_matrix:
    """papers x citing papers: the inner product is a weighted co-citation count (Small 1973).

    A citing paper counts 1 / ln(2 + its references), since a long list says less of each pair,
    halved for each HALF_LIFE_YEARS before the last year; an unknown year counts as the middle one.
    """
    known = year > 0
    last = int(year.max(initial=0))
    middle = np.median(year[known]) if known.any() else last
    age = last - np.where(known, year, middle)
    lengths = np.diff(citations.indptr)
    weight = 0.5 ** (age / HALF_LIFE_YEARS) / np.log(2 + lengths)
    return sp.csr_matrix((sp.diags_array(np.sqrt(weight)) @ citations).T, dtype=np.float32)


RARE_VISIT = 0.02

LEAST_LIKENESS = 1e-6
"""A linked paper's likeness where the texts have nothing in common, or there is none."""


@dataclass(frozen=True)
class Coupling:
    """`matrix`: papers x (papers + external works). `weight`: float32, the same columns."""

    matrix: sp.csr_matrix
    weight: NDArray[np.float32]


def coupling(citations: sp.csr_matrix, external: sp.csr_matrix) -> Coupling:
    """Bibliographic coupling (Kessler 1963): the cosine of reference lists.

    References to works outside the corpus count too; each weighs its inverse document frequency,
    ln(1 + papers / times cited).
    """
    references = sp.csr_matrix(sp.hstack([citations, external]), dtype=np.float32)
    times = np.bincount(references.indices, minlength=references.shape[1])
    weight = np.log(1 + citations.shape[0] / np.maximum(times, 1)).astype(np.float32)
    return Coupling(unit_sparse_rows(references @ sp.diags_array(weight)), weight)


def links(citations: sp.csr_matrix) -> sp.csr_matrix:
    """float32, papers x papers: 1 where either cites the other."""
    either = citations.astype(np.float32)
    return sp.csr_matrix(either.maximum(either.T))


def neighborhood(linked: sp.csr_matrix) -> sp.csr_matrix:
    """papers x papers: cosine of citation neighbourhoods, both directions and the paper itself."""
    return unit_sparse_rows(linked + sp.eye_array(linked.shape[0], dtype=np.float32))


def smoothed_text(linked: sp.csr_matrix, latent: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32, papers x dimensions: latent text summed over the paper (SELF_WEIGHT times) and the
    papers that it is linked to, length 1 (one step of a lazy random walk)."""
    return unit_rows(linked @ latent + np.float32(SELF_WEIGHT) * latent)


def walk(linked: sp.csr_matrix, latent: NDArray[np.float32]) -> sp.csr_matrix:
    """papers x papers, rows of sum 1: one step to the paper itself or one linked to it, each as
    likely as its latent text is like the paper's."""
    around = sp.coo_array(linked + sp.eye_array(linked.shape[0], dtype=np.float32))
    row, column = around.coords
    alike = np.maximum(np.einsum("ij,ij->i", latent[row], latent[column]), LEAST_LIKENESS)
    return mean_sparse_rows(sp.csr_matrix((alike, (row, column)), around.shape))


def text_neighborhood(steps: sp.csr_matrix, near: sp.csr_matrix) -> sp.csr_matrix:
    """papers x papers: cosine of walks that begin at the paper or at one of its nearest texts.

    `steps`: what `walk` gives; `near`: papers x papers, rows of sum 1, the nearest texts. It
    relates papers that nobody cites yet by the neighbourhoods of what they resemble. Entries below
    RARE_VISIT of a row's length are left out: four in five, and 1 % of the cosine.
    """
    visits = unit_sparse_rows(steps + near @ steps)
    visits.data[visits.data < RARE_VISIT] = 0
    visits.eliminate_zeros()
    return unit_sparse_rows(visits)
