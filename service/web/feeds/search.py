"""The feed of a search: what matches it, the newest first."""

from starlette.requests import Request

from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    PaperFilter,
    SearchPapersRequest,
    SearchPapersResponse,
)
from service.urls import url
from service.validation import missing
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.facts import facts
from service.web.feeds.entries import entry
from service.web.feeds.feed import ENTRIES, KEPT_SECONDS, Feed, plain, shortened
from service.web.feeds.ids import feed_urn
from service.web.newest import newest


async def feed(api: Api, request: Request, public_url: str) -> Feed:
    """The newest papers that match a query in every word.

    q: the query. first, last, venue: the filter. Raises ServiceError.
    """
    query = request.query_params
    asked = query.get("q", "").strip()
    wanted = parameters.paper_filter(query)
    if not asked and wanted == PaperFilter():
        raise missing("q", "give words to look for, or years or venues")

    async def search(within: PaperFilter) -> SearchPapersResponse:
        message = SearchPapersRequest(
            query=asked, filter=within, view=PaperView.PAPER_VIEW_FULL, page_size=ENTRIES
        )
        found: SearchPapersResponse = await api.call("RecommendationService", message, request)
        return found

    known = facts(api.catalog.serving.artifact)
    found = await newest(search, wanted, (known.first_year, known.last_year))
    own = parameters.kept(query, "q", *parameters.FILTER)
    page = url("/search", **own)
    return Feed(
        id=feed_urn(page, public_url),
        title=f"New papers: {_named(asked, wanted)}",
        subtitle="Papers that match this search in every word, the newest first.",
        list="search",
        query=url("", **own),
        page=page,
        entries=[entry(each.paper, public_url, source="search") for each in found[:ENTRIES]],
        updated_ms=api.catalog.written_ms,
        modified_ms=api.catalog.written_ms,
        kept_seconds=KEPT_SECONDS,
    )


def _named(query: str, wanted: PaperFilter) -> str:
    """A search in words."""
    first = str(wanted.first_year) if wanted.HasField("first_year") else ""
    last = str(wanted.last_year) if wanted.HasField("last_year") else ""
    years = first if first == last else f"{first}–{last}"
    return shortened(plain(", ".join(filter(None, [query, years, *wanted.venues]))))
