"""Latent semantic analysis: truncated SVD of the TF-IDF matrix (Deerwester et al. 1990)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.extmath import randomized_svd

from models.rows import unit_rows, unit_sparse_rows
from models.tfidf import Tfidf

DIMENSIONS = 200
FITTED_PAPERS = 20_000
"""Above this number of papers the components come from a seeded sample of so many."""


@dataclass(frozen=True)
class Latent:
    """`vectors`: float32, papers x dimensions, rows of length 1 (or 0 without text).

    `components`: float32, terms x dimensions, 0 for phrases; a TF-IDF row times it, scaled to
    length 1, is the paper's vector.
    """

    vectors: NDArray[np.float32]
    components: NDArray[np.float32]


def fit_latent(tfidf: Tfidf, seed: int) -> Latent:
    """The first singular vectors of the words in a TF-IDF matrix.

    Phrases take no part: they are rare, and their words have said the same already.
    """
    papers, terms = tfidf.matrix.shape
    words = np.flatnonzero(tfidf.is_word)
    dimensions = min(DIMENSIONS, max(min(papers, len(words)) - 1, 0))
    if dimensions == 0:
        return Latent(np.zeros((papers, 0), np.float32), np.zeros((terms, 0), np.float32))
    fitted = unit_sparse_rows(tfidf.matrix[:, words])
    if papers > FITTED_PAPERS:
        sample = np.random.default_rng(seed).choice(papers, FITTED_PAPERS, replace=False)
        fitted = fitted[np.sort(sample)]
    _, _, found = randomized_svd(fitted, dimensions, n_iter=4, random_state=seed)
    components = np.zeros((terms, dimensions), np.float32)
    components[words] = found.T
    return Latent(unit_rows(np.asarray(tfidf.matrix @ components)), components)
