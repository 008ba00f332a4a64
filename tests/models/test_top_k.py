"""The compiled top-k and pair products against brute force.

Entries are multiples of a quarter, so that every sum is exact and equal scores are really equal.
"""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.candidates import BLOCK, candidates, in_blocks, pair_similarities, top_k
from models.signals import (
    DenseSignal,
    Signal,
    SparseSignal,
    all_similarities,
    in_memory,
    only,
    similarities,
)
from models.tfidf import count_terms, fit_tfidf
from tests.models.corpora import corpus_in

ENDLESS = 1 << 40

Matrix = NDArray[np.float32]


def everyone(matrix: Matrix) -> NDArray[np.int64]:
    return np.arange(len(matrix), dtype=np.int64)


def brute_force(matrix: Matrix, query: int, k: int) -> list[tuple[int, float]]:
    """The k rows with the largest products above 0, equal ones by row; never the query."""
    products = matrix @ matrix[query]
    others = [row for row in range(len(matrix)) if row != query and products[row] > 0]
    others.sort(key=lambda row: (-products[row], row))
    return [(row, float(products[row])) for row in others[:k]]


def found(signal: Signal, query: int, k: int) -> list[tuple[int, float]]:
    rows, scores = top_k(signal, np.array([query], np.int64), k, ENDLESS)
    assert rows.dtype == np.int32
    assert scores.dtype == np.float32
    assert rows.shape == scores.shape == (1, k)
    known = rows[0] >= 0
    count = int(known.sum())
    assert known[:count].all()  # -1 and 0 come last
    assert not scores[0, count:].any()
    return list(zip(rows[0, :count].tolist(), scores[0, :count].tolist(), strict=True))


def quarters(shape: st.SearchStrategy[tuple[int, int]], least: int) -> st.SearchStrategy[Matrix]:
    values = st.sampled_from([value / 4 for value in range(least, 9)])
    return shape.flatmap(lambda size: arrays(np.float32, size, elements=values, fill=st.just(0)))


shapes = st.tuples(st.integers(1, 24), st.integers(1, 8))


@given(quarters(shapes, 0), st.integers(1, 30), st.data())
def test_sparse_top_k_is_exact_without_a_budget(
    matrix: Matrix, k: int, data: st.DataObject
) -> None:
    query = data.draw(st.integers(0, len(matrix) - 1))
    signal = SparseSignal.build(sp.csr_matrix(matrix))
    assert found(signal, query, k) == brute_force(matrix, query, k)


@given(quarters(shapes, -8), st.integers(1, 30), st.data())
def test_dense_top_k_is_exact(matrix: Matrix, k: int, data: st.DataObject) -> None:
    query = data.draw(st.integers(0, len(matrix) - 1))
    assert found(DenseSignal(matrix), query, k) == brute_force(matrix, query, k)


@pytest.mark.parametrize("dense", [False, True])
@given(matrix=quarters(shapes, 0), data=st.data())
def test_only_some_papers_are_found_but_anyone_may_ask(
    dense: bool, matrix: Matrix, data: st.DataObject
) -> None:
    query = data.draw(st.integers(0, len(matrix) - 1))
    lent = np.array(data.draw(st.lists(st.booleans(), min_size=len(matrix), max_size=len(matrix))))
    signal: Signal = DenseSignal(matrix) if dense else SparseSignal.build(sp.csr_matrix(matrix))
    rows, _ = top_k(signal, np.array([query]), len(matrix), among=only(signal, lent))
    expected = [row for row, _ in brute_force(matrix, query, len(matrix)) if lent[row]]
    assert rows[rows >= 0].tolist() == expected


def checkerboard(size: int = 8) -> Matrix:
    """Even rows share even columns, odd rows odd ones: each has all of its parity and no other."""
    rows, columns = np.indices((size, size))
    board: Matrix = ((rows + columns) % 2 == 0).astype(np.float32)
    return board


