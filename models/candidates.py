"""Candidates of each query, and every signal computed exactly for every candidate."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from models import kernels
from models.signals import DenseSignal, Signal, SparseSignal

BLOCK = 128
"""Queries worked on at once. Fixed, so that results do not depend on the number of threads."""

POSTINGS_BUDGET = 20_000
"""Postings read for a query before its candidates are scored exactly (see kernels.sparse_top_k)."""

Result = TypeVar("Result")


def triple(matrix: Any) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A CSR matrix as the kernels take it."""
    return matrix.indptr, matrix.indices, matrix.data


def top_k(
    signal: Signal, queries: NDArray[np.int64], k: int, budget: int = POSTINGS_BUDGET
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The k papers most similar to each query (a row of the signal) and their similarities.

    int32 and float32, queries x k, best first, equal ones by row; -1 and 0 where there are fewer.
    Sparse: similarities above 0, exact; who is among the k may differ from the exact product
    where the budget was reached. Dense: exact.
    """
    rows = np.empty((len(queries), k), np.int32)
    scores = np.empty((len(queries), k), np.float32)
    if isinstance(signal, SparseSignal):
        kernels.sparse_top_k(
            triple(signal.matrix), triple(signal.transposed), queries, budget, scores, rows
        )
    else:
        products = signal.vectors[queries] @ signal.vectors.T
        kernels.dense_top_k(products, queries, scores, rows)
    return rows, scores


def candidates(
    signals: Mapping[str, Signal], queries: NDArray[np.int64], width: int
) -> NDArray[np.int32]:
    """The union of each signal's `width` most similar papers: int32, queries x most, -1 padded."""
    nobody = np.empty((len(queries), 0), np.int32)  # a corpus of ids alone has no signal
    found = np.hstack([nobody, *(top_k(signal, queries, width)[0] for signal in signals.values())])
    rows = np.empty_like(found)
    return rows[:, : kernels.union(found, rows)]


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
