"""The map of a paper's neighbourhood: its related papers, drawn near to what they are near to."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from models.artifact import Artifact
from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.recommendation_service_pb2 import RelatedPaper, ResultSource
from service.web.api import Api
from service.web.explorer import related
from service.web.explorer.neighborhood import (
    FONT,
    LARGEST,
    LINE,
    SMALLEST,
    Edge,
    Neighborhood,
    Node,
    neighborhood,
)
from service.web.explorer.spellings import asked_for
from service.web.explorer.why import SOURCES, Why
from service.web.pages import page

SIZE = 30
"""How many related papers a map holds; labels stay readable so far."""

SHADES = 5
"""Steps of colour from the oldest to the newest paper of a map."""

_KEPT = 256
_THIN, _THICK = 1.0, 6.0  # lines between papers that one paper cites together, and that most do


class Place(NamedTuple):
    """A paper on the map. number: 0 for the paper in the middle, which is no result; else its place
    in the list.

    shade: 1 (the oldest) to SHADES; 0 where the year is unknown.
    """

    number: int
    paper: Paper
    result: RelatedPaper | None
    reason: Why | None
    node: Node
    shade: int
    citations: int

    @property
    def label_top(self) -> float:
        """The baseline of the label's first line."""
        return self.node.y + self.node.radius + FONT + 2


class Line(NamedTuple):
    """An edge between two places. wide: of the line."""

    one: Place
    other: Place
    together: int
    wide: float


class Map(NamedTuple):
    """What the template draws. first_year, last_year: None where no year is known."""

    drawing: Neighborhood
    places: Sequence[Place]
    lines: Sequence[Line]
    first_year: int | None
    last_year: int | None
    most_cited: int

    @property
    def together(self) -> list[Line]:
        """The lines of papers that are cited together, the thickest first."""
        return sorted(
            (line for line in self.lines if line.together),
            key=lambda line: (-line.together, line.one.number, line.other.number),
        )


class MapPage:
    """Answers `/map/{id}`, and `/map?id=...` for an id that no path can hold."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page; every other spelling of the paper's id leads to it."""
        paper, address, own, elsewhere = await asked_for(self._api, request, "map")
        if elsewhere:
            return elsewhere
        listed = await related.listed(self._api, request, address, own, [paper.id], size=SIZE)
        artifact = self._api.catalog.recommender(listed.version).artifact
        shown = [(result, reason) for result, reason in listed.results if _is_related(result)]
        drawn = await run_in_threadpool(_map, artifact, paper, shown)
        return page(
            request,
            "map.html",
            kept_seconds=listed.kept_seconds,
            paper=paper,
            map=drawn,
            related=listed,
            sources=SOURCES,
            font=FONT,
            line=LINE,
            radii=(SMALLEST, LARGEST),
        )


def _is_related(result: RelatedPaper) -> bool:
    return bool(result.source != ResultSource.RESULT_SOURCE_POPULAR_FALLBACK)


def _map(
    artifact: Artifact, paper: Paper, related: Sequence[tuple[RelatedPaper, Why | None]]
) -> Map:
    papers = [paper, *(result.paper for result, _ in related)]
    rows = tuple(row for each in papers if (row := artifact.papers.row(each.id)) is not None)
    drawing = _drawing(artifact, rows)
    years = [each.year for each in papers if each.HasField("year")]
    span = (min(years), max(years)) if years else None
    citations = artifact.papers.citation_count[list(rows)].tolist()
    middle: tuple[RelatedPaper | None, Why | None] = None, None
    places = [
        Place(number, each, *found, node, _shade(each, span), count)
        for number, (each, found, node, count) in enumerate(
            zip(papers, [middle, *related], drawing.nodes, citations, strict=True)
        )
    ]
    return Map(
        drawing,
        places,
        [_line(edge, places, drawing.most_together) for edge in drawing.edges],
        span[0] if span else None,
        span[1] if span else None,
        max(citations),
    )


@lru_cache(maxsize=_KEPT)
def _drawing(artifact: Artifact, rows: tuple[int, ...]) -> Neighborhood:
    """40 ms of work, so drawings are kept."""
    papers = artifact.papers
    titles = [papers.record(row).title or papers.id(row) for row in rows]
    citations = papers.citation_count[list(rows)].tolist()
    return neighborhood(artifact.scorer, rows, titles, citations)


def _line(edge: Edge, places: Sequence[Place], most: int) -> Line:
    share = float(np.sqrt(edge.together / most)) if edge.together else 0.0
    wide = round(_THIN + (_THICK - _THIN) * share, 1)
    return Line(places[edge.one], places[edge.other], edge.together, wide)


def _shade(paper: Paper, span: tuple[int, int] | None) -> int:
    if span is None or not paper.HasField("year"):
        return 0
    first, last = span
    return 1 + round((SHADES - 1) * (paper.year - first) / max(last - first, 1))