@pytest.mark.parametrize("dense", [False, True])
def test_equal_scores_are_ordered_by_row(dense: bool) -> None:
    board = checkerboard()
    signal: Signal = DenseSignal(board) if dense else SparseSignal.build(sp.csr_matrix(board))
    assert found(signal, 2, 2) == [(0, 4.0), (4, 4.0)]
    assert found(signal, 3, 20) == [(1, 4.0), (5, 4.0), (7, 4.0)]


def test_an_empty_row_has_no_neighbours_and_is_none() -> None:
    matrix = np.array([[1, 0], [0, 0], [1, 1]], np.float32)
    for signal in (SparseSignal.build(sp.csr_matrix(matrix)), DenseSignal(matrix)):
        assert found(signal, 1, 3) == []
        assert found(signal, 0, 3) == [(2, 1.0)]


def zipf_matrix(papers: int, terms: int) -> sp.csr_matrix:
    """Rows of length 1 with about 60 terms each; frequencies fall as in text, and rare terms weigh
    more."""
    random = np.random.default_rng(5)
    topic = random.integers(0, 40, papers)
    rows, columns = [], []
    for paper in range(papers):
        common = random.zipf(1.3, 40) % (terms // 2)
        special = terms // 2 + topic[paper] * (terms // 80) + random.zipf(1.5, 20) % (terms // 80)
        distinct = np.unique(np.concatenate([common, special]))
        rows.append(np.full(len(distinct), paper))
        columns.append(distinct)
    column = np.concatenate(columns)
    idf = np.log(papers / np.bincount(column, minlength=terms).clip(1))
    matrix = sp.csr_matrix((idf[column], (np.concatenate(rows), column)), (papers, terms))
    lengths = sp.linalg.norm(matrix, axis=1)
    return sp.csr_matrix(sp.diags_array(1 / lengths) @ matrix, dtype=np.float32)


def members_found(signal: Signal, queries: NDArray[np.int64], rows: NDArray[np.int32]) -> float:
    """The share of the true members of the lists that these lists hold."""
    truly, _ = top_k(signal, queries, rows.shape[1], ENDLESS)
    shared = [len(np.intersect1d(a, b)) for a, b in zip(truly, rows, strict=True)]
    return sum(shared) / truly.size


def test_a_budget_costs_few_members_and_no_exactness() -> None:
    matrix = zipf_matrix(2_000, 4_000)
    signal = SparseSignal.build(matrix)
    queries = np.arange(0, 2_000, 10)
    exact = (matrix[queries] @ matrix.T).toarray()
    rows, scores = top_k(signal, queries, 20, budget=100)
    assert 0.85 < members_found(signal, queries, rows) < 1  # the budget did bite
    np.testing.assert_allclose(scores, np.take_along_axis(exact, rows.astype(int), 1), atol=1e-6)
    assert (np.diff(scores, axis=1) <= 0).all()


@pytest.mark.datasets
def test_training_finds_nearly_all_members_in_real_text(datasets: Path) -> None:
    corpus = corpus_in(datasets / "vis-until-2014" / "papers.jsonl.gz")
    signal = SparseSignal.build(fit_tfidf(count_terms(corpus.table)).matrix)
    queries = np.arange(0, len(corpus), 8)
    rows, scores = top_k(signal, queries, 20)
    assert members_found(signal, queries, rows) > 0.97
    exact = (signal.matrix[queries] @ signal.matrix.T).toarray()
    known = rows >= 0
    expected = np.take_along_axis(exact, np.maximum(rows, 0).astype(int), 1)
    np.testing.assert_allclose(scores[known], expected[known], atol=1e-6)


@given(quarters(shapes, 0), quarters(shapes, -8), st.integers(1, 6))
def test_candidates_are_the_union_of_each_signals_best(
    words: Matrix, vectors: Matrix, width: int
) -> None:
    papers = min(len(words), len(vectors))
    words, vectors = words[:papers], vectors[:papers]
    signals: dict[str, Signal] = {
        "text": SparseSignal.build(sp.csr_matrix(words)),
        "latent": DenseSignal(vectors),
    }
    rows = candidates(signals, everyone(words), width)
    assert rows.shape[1] <= 2 * width
    for query, row in enumerate(rows):
        best = [brute_force(matrix, query, width) for matrix in (words, vectors)]
        expected = sorted({other for ranked in best for other, _ in ranked})
        assert row.tolist() == expected + [-1] * (len(row) - len(expected))


@given(quarters(shapes, 0), quarters(shapes, -8), st.data())
def test_pair_similarities_are_the_products(
    words: Matrix, vectors: Matrix, data: st.DataObject
) -> None:
    papers = min(len(words), len(vectors))
    words, vectors = words[:papers], vectors[:papers]
    signals: dict[str, Signal] = {
        "text": SparseSignal.build(sp.csr_matrix(words)),
        "latent": DenseSignal(vectors),
    }
    some = st.lists(st.integers(-1, papers - 1), min_size=3, max_size=3)
    rows = np.array(data.draw(st.lists(some, min_size=papers, max_size=papers)), np.int32)
    products = pair_similarities(signals, everyone(words), rows)
    assert products.dtype == np.float32
    for at, matrix in enumerate((words, vectors)):
        full = matrix @ matrix.T
        expected = np.where(rows >= 0, np.take_along_axis(full, np.maximum(rows, 0), 1), 0)
        np.testing.assert_array_equal(products[..., at], expected)


@given(quarters(shapes, 0), st.data())
def test_a_query_online_finds_what_a_block_finds(matrix: Matrix, data: st.DataObject) -> None:
    query = data.draw(st.integers(0, len(matrix) - 1))
    full = matrix @ matrix.T
    chosen = data.draw(st.lists(st.integers(0, len(matrix) - 1), max_size=9))
    rows = np.array(chosen, np.int32)
    for signal in (SparseSignal.build(sp.csr_matrix(matrix)), DenseSignal(matrix)):
        row = signal.row(query)
        np.testing.assert_array_equal(all_similarities(signal, row), full[query])
        np.testing.assert_array_equal(similarities(signal, row, rows), full[query][rows])


def test_a_signal_without_any_entry() -> None:
    nothing = SparseSignal.build(sp.csr_matrix((3, 5), dtype=np.float32))
    assert found(nothing, 0, 2) == []
    assert not all_similarities(nothing, nothing.row(1)).any()
    assert similarities(nothing, nothing.row(1), np.array([0, 2], np.int32)).tolist() == [0, 0]


def test_entries_of_zero_are_no_entries() -> None:
    matrix = sp.csr_matrix((np.array([0.0, 1.0]), np.array([0, 1]), np.array([0, 2])), (1, 2))
    assert SparseSignal.build(matrix).matrix.nnz == 1


def test_a_copy_in_memory_is_writable_and_equal() -> None:
    words = SparseSignal.build(sp.csr_matrix(checkerboard()))
    vectors = DenseSignal(checkerboard())
    words.matrix.data.flags.writeable = vectors.vectors.flags.writeable = False
    copied, dense = in_memory(words), in_memory(vectors)
    assert isinstance(copied, SparseSignal)
    assert isinstance(dense, DenseSignal)
    assert copied.matrix.data.flags.writeable
    assert dense.vectors.flags.writeable
    assert found(copied, 0, 3) == found(dense, 0, 3) == [(2, 4.0), (4, 4.0), (6, 4.0)]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("queries", [0, 1, BLOCK, 5 * BLOCK + 1])
def test_blocks_come_in_order_at_any_number_of_threads(queries: int, threads: int) -> None:
    blocks = list(in_blocks(np.arange(queries), lambda block: block.tolist(), threads))
    assert [query for block in blocks for query in block] == list(range(queries))
    assert all(len(block) == BLOCK for block in blocks[:-1])
