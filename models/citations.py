"""Signals from citations: who cites both, what both cite, whose neighbourhoods overlap."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def unit_sparse_rows(matrix: sp.spmatrix) -> sp.csr_matrix:
    """Each row scaled to length 1, float32 CSR; empty rows stay."""
    rows = sp.csr_matrix(matrix, dtype=np.float32)
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1), np.float64)).ravel()
    return sp.csr_matrix(sp.diags_array(1 / np.maximum(lengths, 1e-12)) @ rows, dtype=np.float32)


def co_citation(citations: sp.csr_matrix) -> sp.csr_matrix:
    """papers x citing papers: the inner product is the cosine of co-citation (Small 1973).

    A citing paper counts 1 / ln(2 + its references): a long list says less of each pair.
    """
    lengths = np.diff(citations.indptr)
    weight = sp.diags_array(1 / np.sqrt(np.log(2 + lengths)))
    return unit_sparse_rows((weight @ citations).T)


@dataclass(frozen=True)
class Coupling:
    """`matrix`: papers x (papers + external works). `weight`: float32, the same columns."""

    matrix: sp.csr_matrix
    weight: NDArray[np.float32]


def coupling(citations: sp.csr_matrix, external: sp.csr_matrix) -> Coupling:
    """Bibliographic coupling (Kessler 1963): the cosine of reference lists.

    References to works outside the corpus count too; each weighs its inverse document frequency,
    ln(papers / times cited), at least 0.
    """
    references = sp.csr_matrix(sp.hstack([citations, external]), dtype=np.float32)
    times = np.bincount(references.indices, minlength=references.shape[1])
    weight = np.log(max(citations.shape[0], 2) / np.maximum(times, 1)).astype(np.float32)
    return Coupling(unit_sparse_rows(references @ sp.diags_array(weight)), weight)


def neighborhood(citations: sp.csr_matrix) -> sp.csr_matrix:
    """papers x papers: cosine of citation neighbourhoods, both directions and the paper itself."""
    linked = citations.astype(np.float32)
    near = linked.maximum(linked.T).maximum(sp.eye_array(citations.shape[0], dtype=np.float32))
    return unit_sparse_rows(near)
