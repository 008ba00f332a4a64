"""Plots of a model's own figures: where their marks go. The templates draw them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

SIDE = 400.0
"""The width and height of the square plot, without its axes."""

SMALLEST, LARGEST = 3.0, 11.0
"""Radii of the points."""

_Z = 1.959964  # 95 % of a normal distribution lie within so many deviations


class Point(NamedTuple):
    """A bin of the reliability diagram.

    low, high: the scores of the bin. pairs: how many it holds. score: their mean score. related:
    the share of them that proved related. least, most: its 95 % interval (Wilson 1927), as if pairs
    were independent. x, y, radius, top, bottom: where all that is drawn.
    """

    low: float
    high: float
    pairs: int
    score: float
    related: float
    least: float
    most: float
    x: float
    y: float
    radius: float
    top: float
    bottom: float


def reliability(bins: Sequence[Mapping[str, Any]]) -> list[Point]:
    """The points of a manifest's reliability table, by rising score."""
    fullest = max((math.log1p(each["pairs"]) for each in bins), default=1.0)
    points = []
    for each in sorted(bins, key=lambda each: float(each["from"])):
        pairs, related, score = int(each["pairs"]), each["related"], each["mean_score"]
        least, most = wilson(related, pairs)
        share = math.log1p(pairs) / fullest
        points.append(
            Point(
                low=each["from"],
                high=min(each["from"] + 0.1, 1.0),
                pairs=pairs,
                score=score,
                related=related,
                least=least,
                most=most,
                x=_across(score),
                y=_up(related),
                radius=round(SMALLEST + (LARGEST - SMALLEST) * share, 1),
                top=_up(most),
                bottom=_up(least),
            )
        )
    return points


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share that was seen in so many trials."""
    if not count:
        return 0.0, 1.0
    square = _Z**2 / count
    middle = (share + square / 2) / (1 + square)
    reach = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def _across(value: float) -> float:
    return round(SIDE * value, 1)


def _up(value: float) -> float:
    return round(SIDE * (1 - value), 1)


class Weight(NamedTuple):
    """A term of the blend. parts: its weights, by what they multiply; total: what a chart shows.

    x, width: of its bar, in a chart that is 100 wide; `zero` is where 0 is.
    """

    term: str
    name: str
    parts: Sequence[float]
    total: float
    x: float
    width: float


class Weights(NamedTuple):
    """Weights that compare, and where 0 is in their chart."""

    rows: Sequence[Weight]
    zero: float


def weights(rows: Sequence[tuple[str, str, Sequence[float], float]]) -> Weights:
    """Bars for (term, name, parts, total), all on one scale that just holds them."""
    totals = [total for *_, total in rows]
    low, high = min([0.0, *totals]), max([0.0, *totals])
    unit = 100.0 / ((high - low) or 1.0)
    zero = -low * unit
    bars = [
        Weight(
            term,
            name,
            parts,
            total,
            round(zero + min(total, 0.0) * unit, 2),
            round(abs(total) * unit, 2),
        )
        for term, name, parts, total in rows
    ]
    return Weights(bars, round(zero, 2))
