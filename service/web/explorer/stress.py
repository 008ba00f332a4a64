"""Where things go in the plane so that their distances are about as wished. Deterministic.

Stress majorization (Gansner, Koren and North 2004), begun from classical scaling (Torgerson 1952).
"""

import numpy as np
from numpy.typing import NDArray

ROUNDS = 200
"""Each makes the stress smaller; thirty things have settled long before."""

_NEAR = 1e-9  # keeps two things in one place from dividing by 0


def stress_layout(
    distances: NDArray[np.float64], importance: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Positions, float64 (n x 2), centred, the wider spread along x.

    distances: wished, n x n, symmetric, above 0 off the diagonal.
    importance: n x n, symmetric, 0 or more: multiplies the weight 1 / distance ** 2 of a pair.
    """
    count = len(distances)
    if count < 2:
        return np.zeros((count, 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        weights = np.where(np.eye(count, dtype=bool), 0.0, importance / distances**2)
    laplacian = np.diag(weights.sum(axis=1)) - weights
    inverse = np.linalg.pinv(laplacian)
    positions = _classical(distances)
    for _ in range(ROUNDS):
        apart = np.maximum(_apart(positions), _NEAR)
        pull = -weights * distances / apart
        np.fill_diagonal(pull, 0.0)
        np.fill_diagonal(pull, -pull.sum(axis=1))
        positions = inverse @ (pull @ positions)
    return _upright(positions)


def stress(
    positions: NDArray[np.float64],
    distances: NDArray[np.float64],
    importance: NDArray[np.float64],
) -> float:
    """What the layout makes small: the weighted squared errors of all pairs."""
    above = np.triu_indices(len(distances), 1)
    wished, found = distances[above], _apart(positions)[above]
    return float(np.sum(importance[above] * (found - wished) ** 2 / wished**2))


def _apart(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distances of all pairs, n x n."""
    difference = positions[:, None] - positions[None]
    apart: NDArray[np.float64] = np.sqrt((difference**2).sum(axis=2))
    return apart


def _classical(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The plane that holds most of the distances; equal things are set a little apart."""
    count = len(distances)
    centring = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-centring @ distances**2 @ centring / 2)
    plane = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], _NEAR))
    turns = np.arange(count) * 2.399963  # the golden angle: no two in one direction
    apart = 1e-3 * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    laid_out: NDArray[np.float64] = plane + apart
    return laid_out


def _upright(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turned to the principal axes, and mirrored so that the second thing is right of the first
    and above it: the plane has no other right side up."""
    centred = positions - positions.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    turned = centred @ axes.T
    way = turned[1] - turned[0]
    upright: NDArray[np.float64] = turned * np.where(way * [1, -1] < 0, -1.0, 1.0)
    return upright
