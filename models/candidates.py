"""Candidates of each query, and every signal computed exactly for every candidate."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from models import kernels
from models.signals import ROUNDING, DenseSignal, Signal, SparseSignal

BLOCK = 128
"""Queries worked on at once. Fixed, so that results do not depend on the number of threads."""

POSTINGS_BUDGET = 20_000
"""The least number of postings that are read for a query (see kernels.sparse_top_k)."""

POSTINGS_IN_ALL = 2_000_000_000
"""Postings that a corpus may cost, were every paper a query: small ones are searched whole."""

EXACT_PAPERS = 50_000
"""Above this number of papers dense neighbours are sought in the leading dimensions alone."""

LEADING_DIMENSIONS = 64
"""Singular vectors come in the order of their weight: the first ones tell most of the cosine."""

PAPERS_AT_ONCE = 4_096
"""Papers whose products with a block of queries fit a core's cache."""

Result = TypeVar("Result")


def triple(matrix: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A CSR matrix as the kernels take it."""
    return matrix.indptr, matrix.indices, matrix.data


def top_k(
    signal: Signal,
    queries: NDArray[np.int64],
    k: int,
    budget: int | None = None,
    pool: int = 4,
    among: Signal | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k papers most similar to each query (a row of the signal) and their similarities.

    among: the rows to find, if they differ from the signal's own (see signals.only).

    int32 and float32, queries x k, best first, equal ones by row; -1 and 0 where there are fewer.
    Sparse: similarities above 0, exact; who is among the k may differ from the exact product
    where the budget (of postings) was reached: `pool` times k papers are scored exactly. Dense:
    exact; in corpora over EXACT_PAPERS the leading dimensions choose who is among the k.
    """
    rows = np.empty((len(queries), k), np.int32)
    scores = np.empty((len(queries), k), np.float32)
    among = among or signal
    if isinstance(signal, SparseSignal):
        if budget is None:
            budget = max(POSTINGS_BUDGET, POSTINGS_IN_ALL // signal.papers)
        kernels.sparse_top_k(
            triple(signal.matrix),
            triple(cast(SparseSignal, among).transposed),
            queries,
            budget,
            pool * k,
            scores,
            rows,
        )
    else:
        _dense_top_k(signal.vectors, cast(DenseSignal, among).vectors, queries, scores, rows)
    return rows, scores


def _dense_top_k(
    vectors: NDArray[np.float32],
    among: NDArray[np.float32],
    queries: NDArray[np.int64],
    scores: NDArray[np.float32],
    rows: NDArray[np.int32],
) -> None:
    """Writes as kernels.sparse_top_k does, from products made a cache-sized block at a time."""
    if rows.shape[1] == 0:
        return
    leading = vectors.shape[1] if len(vectors) <= EXACT_PAPERS else LEADING_DIMENSIONS
    searched = among[:, :leading]
    wanted = np.ascontiguousarray(vectors[queries, :leading])
    sizes = np.zeros(len(queries), np.int64)
    for first in range(0, len(vectors), PAPERS_AT_ONCE):
        products = wanted @ searched[first : first + PAPERS_AT_ONCE].T
        kernels.offer_products(products, first, queries, scores, rows, sizes)
    kernels.sort_all(scores, rows, sizes)
    if leading < vectors.shape[1]:
        kernels.dense_pairs(vectors, queries, rows, scores)
        order = np.lexsort((rows, -scores), axis=1)
        rows[:] = np.take_along_axis(rows, order, 1)
        scores[:] = np.take_along_axis(scores, order, 1)


def candidates(
    signals: Mapping[str, Signal],
    queries: NDArray[np.int64],
    width: int,
    always: NDArray[np.int32] | None = None,
) -> NDArray[np.int32]:
    """The union of each signal's `width` most similar papers and of those that are candidates
    always, without the query: int32, queries x most, -1 where there are fewer."""
    shared = np.zeros(0, np.int32) if always is None else always
    found = np.hstack(
        [
            np.broadcast_to(shared, (len(queries), len(shared))),
            *(top_k(signal, queries, width, pool=1)[0] for signal in signals.values()),
        ]
    )
    rows = np.empty_like(found)
    rows = rows[:, : kernels.union(found, rows)]
    rows[rows == queries[:, None]] = -1
    return rows


def pair_similarities(
    signals: Mapping[str, Signal], queries: NDArray[np.int64], rows: NDArray[np.int32]
) -> NDArray[np.float32]:
    """Every signal of each query and each candidate: float32, queries x rows x signals."""
    products = np.empty((len(signals), *rows.shape), np.float32)
    for signal, out in zip(signals.values(), products, strict=True):
        if isinstance(signal, DenseSignal):
            kernels.dense_pairs(signal.vectors, queries, rows, out)
        else:
            columns = signal.matrix.shape[1]
            kernels.sparse_pairs(triple(signal.matrix), columns, queries, rows, out)
    return np.ascontiguousarray(np.moveaxis(products, 0, -1))


def compared_candidates(
    signals: Mapping[str, Signal],
    queries: NDArray[np.int64],
    width: int,
    always: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Candidates (int32, queries x most) and every signal of each (float32, ... x signals).

    What is not similar by any signal is no candidate (-1): fame alone relates nothing.
    """
    rows = candidates(signals, queries, width, always)
    similar = pair_similarities(signals, queries, rows)
    rows[~(similar > ROUNDING).any(axis=-1)] = -1
    return rows, similar


def in_blocks(
    queries: NDArray[np.int64], work: Callable[[NDArray[np.int64]], Result], threads: int
) -> Iterator[Result]:
    """The results of `work` on each block of queries, in order; at most `threads` blocks ahead."""
    blocks = iter([queries[at : at + BLOCK] for at in range(0, len(queries), BLOCK)])
    with ThreadPoolExecutor(threads) as pool:
        running = [pool.submit(work, block) for block in islice(blocks, 2 * threads)]
        while running:
            done = running.pop(0)
            yield done.result()
            running += [pool.submit(work, block) for block in islice(blocks, 1)]
