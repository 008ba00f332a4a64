"""The room of trending papers: what readers choose at present, and who did what with it."""

from collections.abc import Mapping, Sequence
from datetime import UTC
from types import MappingProxyType
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from relatedpapers.v1.recommendation_service_pb2 import (
    ListTrendingPapersRequest,
    ListTrendingPapersResponse,
    PaperFilter,
    ResultSource,
    TrendingPaper,
)
from service.urls import url
from service.web import trends
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.facts import facts
from service.web.explorer.why import Bar
from service.web.pages import page

_SIZE = 20
_KEPT_SECONDS = 60

_TABS: Mapping[str, str] = MappingProxyType(
    {"day": "Today", "week": "This week", "month": "This month"}
)
"""What the tabs of the usual windows say; others say their names."""


class Tab(NamedTuple):
    """A window that one may choose."""

    name: str
    address: str
    current: bool


class Chosen(NamedTuple):
    """A paper that readers chose. words: who did what. bars: what each type of event adds."""

    result: TrendingPaper
    words: str
    bars: Sequence[Bar]


class TrendingPage:
    """Answers `/trending`.

    window: the name of one. first, last, venue: the filter. after: the token of a later page, and
    begin: the number of its first result.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page."""
        query = request.query_params
        wanted = ListTrendingPapersRequest(
            window=query.get("window", ""),
            filter=parameters.paper_filter(query),
            page_size=_SIZE,
            page_token=query.get("after", ""),
        )
        begin = parameters.place(query, "begin")
        answer: ListTrendingPapersResponse = await self._api.call(
            "RecommendationService", wanted, request
        )
        same = {"window": answer.window, **parameters.kept(query, *parameters.FILTER)}
        after = answer.next_page_token
        listed = chosen(answer)
        return page(
            request,
            "trending.html",
            kept_seconds=_KEPT_SECONDS,
            window=answer.window,
            span=trends.span(answer.window),
            tabs=self._tabs(request, answer.window),
            as_of=answer.as_of.ToDatetime(UTC) if answer.HasField("as_of") else None,
            chosen=listed,
            others=[each.paper for each in answer.results[len(listed) :]],
            begin=begin,
            first_url=url("/trending", **same) if begin > 1 else None,
            next_url=url("/trending", **same, after=after, begin=begin + _SIZE) if after else None,
            reset_url=url("/trending", window=answer.window),
            filtered=wanted.filter != PaperFilter(),
            feed=url("", **same),
            venues=facts(self._api.catalog.serving.artifact).venues,
            readers=trends.readers,
            deed=trends.deed,
        )

    def _tabs(self, request: Request, window: str) -> list[Tab]:
        """The windows, the shortest first; a filter stays."""
        same = parameters.kept(request.query_params, *parameters.FILTER)
        names = sorted(self._api.windows, key=lambda name: self._api.windows[name])
        return [
            Tab(_TABS.get(name, name), url("/trending", window=name, **same), name == window)
            for name in names
        ]


def chosen(answer: ListTrendingPapersResponse) -> list[Chosen]:
    """The papers that readers chose, which begin the list; what follows them is its fallback."""
    found = [each for each in answer.results if each.source == ResultSource.RESULT_SOURCE_TRENDING]
    largest = max((each.score for each in found), default=0.0) or 1.0
    return [Chosen(each, trends.chosen(each.reasons), _bars(each, largest)) for each in found]


def _bars(result: TrendingPaper, largest: float) -> list[Bar]:
    """One after the other in a chart that is 100 wide for the largest score of the list."""
    laid: list[Bar] = []
    x = 0.0
    for each in result.reasons:
        width = each.contribution / largest * 100
        laid.append(
            Bar(
                each.event_type,
                trends.deed(each.event_type),
                each.contribution,
                round(x, 2),
                round(width, 2),
            )
        )
        x += width
    return laid
