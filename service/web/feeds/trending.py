"""The feed of trending papers."""

from starlette.requests import Request

from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    ListTrendingPapersRequest,
    ListTrendingPapersResponse,
    ResultSource,
    TrendingPaper,
)
from service.times import DAY_MS
from service.urls import url
from service.web import trends
from service.web.api import Api
from service.web.explorer import parameters
from service.web.feeds.entries import entry
from service.web.feeds.feed import ENTRIES, Entry, Feed
from service.web.feeds.ids import feed_urn

_KEPT_SECONDS = 300
_CHOSEN = "What readers choose, whatever they were shown: saved, read, cited, shared or opened."
_FALLBACK = "Too few readers chose papers lately: recent papers by how fast they gather citations."


async def feed(api: Api, request: Request, public_url: str) -> Feed:
    """The papers that trend in a window.

    window: its name; absent, the default. first, last, venue: the filter. Raises ServiceError.
    """
    query = request.query_params
    answer: ListTrendingPapersResponse = await api.call(
        "RecommendationService",
        ListTrendingPapersRequest(
            window=query.get("window", ""),
            filter=parameters.paper_filter(query),
            view=PaperView.PAPER_VIEW_FULL,
            page_size=ENTRIES,
        ),
        request,
    )
    own = {"window": answer.window, **parameters.kept(query, *parameters.FILTER)}
    page = url("/trending", **own)
    as_of_ms = answer.as_of.ToMilliseconds() if answer.HasField("as_of") else 0
    return Feed(
        id=feed_urn(page, public_url),
        title=f"Trending papers {trends.span(answer.window)}",
        subtitle=_CHOSEN if any(map(_chosen, answer.results)) else _FALLBACK,
        list="trending",
        query=url("", **own),
        page=page,
        entries=[_entry(each, answer.window, public_url) for each in answer.results],
        updated_ms=max(as_of_ms, api.catalog.written_ms),
        modified_ms=max(as_of_ms, api.catalog.written_ms),
        kept_seconds=_KEPT_SECONDS,
    )


def _chosen(result: TrendingPaper) -> bool:
    return result.source == ResultSource.RESULT_SOURCE_TRENDING


def _entry(result: TrendingPaper, window: str, public_url: str) -> Entry:
    why = trends.why(result, window)
    if not _chosen(result):
        return entry(result.paper, public_url, why, source="popular_fallback")
    # By the day: programs take an entry that changed for news, and readers choose all the time.
    chosen_ms = result.last_chosen_time.ToMilliseconds()
    day_ms = chosen_ms - chosen_ms % DAY_MS
    readers = {each.event_type: each.counted_readers for each in result.reasons}
    return entry(
        result.paper, public_url, why, updated_ms=day_ms, source="trending", readers=readers
    )
