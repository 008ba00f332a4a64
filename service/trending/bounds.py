"""How much one origin may add to one paper. Pure numpy."""

import numpy as np
from numpy.typing import NDArray

SHARE = 0.02
"""The share of a paper's score that one origin may have, where the score is large enough."""

ORIGIN_READERS = 20
"""So many readers of one origin count fully on one paper, or `SHARE` of the paper's readers."""

FLOOD_POWER = 4
"""Readers who are n times as many as may count each count n to the minus this: a flood adds less
than a few do. At 3 a thousand readers still moved a paper by 53 ranks where scores are dense."""


def bounded(
    place: NDArray[np.int64],
    origin: NDArray[np.uint64],
    reader: NDArray[np.int64],
    worth: NDArray[np.float64],
    floor: float,
) -> NDArray[np.float64]:
    """The worth of n events after the bounds on origins, float64 (n).

    place: what they add to, such as a paper; origin; reader: whose they are; worth: above 0.
    floor: what one origin may add where `SHARE` is less than that.

    1. A flood counts less than a few: of r readers of an origin on a place that has R of them (a
       reader counts once an origin there), each counts (max(20, 0.02 R) / r)^4 if that is below 1.
    2. The sum S_o of each origin is cut to c, the largest c with
       c = max(floor, 0.02 * sum over o of min(S_o, c)), and the cut is shared out evenly.
    """
    if not len(place):
        return worth
    origins, number = np.unique(origin, return_inverse=True)
    groups, member = np.unique(place * len(origins) + number, return_inverse=True)
    places, at = np.unique(groups // len(origins), return_inverse=True)
    count = int(reader.max()) + 1
    readers = np.bincount(np.unique(member * count + reader) // count).astype(np.float64)
    all_readers = np.bincount(at, readers)[at]
    allowed = np.maximum(ORIGIN_READERS, SHARE * all_readers)
    damped = worth * (np.minimum(1.0, allowed / readers) ** FLOOD_POWER)[member]
    sums = np.bincount(member, damped).astype(np.float64)
    limit = _limits(at, sums, len(places), floor)[at]
    cut: NDArray[np.float64] = damped * np.minimum(1.0, limit / sums)[member]
    return cut


def counted_readers(
    place: NDArray[np.int64], origin: NDArray[np.uint64], part: NDArray[np.float64], places: int
) -> NDArray[np.int32]:
    """How many readers count at each place, int32 (places): whole ones, of n events.

    place, origin: as above, a reader once an origin there, places below `places`. part: how much of
    each reader the bounds leave, 0 to 1. Of each origin the sum of its parts counts, and one reader
    at least: a lone reader is no crowd.
    """
    if not len(place):
        return np.zeros(places, np.int32)
    order = np.lexsort((origin, place))
    at, where = place[order], origin[order]
    begins = np.flatnonzero(np.append(True, (np.diff(at) != 0) | (where[1:] != where[:-1])))
    heads = np.maximum(1.0, np.add.reduceat(part[order], begins))
    sums = np.bincount(at[begins], heads, minlength=places)
    whole: NDArray[np.int32] = np.floor(sums + 1e-9).astype(np.int32)  # rounding takes none
    return whole


def _limits(
    at: NDArray[np.int64], sums: NDArray[np.float64], places: int, floor: float
) -> NDArray[np.float64]:
    """c of each place. at: the place of each sum, rising.

    With the k largest sums cut and the others whole, c = 0.02 (rest + k c), so
    c = 0.02 rest / (1 - 0.02 k); the smallest k whose next sum is not above c is the right one.
    """
    order = np.lexsort((-sums, at))
    falling = sums[order]
    size = np.bincount(at, minlength=places)
    first = np.cumsum(size) - size
    rest = np.bincount(at, sums, minlength=places)
    limits = np.full(places, floor)
    waiting = np.ones(places, dtype=bool)
    for cut in range(round(1 / SHARE)):
        following = np.where(cut < size, falling[np.minimum(first + cut, len(falling) - 1)], 0.0)
        limit = SHARE * rest / (1 - SHARE * cut)
        found = waiting & (following <= limit)
        limits[found] = np.maximum(limit[found], floor)
        waiting &= ~found
        if not waiting.any():
            break
        rest = np.maximum(rest - following, 0.0)
    return limits
