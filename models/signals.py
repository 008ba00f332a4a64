"""A signal is a matrix with a row for each paper: two papers' similarity is their inner product."""

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


@dataclass(frozen=True)
class SparseSignal:
    """`matrix`: float32 CSR, papers x columns (terms, citing papers, references, readers).

    `transposed`: its transpose as CSR, the postings of each column.
    """

    matrix: sp.csr_matrix
    transposed: sp.csr_matrix

    @classmethod
    def build(cls, matrix: sp.spmatrix) -> "SparseSignal":
        """From any sparse matrix; entries of 0 are dropped."""
        rows = sp.csr_matrix(matrix, dtype=np.float32)
        rows.eliminate_zeros()
        rows.sort_indices()
        columns = sp.csr_matrix(rows.T)
        columns.sort_indices()
        return cls(rows, columns)

    def row(self, paper: int) -> "SparseRow":
        """A paper's own row, as that of a query."""
        low, high = self.matrix.indptr[paper], self.matrix.indptr[paper + 1]
        return SparseRow(self.matrix.indices[low:high], self.matrix.data[low:high])

    @cached_property
    def papers(self) -> int:
        """How many papers there are."""
        return int(self.matrix.shape[0])


@dataclass(frozen=True)
class DenseSignal:
    """`vectors`: float32, papers x dimensions."""

    vectors: NDArray[np.float32]

    def row(self, paper: int) -> NDArray[np.float32]:
        """A paper's own row, as that of a query."""
        vector: NDArray[np.float32] = self.vectors[paper]
        return vector

    @cached_property
    def papers(self) -> int:
        """How many papers there are."""
        return len(self.vectors)


@dataclass(frozen=True)
class SparseRow:
    """One query's row of a sparse signal: rising columns (int32) and their values (float32)."""

    columns: NDArray[np.int32]
    values: NDArray[np.float32]


ROUNDING = 1e-6
"""A similarity up to this may be nothing but rounding."""

Signal = SparseSignal | DenseSignal
Row = SparseRow | NDArray[np.float32]


def similarities(signal: Signal, row: Row, rows: NDArray[np.int32]) -> NDArray[np.float32]:
    """Exact inner products of a query's row with the rows of these papers, float32 (rows)."""
    if isinstance(signal, DenseSignal):
        dense: NDArray[np.float32] = signal.vectors[rows] @ cast("NDArray[np.float32]", row)
        return dense
    row = cast(SparseRow, row)
    products = np.zeros(len(rows), np.float32)
    if len(row.columns) == 0 or len(rows) == 0:
        return products
    matrix = signal.matrix
    begin, length = matrix.indptr[rows], np.diff(matrix.indptr)[rows]
    owner = np.repeat(np.arange(len(rows)), length)
    at = np.arange(len(owner)) + np.repeat(begin - np.cumsum(length) + length, length)
    columns = matrix.indices[at]
    place = np.minimum(np.searchsorted(row.columns, columns), len(row.columns) - 1)
    shared = row.columns[place] == columns
    weights = row.values[place[shared]] * matrix.data[at[shared]]
    summed = np.bincount(owner[shared], weights, len(rows))
    return summed.astype(np.float32)


def all_similarities(signal: Signal, row: Row) -> NDArray[np.float32]:
    """Inner products of a query's row with every paper's, float32 (papers)."""
    if isinstance(signal, DenseSignal):
        dense: NDArray[np.float32] = signal.vectors @ cast("NDArray[np.float32]", row)
        return dense
    row = cast(SparseRow, row)
    products = np.zeros(signal.papers, np.float32)
    postings = signal.transposed
    for column, value in zip(row.columns, row.values, strict=True):
        begin, end = postings.indptr[column], postings.indptr[column + 1]
        products[postings.indices[begin:end]] += value * postings.data[begin:end]
    return products


def only(signal: Signal, papers: NDArray[np.bool_]) -> Signal:
    """The same signal with rows of zeros for all papers but these."""
    if isinstance(signal, DenseSignal):
        return DenseSignal(signal.vectors * papers[:, None].astype(np.float32))
    return SparseSignal.build(sp.diags_array(papers.astype(np.float32)) @ signal.matrix)


def in_memory(signal: Signal) -> Signal:
    """A copy whose arrays are ordinary ones: compiled code wants them writable."""
    if isinstance(signal, DenseSignal):
        return DenseSignal(np.array(signal.vectors))
    return SparseSignal(signal.matrix.copy(), signal.transposed.copy())
