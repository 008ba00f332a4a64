"""Rows of matrices, scaled."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each row scaled to length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: NDArray[np.float32] = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled.astype(np.float32)


def unit_sparse_rows(matrix: sp.sparray) -> sp.csr_matrix:
    """Each row scaled to length 1, float32 CSR; empty rows stay."""
    rows = sp.csr_matrix(matrix, dtype=np.float32)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), np.float64)).ravel()
    return _scaled_rows(rows, 1 / np.maximum(lengths, 1e-12))


def mean_sparse_rows(matrix: sp.sparray) -> sp.csr_matrix:
    """Each row scaled to sum 1, float32 CSR; empty rows stay."""
    rows = sp.csr_matrix(matrix, dtype=np.float32)
    sums = np.asarray(rows.sum(axis=1), np.float64).ravel()
    return _scaled_rows(rows, 1 / np.maximum(sums, 1e-12))


def _scaled_rows(rows: sp.csr_matrix, factors: NDArray[np.float64]) -> sp.csr_matrix:
    scaled = sp.csr_matrix(sp.diags_array(factors) @ rows, dtype=np.float32)
    scaled.sort_indices()
    return scaled
