"""The inner loops of training, compiled by numba: no Python objects, no global lock.

Each works on a block of queries and writes to its own part of the output, so that a result does
not depend on how many threads share the blocks. Equal scores are ordered by row everywhere.
A CSR matrix is passed as the triple (indptr, indices, data).
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Compile on the first call, and keep the machine code beside the source for the next run."""
    return cast(Kernel, numba.njit(nogil=True, cache=True)(kernel))


def reassociating(kernel: Kernel) -> Kernel:
    """As `compiled`, free to add in another order: sums of products in vector registers."""
    return cast(
        "Kernel", numba.njit(nogil=True, cache=True, fastmath={"reassoc", "contract"})(kernel)
    )


@compiled
def _sift(scores: Any, rows: Any, size: int) -> None:
    """Let the root of a heap sink to its place; the worst pair belongs at the root."""
    at, score, row = 0, scores[0], rows[0]
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        other = child + 1
        if other < size and (
            scores[other] < scores[child]
            or (scores[other] == scores[child] and rows[other] > rows[child])
        ):
            child = other
        if scores[child] > score or (scores[child] == score and rows[child] < row):
            break
        scores[at], rows[at] = scores[child], rows[child]
        at = child
    scores[at], rows[at] = score, row


@compiled
def keep_best(score: Any, row: Any, scores: Any, rows: Any, size: int) -> int:
    """Offer a pair to the best so far (a heap in scores and rows); returns how many there are."""
    if size == len(rows):
        if score > scores[0] or (score == scores[0] and row < rows[0]):
            scores[0], rows[0] = score, row
            _sift(scores, rows, size)
        return size
    at = size
    while at > 0:  # rise from the end
        parent = (at - 1) // 2
        if scores[parent] < score or (scores[parent] == score and rows[parent] > row):
            break
        scores[at], rows[at] = scores[parent], rows[parent]
        at = parent
    scores[at], rows[at] = score, row
    return size + 1


@compiled
def sort_best(scores: Any, rows: Any, size: int) -> None:
    """Turn the heap of `keep_best` into a list, best first; what lies beyond it becomes (0, -1)."""
    for last in range(size - 1, 0, -1):
        scores[0], scores[last] = scores[last], scores[0]
        rows[0], rows[last] = rows[last], rows[0]
        _sift(scores, rows, last)
    for at in range(size, len(rows)):
        scores[at], rows[at] = 0, -1


@compiled
def sparse_top_k(
    matrix: Any, transposed: Any, queries: Any, budget: int, scores: Any, rows: Any
) -> None:
    """For each query (a row of the matrix) the rows with the largest inner products with it.

    Terms are taken in the order of their weight in the query until `budget` postings have been
    read; the best 4 k rows by that partial product are then scored exactly. Writes scores
    (float32, queries x k) and rows (int32; -1 where there are fewer), best first. Only products
    above 0 count, and the query itself is left out.
    """
    indptr, indices, data = matrix
    t_indptr, t_indices, t_data = transposed
    papers, k = len(indptr) - 1, rows.shape[1]
    partial = np.zeros(papers, np.float32)
    weight = np.zeros(len(t_indptr) - 1, np.float32)
    touched = np.empty(papers, np.int32)
    pool_scores = np.empty(min(4 * k + 1, papers), np.float32)
    pool = np.empty(len(pool_scores), np.int32)
    for i in range(len(queries)):
        low, high = indptr[queries[i]], indptr[queries[i] + 1]
        order_scores = np.empty(high - low, np.float32)
        order = np.empty(high - low, np.int32)
        size = 0
        for at in range(low, high):
            size = keep_best(abs(data[at]), np.int32(at - low), order_scores, order, size)
            weight[indices[at]] = data[at]
        sort_best(order_scores, order, size)
        count, read = 0, 0
        for nth in range(size):
            term = indices[low + order[nth]]
            begin, end = t_indptr[term], t_indptr[term + 1]
            read += end - begin
            if read > budget and count > 4 * k:
                break
            for posting in range(begin, end):
                other = t_indices[posting]
                if partial[other] == 0:
                    touched[count] = other
                    count += 1
                partial[other] += weight[term] * t_data[posting]
        size = 0
        for at in range(count):
            other = touched[at]
            if size < len(pool) or partial[other] >= pool_scores[0]:  # most fail: no call
                size = keep_best(partial[other], other, pool_scores, pool, size)
            partial[other] = 0
        found, best_scores, best_rows = 0, scores[i], rows[i]
        for at in range(size):
            other = pool[at]
            if other != queries[i]:
                product = np.float32(0)
                for entry in range(indptr[other], indptr[other + 1]):
                    product += weight[indices[entry]] * data[entry]
                if product > 0:
                    found = keep_best(product, other, best_scores, best_rows, found)
        sort_best(best_scores, best_rows, found)
        for at in range(low, high):
            weight[indices[at]] = 0


@compiled
def dense_top_k(products: Any, queries: Any, scores: Any, rows: Any) -> None:
    """As sparse_top_k, from the products of a block (float32, queries x papers)."""
    for i in range(len(queries)):
        found, best_scores, best_rows, product = 0, scores[i], rows[i], products[i]
        threshold = np.float32(0)
        for other in range(len(product)):
            if product[other] > threshold and other != queries[i]:
                found = keep_best(product[other], np.int32(other), best_scores, best_rows, found)
                if found == len(
                    best_rows
                ):  # later rows lose a draw: only more than the worst counts
                    threshold = best_scores[0]
        sort_best(best_scores, best_rows, found)


@compiled
def union(found: Any, rows: Any) -> int:
    """For each query the distinct rows of `found` (-1: none) in rising order, padded with -1.

    Returns the largest number of rows that a query has.
    """
    most = 0
    for i in range(len(found)):
        count, previous = 0, -1
        for other in np.sort(found[i]):
            if other > previous:
                rows[i, count] = previous = other
                count += 1
        rows[i, count:] = -1
        most = max(most, count)
    return most


@compiled
def sparse_pairs(matrix: Any, columns: int, queries: Any, rows: Any, products: Any) -> None:
    """Exact inner products of each query with its rows (-1: none, product 0).

    `matrix` has so many columns. Writes float32, queries x rows.
    """
    indptr, indices, data = matrix
    weight = np.zeros(columns, np.float32)
    for i in range(len(queries)):
        low, high = indptr[queries[i]], indptr[queries[i] + 1]
        for at in range(low, high):
            weight[indices[at]] = data[at]
        for j in range(rows.shape[1]):
            product = np.float32(0)
            if rows[i, j] >= 0:
                for at in range(indptr[rows[i, j]], indptr[rows[i, j] + 1]):
                    product += weight[indices[at]] * data[at]
            products[i, j] = product
        for at in range(low, high):
            weight[indices[at]] = 0


@reassociating
def dense_pairs(vectors: Any, queries: Any, rows: Any, products: Any) -> None:
    """As sparse_pairs, over the rows of a dense matrix (float32, papers x dimensions)."""
    for i in range(len(queries)):
        query = vectors[queries[i]]
        for j in range(rows.shape[1]):
            product = np.float32(0)
            other = rows[i, j]
            if other >= 0:
                for at in range(len(query)):
                    product += query[at] * vectors[other, at]
            products[i, j] = product
