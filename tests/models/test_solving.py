"""A reader's vector is the exact solve, against a dense reference in double precision."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.readers import CONFIDENCE, REGULARIZATION, solve_reader


def dense(
    item_factors: NDArray[np.float32], rows: NDArray[np.int64], weights: NDArray[np.float32]
) -> NDArray[np.floating]:
    """Equation 4 of Hu, Koren and Volinsky, over every paper."""
    y = item_factors.astype(np.float64)
    c, p = np.ones(len(y)), np.zeros(len(y))
    c[rows] = np.maximum(1, CONFIDENCE * np.abs(weights.astype(np.float64)))
    p[rows] = weights > 0
    left = y.T @ (c[:, None] * y) + REGULARIZATION * np.eye(y.shape[1])
    return np.linalg.solve(left, y.T @ (c * p))


WEIGHTS = {
    "saves": [1.0],
    "mixed": [1.0, 0.5, 0.2, -1.0, 0.004],
    "hides": [-1.0],
    "barely": [0.01, 0.001],
}


@pytest.mark.parametrize("events", [1, 10, 1_000])
@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_solve_is_exact(events: int, kind: str) -> None:
    random = np.random.default_rng(events)
    item_factors = (0.3 * random.standard_normal((3_000, 96))).astype(np.float32)
    rows = np.sort(random.choice(3_000, events, replace=False))
    weights = np.resize(WEIGHTS[kind], events).astype(np.float32)
    found = solve_reader(item_factors.T @ item_factors, item_factors[rows], weights)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, dense(item_factors, rows, weights), atol=1e-4)


def test_nothing_is_changed_and_nothing_is_nothing() -> None:
    random = np.random.default_rng(0)
    factors = random.standard_normal((5, 8)).astype(np.float32)
    gram, ones = factors.T @ factors, np.ones(5, np.float32)
    before = gram.copy(), factors.copy()
    solve_reader(gram, factors, ones)
    np.testing.assert_array_equal(gram, before[0])
    np.testing.assert_array_equal(factors, before[1])
    assert not solve_reader(gram, factors[:0], ones[:0]).any()


def test_a_gram_matrix_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="positive definite"):
        solve_reader(
            -np.eye(4, dtype=np.float32) * 99, np.ones((1, 4), np.float32), np.ones(1, np.float32)
        )
