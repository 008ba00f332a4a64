"""Latent semantic analysis: truncated SVD of the TF-IDF matrix (Deerwester et al. 1990)."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from models.rows import unit_rows

DIMENSIONS = 200
FITTED_PAPERS = 20_000
"""Above this number of papers the components come from a seeded sample of so many."""


@dataclass(frozen=True)
class Latent:
    """`vectors`: float32, papers x dimensions, rows of length 1 (or 0 without text).

    `components`: float32, terms x dimensions; a TF-IDF row times it, scaled to length 1, is the
    paper's vector.
    """

    vectors: NDArray[np.float32]
    components: NDArray[np.float32]


def fit_latent(matrix: sp.csr_matrix, seed: int, dimensions: int = DIMENSIONS) -> Latent:
    """The first singular vectors of a TF-IDF matrix (float32 CSR, papers x terms)."""
    papers, terms = matrix.shape
    dimensions = min(dimensions, max(min(papers, terms) - 1, 0))
    if dimensions == 0:
        return Latent(np.zeros((papers, 0), np.float32), np.zeros((terms, 0), np.float32))
    fitted = matrix
    if papers > FITTED_PAPERS:
        sample = np.random.default_rng(seed).choice(papers, FITTED_PAPERS, replace=False)
        fitted = matrix[np.sort(sample)]
    _, _, components = randomized_svd(fitted, dimensions, n_iter=4, random_state=seed)
    loadings = np.ascontiguousarray(components.T, np.float32)
    return Latent(unit_rows(np.asarray(matrix @ loadings)), loadings)
