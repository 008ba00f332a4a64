"""The neighbourhood of a paper as a graph: what is cited together, what is related, and where it
all goes on a drawing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.neighbors import Scorer
from service.web.explorer.labels import bounds, lines, separated, width
from service.web.explorer.stress import stress_layout

TOGETHER_EACH = 3
"""How many of its strongest co-citations each paper brings: all of them would hide each other."""

RELATED_EACH = 2
"""How many of its nearest papers on the map each paper is joined to, where nothing cites both."""

WIDE, FLAT = 1000.0, 0.62
"""The drawing's width, and its height beside that before labels need more."""

FONT, LINE, LABEL, LABEL_LINES = 14.0, 17.0, 156.0, 2
SMALLEST, LARGEST = 6.0, 22.0
"""Radii of papers that nobody and that most cite."""

_GAP, _MARGIN, _AIR = 10.0, 16.0, 4.0
_ROOM = WIDE - 2 * _MARGIN
_UNLISTED = 100  # the place of a paper that a stored list does not have: its length
_CENTRE_COUNTS = 4.0  # what the map is about: how near each paper is to its own


@dataclass(frozen=True)
class Node:
    """A paper on the drawing. `x`, `y`: the centre of its circle; `lines`: its label, below."""

    x: float
    y: float
    radius: float
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Edge:
    """A line between two nodes, by their places. `together`: how many papers cite both; 0 where
    the model alone relates them."""

    one: int
    other: int
    together: int


@dataclass(frozen=True)
class Neighborhood:
    """A drawing of `width` x `height`. Nodes are in the order of the papers; the first is the one
    that the others are related to."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @property
    def most_together(self) -> int:
        """The largest number of papers that cite two of them; 0 if nothing cites any two."""
        return max((edge.together for edge in self.edges), default=0)


def neighborhood(
    scorer: Scorer, rows: Sequence[int], titles: Sequence[str], citations: Sequence[int]
) -> Neighborhood:
    """Draw a paper, whose row comes first, and its related papers, the nearest first.

    titles, citations: beside the rows. Equal arguments give equal drawings.
    """
    together = co_citations(scorer, rows)
    places = list_places(scorer, rows)
    edges = _edges(together, places)
    distances, importance = _wishes(together, places)
    radii = _radii(citations)
    labels = [tuple(lines(title, FONT, LABEL, LABEL_LINES)) for title in titles]
    sizes = np.array([_size(radius, label) for radius, label in zip(radii, labels, strict=True)])
    spread = _spread(stress_layout(distances, importance), sizes)
    centres = separated(spread, sizes, _ROOM, _GAP)
    _, top, _, bottom = bounds(centres, sizes)
    nodes = tuple(
        Node(
            round(float(x) + _MARGIN, 1),
            round(float(y - size[1] / 2 - top + radius + _MARGIN), 1),
            round(float(radius), 1),
            label,
        )
        for (x, y), size, radius, label in zip(centres, sizes, radii, labels, strict=True)
    )
    return Neighborhood(WIDE, round(bottom - top + 2 * _MARGIN, 1), nodes, tuple(edges))


def co_citations(scorer: Scorer, rows: Sequence[int]) -> NDArray[np.int64]:
    """How many papers of the corpus cite both of each two, n x n; on the diagonal, how many cite
    the one. Zeros where the corpus does not tell citing from cited papers."""
    if scorer.undirected:
        return np.zeros((len(rows), len(rows)), np.int64)
    citing = scorer.cited_by[list(rows)]
    citing.data = np.ones(len(citing.data), np.int64)
    counts: NDArray[np.int64] = (citing @ citing.T).toarray()
    return counts


def list_places(scorer: Scorer, rows: Sequence[int]) -> NDArray[np.int64]:
    """The place, from 0, of each column's paper in the list that training made for each row's,
    n x n; 100 where it is not in it. The first row has the order of `rows` itself."""
    places = np.full((len(rows), len(rows)), _UNLISTED, np.int64)
    for at, row in enumerate(rows[1:], 1):
        place_of = {each: place for place, each in enumerate(scorer.stored(row).rows.tolist())}
        places[at] = [place_of.get(each, _UNLISTED) for each in rows]
    places[0] = np.arange(-1, len(rows) - 1)
    return places


def _edges(together: NDArray[np.int64], places: NDArray[np.int64]) -> list[Edge]:
    """The strongest co-citations of each paper; then its nearest papers. Thick ones last, so that
    they are drawn on top."""
    count = len(together)
    pairs: dict[tuple[int, int], int] = {}
    for at in range(count):
        others = [other for other in range(count) if other != at]
        cited = sorted(
            (other for other in others if together[at, other]),
            key=lambda other: (-together[at, other], other),
        )
        near = sorted(
            (other for other in others if places[at, other] < _UNLISTED),
            key=lambda other: (places[at, other], other),
        )
        for other in (*cited[:TOGETHER_EACH], *near[:RELATED_EACH]):
            pairs[min(at, other), max(at, other)] = int(together[at, other])
    found = [Edge(one, other, number) for (one, other), number in pairs.items()]
    return sorted(found, key=lambda edge: (edge.together, edge.one, edge.other))


def _wishes(
    together: NDArray[np.int64], places: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """How far apart two papers should be, in (0, 1], and how much that counts: the nearer, the
    higher they stand in each other's lists and the more papers cite both."""
    cited = np.sqrt(np.maximum(np.diag(together), 1))
    cosine = together / cited[:, None] / cited[None]
    place = np.minimum(places, places.T).clip(0)
    distances = (0.35 + 0.65 * np.sqrt(place / _UNLISTED)) * (1 - 0.4 * cosine)
    np.fill_diagonal(distances, 0.0)
    importance = np.ones_like(distances)
    importance[0] = importance[:, 0] = _CENTRE_COUNTS
    return distances, importance


def _radii(citations: Sequence[int]) -> NDArray[np.float64]:
    """The area beside the smallest circle grows with the citations."""
    counts = np.asarray(citations, np.float64)
    share = np.sqrt(counts / max(counts.max(initial=0), 1))
    return np.asarray(SMALLEST + (LARGEST - SMALLEST) * share, np.float64)


def _size(radius: float, label: Sequence[str]) -> tuple[float, float]:
    """Width and height of the box around a circle and its label."""
    wide = max([2 * radius, *(width(line, FONT) for line in label)])
    return wide, 2 * radius + _AIR + LINE * len(label)


def _spread(positions: NDArray[np.float64], sizes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Positions over the whole drawing, each axis by itself."""
    extent = np.maximum(np.ptp(positions, axis=0), 1e-9)
    room = np.array([_ROOM - sizes[:, 0].max(), WIDE * FLAT - sizes[:, 1].max()])
    if len(positions) == 1:
        return np.array([[_ROOM / 2, 0.0]])
    share = (positions - positions.min(axis=0)) / extent
    return np.asarray(share * room + sizes.max(axis=0) / 2, np.float64)
