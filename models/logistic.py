"""Logistic regression by Newton's method, with coefficients that may be held at or above 0."""

import numpy as np
from numpy.typing import NDArray

from models.kernels import compiled

ITERATIONS = 30
TOLERANCE = 1e-7


def fit_logistic(
    columns: NDArray[np.float32],
    related: NDArray[np.bool_],
    weight: NDArray[np.float32],
    nonnegative: NDArray[np.bool_],
    penalty: float,
) -> tuple[NDArray[np.float64], float]:
    """Coefficients (columns) and bias that minimise the weighted mean logistic loss.

    `columns`: float32, pairs x columns. `weight`: float32 (pairs), above 0. `nonnegative`: which
    coefficients may not fall below 0. The ridge penalty is on coefficients of columns scaled to
    unit variance. Each step minimises the quadratic model of the loss (iteratively reweighted
    least squares) within the bounds by coordinate descent, and is halved until the loss falls.
    """
    scale = columns.std(axis=0, dtype=np.float64) + 1e-9
    center = columns.mean(axis=0, dtype=np.float64)
    scaled = ((columns - center) / scale).astype(np.float32)
    share = weight.astype(np.float64) / weight.sum(dtype=np.float64)
    mean = np.clip((share * related).sum(), 1e-9, 1 - 1e-9)
    solution = np.zeros(columns.shape[1] + 1)
    solution[-1] = np.log(mean / (1 - mean))
    bounded = np.append(nonnegative, False)
    ridge = np.append(np.full(columns.shape[1], penalty), 0)

    def loss(at: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        logits = (scaled @ at[:-1].astype(np.float32)).astype(np.float64) + at[-1]
        losses = np.logaddexp(0, logits) - related * logits
        return float((share * losses).sum() + (ridge * at * at).sum() / 2), logits

    value, logits = loss(solution)
    for _ in range(ITERATIONS):
        chance = 1 / (1 + np.exp(-logits))
        gradient = _with_bias(scaled, share * (chance - related)) + ridge * solution
        hessian = _gram(scaled, share * chance * (1 - chance)) + np.diag(ridge + 1e-12)
        step = _bounded_step(hessian, gradient, solution, bounded)
        size, trial = 1.0, value
        while size > 1e-4:
            trial, logits = loss(solution + size * step)
            if trial <= value:
                break
            size /= 2
        solution = solution + size * step
        if value - trial < TOLERANCE * abs(value):
            break
        value = trial
    coefficients = solution[:-1] / scale
    return coefficients, float(solution[-1] - coefficients @ center)


def _with_bias(scaled: NDArray[np.float32], values: NDArray[np.float64]) -> NDArray[np.float64]:
    products = (scaled.T @ values.astype(np.float32)).astype(np.float64)
    return np.append(products, values.sum())


def _gram(scaled: NDArray[np.float32], curvature: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted Gram matrix of the columns and a column of ones, summed block by block."""
    size = scaled.shape[1] + 1
    gram = np.zeros((size, size))
    for at in range(0, len(scaled), 65_536):
        block, heavy = scaled[at : at + 65_536], curvature[at : at + 65_536]
        root = np.sqrt(heavy).astype(np.float32)[:, None]
        weighted = np.hstack([block * root, root])
        gram += weighted.T @ weighted
    return gram


@compiled
def _bounded_step(
    hessian: NDArray[np.float64],
    gradient: NDArray[np.float64],
    solution: NDArray[np.float64],
    bounded: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """The step to the least of the quadratic model, bounded coefficients kept at 0 or above."""
    step = np.zeros_like(solution)
    slope = gradient.copy()
    lowest = np.where(bounded, -solution, -np.inf)
    for _ in range(2_000):
        largest = 0.0
        for at in range(len(step)):
            moved = max(step[at] - slope[at] / hessian[at, at], lowest[at])
            change = moved - step[at]
            if change != 0.0:
                slope += change * hessian[:, at]
                step[at] = moved
                largest = max(largest, abs(change))
        if largest < 1e-9:
            break
    return step
