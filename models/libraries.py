"""Readers' libraries as matrices: float32 CSR, readers x papers, signed weights in [-1, 1].

A weight above 0 says how much a paper is wanted, one below 0 how much it is not. What a reader does
not want says something of that reader alone: counts and common readers know the wanted part only.
"""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def wanted(libraries: sp.csr_matrix) -> sp.csr_matrix:
    """The entries above 0, float32 CSR of the same shape."""
    if libraries.nnz == 0 or libraries.data.min() > 0:
        return libraries
    kept = libraries.copy()
    kept.data = np.maximum(kept.data, np.float32(0))
    kept.eliminate_zeros()
    return kept


def wanted_count(libraries: sp.csr_matrix) -> NDArray[np.float64]:
    """float64 (papers): the summed weights of the readers who want each paper."""
    liked = wanted(libraries)
    counts = np.bincount(liked.indices, liked.data, minlength=liked.shape[1])
    return counts.astype(np.float64)


def library_sizes(libraries: sp.csr_matrix) -> NDArray[np.float64]:
    """float64 (readers): the summed weights of what each reader wants, at least 1."""
    sums = np.asarray(wanted(libraries).sum(axis=1, dtype=np.float64)).ravel()
    sizes: NDArray[np.float64] = np.maximum(sums, 1)
    return sizes


def hold_out(
    libraries: sp.csr_matrix, held: NDArray[np.float64], random: np.random.Generator
) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """A draw of so many wanted papers of each reader (`held`: readers): what is left of the
    libraries, and what was drawn; both CSR, readers x papers."""
    liked = wanted(libraries)
    size = np.diff(liked.indptr)
    reader = np.repeat(np.arange(len(size)), size)
    order = np.lexsort((random.random(len(reader)), reader))  # each library shuffled
    drawn = np.arange(len(reader)) - np.repeat(liked.indptr[:-1], size) < held[reader]
    parts = []
    for chosen in (~drawn, drawn):
        at = order[chosen]
        entries = (liked.data[at], (reader[chosen], liked.indices[at]))
        parts.append(sp.csr_matrix(entries, libraries.shape))
    left, out = parts
    if liked.nnz < libraries.nnz:
        left = sp.csr_matrix(left + (libraries - liked))
        left.eliminate_zeros()
    return left, out
