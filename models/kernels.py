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
def _by_weight(values: Any) -> Any:
    """Places of a query's values, the largest first: int32."""
    scores = np.empty(len(values), np.float32)
    places = np.empty(len(values), np.int32)
    size = 0
    for at in range(len(values)):
        size = keep_best(abs(values[at]), np.int32(at), scores, places, size)
    sort_best(scores, places, size)
    return places


@compiled
def _floor(scores: Any, count: int) -> Any:
    """A number, 0 or above, that the `count` largest scores reach (as far as they are above 0), and
    few others do: what is below it needs no place in a heap. From the leading bits, whose order
    is that of positive floats."""
    if len(scores) <= 2 * count:
        return np.float32(0)
    bits = scores.view(np.int32)
    bins = np.zeros(1 << 13, np.int32)  # the exponent and five bits of the fraction
    for each in bits:
        if each > 0:
            bins[np.uint32(each) >> 18] += 1
    reached, lowest = 0, len(bins)
    while reached < count and lowest > 0:
        lowest -= 1
        reached += bins[lowest]
    return np.array([lowest << 18], np.int32).view(np.float32)[0]


@compiled
def _partial_products(
    terms: Any, values: Any, transposed: Any, budget: int, least: int, partial: Any, touched: Any
) -> int:
    """Add the postings of terms to `partial` until `budget` are read and more than `least` rows
    are touched; returns how many rows are, written to `touched`, which has room for one more."""
    indptr, indices, data = transposed
    count = read = 0
    for place in _by_weight(values):
        begin, end = indptr[terms[place]], indptr[terms[place] + 1]
        read += end - begin
        if read > budget and count > least:
            break
        papers, weights, value = indices[begin:end], data[begin:end], values[place]
        for at in range(len(papers)):
            other = np.uint32(papers[at])  # unsigned: numba then looks for no index below 0
            before = partial[other]
            touched[count] = other  # no branch, which could not be foretold
            count += before == 0
            partial[other] = before + value * weights[at]
    return count


@compiled
def _product(weight: Any, matrix: Any, row: int) -> Any:
    """The inner product of a dense vector with a row of the matrix."""
    indptr, indices, data = matrix
    columns, values = indices[indptr[row] : indptr[row + 1]], data[indptr[row] : indptr[row + 1]]
    product = np.float32(0)
    for at in range(len(columns)):
        product += weight[np.uint32(columns[at])] * values[at]
    return product


@compiled
def sparse_top_k(
    matrix: Any, transposed: Any, queries: Any, budget: int, pool: int, scores: Any, rows: Any
) -> None:
    """For each query (a row of the matrix) the rows with the largest inner products with it.

    Terms are taken in the order of their weight in the query until `budget` postings have been
    read; the best `pool` rows by that partial product (at least k) are then scored exactly.
    Writes scores (float32, queries x k) and rows (int32; -1 where there are fewer), best first.
    Only products above 0 count, and the query itself is left out.
    """
    indptr, indices, data = matrix
    papers = len(indptr) - 1
    partial = np.zeros(papers, np.float32)
    products = np.empty(papers, np.float32)
    weight = np.zeros(len(transposed[0]) - 1, np.float32)
    touched = np.empty(papers + 1, np.int32)
    pool_scores = np.empty(min(pool + 1, papers), np.float32)  # and the query
    pool_rows = np.empty(len(pool_scores), np.int32)
    for i in range(len(queries)):
        low, high = indptr[queries[i]], indptr[queries[i] + 1]
        terms, values = indices[low:high], data[low:high]
        count = _partial_products(terms, values, transposed, budget, pool, partial, touched)
        for at in range(count):
            other = np.uint32(touched[at])
            products[at] = partial[other]
            partial[other] = 0
        size, floor = 0, _floor(products[:count], len(pool_rows))
        for at in range(count):
            if products[at] >= floor:
                size = keep_best(products[at], touched[at], pool_scores, pool_rows, size)
        weight[terms] = values
        found, best_scores, best_rows = 0, scores[i], rows[i]
        for other in pool_rows[:size]:
            product = _product(weight, matrix, other)
            if product > 0 and other != queries[i]:
                found = keep_best(product, other, best_scores, best_rows, found)
        sort_best(best_scores, best_rows, found)
        weight[terms] = 0


@compiled
def offer_products(
    products: Any, first: int, queries: Any, scores: Any, rows: Any, sizes: Any
) -> None:
    """Offer a block of products (float32, queries x some papers from row `first` on) to each
    query's best so far: heaps in scores and rows (queries x k) of so many `sizes`."""
    for i in range(len(queries)):
        size, best_scores, best_rows, product = sizes[i], scores[i], rows[i], products[i]
        full = size == len(best_rows)
        floor = best_scores[0] if full else _floor(product, len(best_rows) + 1)  # and the query
        for at in range(len(product)):
            if product[at] >= floor and product[at] > 0 and first + at != queries[i]:
                size = keep_best(product[at], np.int32(first + at), best_scores, best_rows, size)
                if size == len(best_rows):
                    floor = best_scores[0]
        sizes[i] = size


@compiled
def sort_all(scores: Any, rows: Any, sizes: Any) -> None:
    """Turn each query's heap into a list, best first."""
    for i in range(len(rows)):
        sort_best(scores[i], rows[i], sizes[i])


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
        terms = indices[low:high]
        weight[terms] = data[low:high]
        for j in range(rows.shape[1]):
            products[i, j] = _product(weight, matrix, rows[i, j]) if rows[i, j] >= 0 else 0
        weight[terms] = 0


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
