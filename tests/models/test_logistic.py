"""Logistic regression against scikit-learn's, and its bounds."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.logistic import fit_logistic

Columns = NDArray[np.float32]
FREE = np.zeros(4, bool)


def drawn(seed: int, pairs: int = 3_000) -> tuple[Columns, NDArray[np.bool_], Columns]:
    """Columns of different scales, labels from a known model, weights."""
    random = np.random.default_rng(seed)
    columns = random.normal(size=(pairs, 4)) * [1, 10, 0.1, 1] + [0, 5, 0, -2]
    logits = columns @ [1.5, -0.1, 8, 0.5] - 0.5
    related = random.random(pairs) < 1 / (1 + np.exp(-logits))
    weight = random.uniform(0.5, 3, pairs)
    return columns.astype(np.float32), related, weight.astype(np.float32)


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_scikit_learn_finds(seed: int) -> None:
    columns, related, weight = drawn(seed)
    oracle = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1_000)
    scale = columns.std(axis=0)
    oracle.fit(columns / scale, related, weight)
    coefficients, bias = fit_logistic(columns, related, weight, FREE, penalty=0)
    np.testing.assert_allclose(coefficients, oracle.coef_[0] / scale, rtol=2e-3, atol=1e-4)
    assert bias == pytest.approx(oracle.intercept_[0], abs=2e-3)


def test_the_penalty_is_on_columns_of_unit_variance() -> None:
    columns, related, weight = drawn(4)
    penalty = 0.05
    oracle = LogisticRegression(C=1 / (penalty * weight.sum()), tol=1e-8, max_iter=1_000)
    scale = columns.std(axis=0)
    oracle.fit((columns - columns.mean(axis=0)) / scale, related, weight)
    coefficients, _ = fit_logistic(columns, related, weight, FREE, penalty)
    np.testing.assert_allclose(coefficients * scale, oracle.coef_[0], rtol=2e-3, atol=1e-4)


def loss(columns: Columns, related: NDArray[np.bool_], model: NDArray[np.float64]) -> float:
    logits = columns @ model[:-1] + model[-1]
    return float(np.mean(np.logaddexp(0, logits) - related * logits))


def test_bounded_coefficients_stay_at_or_above_zero() -> None:
    columns, related, _ = drawn(5)
    ones = np.ones(len(related), np.float32)
    bounded = np.array([True, True, True, False])
    coefficients, bias = fit_logistic(columns, related, ones, bounded, penalty=0)
    assert coefficients[1] == 0  # free, it is -0.1
    assert (coefficients[[0, 2]] > 0).all()

    # No feasible neighbour is better.
    best = np.append(coefficients, bias)
    least = loss(columns, related, best)
    for at in range(5):
        for step in (-1e-2, 1e-2):
            other = best.copy()
            other[at] += step
            if at != 1 or step > 0:
                assert loss(columns, related, other) > least


def test_related_pairs_that_are_perfectly_apart_stay_finite() -> None:
    columns = np.linspace(-1, 1, 200, dtype=np.float32)[:, None]
    related = columns[:, 0] > 0
    ones = np.ones(200, np.float32)
    coefficients, bias = fit_logistic(columns, related, ones, np.ones(1, bool), penalty=1e-5)
    assert np.isfinite(coefficients).all()
    assert np.isfinite(bias)
    assert coefficients[0] > 0


@pytest.mark.parametrize("share", [0, 1])
def test_one_class_alone_stays_finite(share: int) -> None:
    columns, _, weight = drawn(6, pairs=100)
    coefficients, bias = fit_logistic(
        columns, np.full(100, bool(share)), weight, FREE, penalty=1e-5
    )
    assert np.isfinite([*coefficients, bias]).all()


def test_a_column_that_never_changes_counts_nothing() -> None:
    columns, related, weight = drawn(7)
    columns[:, 3] = 0
    coefficients, _ = fit_logistic(columns, related, weight, FREE, penalty=1e-5)
    assert coefficients[3] == pytest.approx(0, abs=1e-6)


def test_a_weight_counts_as_so_many_pairs() -> None:
    columns, related, _ = drawn(8, pairs=600)
    times = np.random.default_rng(8).integers(1, 4, 600)
    weighted = fit_logistic(columns, related, times.astype(np.float32), FREE, penalty=0)
    ones = np.ones(int(times.sum()), np.float32)
    repeated = fit_logistic(columns.repeat(times, 0), related.repeat(times), ones, FREE, penalty=0)
    np.testing.assert_allclose(weighted[0], repeated[0], rtol=1e-3, atol=1e-4)
    assert weighted[1] == pytest.approx(repeated[1], abs=1e-3)
