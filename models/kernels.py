"""The inner loops of training, compiled by numba: no Python objects, no global lock.

Each works on a block of queries and writes to its own part of the output, so that a result does
not depend on how many threads share the blocks.
"""

import numba
import numpy as np

compiled = numba.njit(nogil=True, cache=True, fastmath=False)


@compiled
def sparse_top_k(matrix, transposed, queries, budget, rows, scores):
    """For each query (a row of the matrix) the rows with the largest inner products with it.

    `matrix` and its transpose (the postings of each term) are triples (indptr, indices, data).
    Terms are taken in the order of their weight in the query until `budget` postings have been
    read; the best 4 k rows by that partial product are then scored exactly. Writes rows (int32,
    queries x k, -1 where there are fewer) and scores (float32), best first, equal scores by row.
    The query itself is left out.
    """
    indptr, indices, data = matrix
    t_indptr, t_indices, t_data = transposed
    papers, k = len(indptr) - 1, rows.shape[1]
    partial = np.zeros(papers, np.float32)
    query = np.zeros(len(t_indptr) - 1, np.float32)
    touched = np.empty(papers, np.int32)
    for i, row in enumerate(queries):
        low, high = indptr[row], indptr[row + 1]
        count, read = 0, 0
        for at in np.argsort(-data[low:high], kind="mergesort"):
            term, weight = indices[low + at], data[low + at]
            begin, end = t_indptr[term], t_indptr[term + 1]
            read += end - begin
            if read > budget and count >= 4 * k:
                break
            for posting in range(begin, end):
                other = t_indices[posting]
                if partial[other] == 0:
                    touched[count] = other
                    count += 1
                partial[other] += weight * t_data[posting]
        candidates = best(touched[:count], partial, 4 * k)
        for at in range(count):
            partial[touched[at]] = 0
        for at in range(low, high):
            query[indices[at]] = data[at]
        found = 0
        exact = np.empty(len(candidates), np.float32)
        kept = np.empty(len(candidates), np.int32)
        for other in candidates:
            if other == row:
                continue
            product = np.float32(0)
            for at in range(indptr[other], indptr[other + 1]):
                product += query[indices[at]] * data[at]
            if product > 0:
                exact[found], kept[found] = product, other
                found += 1
        for at in range(low, high):
            query[indices[at]] = 0
        write_best(kept[:found], exact[:found], rows[i], scores[i])


@compiled
def best(touched, value, most):
    """Those of the touched rows with the largest values, at most so many, in rising order."""
    if len(touched) <= most:
        return np.sort(touched)
    values = value[touched]
    threshold = np.partition(values, len(values) - most)[len(values) - most]
    above = touched[values > threshold]
    level = np.sort(touched[values == threshold])[: most - len(above)]
    return np.sort(np.concatenate((above, level)))


@compiled
def write_best(kept, exact, rows, scores):
    """Sort rising rows by falling score (stable) into the output, padded with -1."""
    order = np.argsort(-exact, kind="mergesort")[: len(rows)]
    rows[:] = -1
    scores[:] = 0
    for rank, at in enumerate(order):
        rows[rank] = kept[at]
        scores[rank] = exact[at]


@compiled
def dense_top_k(products, queries, rows, scores):
    """For each row of a block of products (queries x papers) its k largest, the query left out.

    Overwrites the query's own product.
    """
    papers = products.shape[1]
    k = rows.shape[1]
    everyone = np.arange(papers).astype(np.int32)
    for i, row in enumerate(queries):
        value = products[i]
        value[row] = -np.inf
        # A threshold from a sample of columns leaves few to sort.
        step = max(1, papers // 4096)
        sample = np.sort(value[::step])
        threshold = sample[max(0, len(sample) - 1 - 2 * k // step - 8)]
        candidates = everyone[value >= threshold]
        if len(candidates) < min(k, papers):
            candidates = everyone
        candidates = best(candidates, value, k)
        write_best(candidates, value[candidates], rows[i], scores[i])


@compiled
def union(found, rows):
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
def sparse_pairs(matrix, columns, queries, candidates, products):
    """Exact inner products of each query with its candidates (-1: none, product 0).

    `matrix`: (indptr, indices, data) with so many columns. Writes float32, queries x candidates.
    """
    indptr, indices, data = matrix
    query = np.zeros(columns, np.float32)
    for i, row in enumerate(queries):
        low, high = indptr[row], indptr[row + 1]
        for at in range(low, high):
            query[indices[at]] = data[at]
        for j, other in enumerate(candidates[i]):
            product = np.float32(0)
            if other >= 0:
                for at in range(indptr[other], indptr[other + 1]):
                    product += query[indices[at]] * data[at]
            products[i, j] = product
        for at in range(low, high):
            query[indices[at]] = 0


@compiled
def dense_pairs(vectors, queries, candidates, products):
    """As sparse_pairs, over the rows of a dense matrix."""
    for i, row in enumerate(queries):
        query = vectors[row]
        for j, other in enumerate(candidates[i]):
            product = np.float32(0)
            if other >= 0:
                for at in range(vectors.shape[1]):
                    product += query[at] * vectors[other, at]
            products[i, j] = product
