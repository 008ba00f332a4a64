"""Maximal marginal relevance: a list whose papers differ from each other."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def maximal_marginal_relevance(
    relevance: NDArray[np.floating],
    similarity: Callable[[int], NDArray[np.floating]],
    weight: float,
    count: int,
) -> NDArray[np.intp]:
    """The first `count` candidates in the order of Carbonell and Goldstein (SIGIR 1998).

    Each step takes the candidate with the largest
    `(1 - weight) * relevance - weight * (largest similarity to one already taken)`;
    of equals, the first. A larger count takes the same candidates and then more.

    relevance: n candidates, best first.
    similarity: of one candidate, by index, to all n; on the scale of relevance.
    weight: 0 keeps the order of relevance, 1 looks at similarity alone (after the first).

    Returns: indexes of candidates, int[min(count, n)].
    """
    own = (1.0 - weight) * relevance.astype(np.float64)
    nearest = np.zeros(len(own))
    order = np.empty(min(count, len(own)), dtype=np.intp)
    for place in range(len(order)):
        taken = int(np.argmax(own - weight * nearest))
        order[place] = taken
        own[taken] = -np.inf
        np.maximum(nearest, similarity(taken), out=nearest)
    return order
