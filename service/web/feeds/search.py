"""The feed of a search: what matches it, the newest first."""

from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request

from relatedpapers.v1.paper_pb2 import Paper, PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    PaperFilter,
    SearchPapersRequest,
    SearchPapersResponse,
)
from service.validation import missing
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.facts import facts
from service.web.feeds.entries import entry
from service.web.feeds.feed import ENTRIES, KEPT_SECONDS, Feed, plain, shortened
from service.web.feeds.ids import feed_urn
from service.web.links import url


async def feed(api: Api, request: Request, public_url: str) -> Feed:
    """The newest papers that match a query in every word.

    q: the query. first, last, venue: the filter. Raises ServiceError.
    """
    query = request.query_params
    asked = query.get("q", "").strip()
    wanted = parameters.paper_filter(query)
    if not asked and wanted == PaperFilter():
        raise missing("q", "give words to look for, or years or venues")
    matching = [paper async for paper in _newest(api, request, asked, wanted)]
    papers = sorted(matching, key=lambda paper: -paper.year)[:ENTRIES]  # 0 where unknown
    own = parameters.kept(query, "q", *parameters.FILTER)
    page = url("/search", **own)
    return Feed(
        id=feed_urn(page, public_url),
        title=f"New papers: {_named(asked, wanted)}",
        subtitle="Papers that match this search in every word, the newest first.",
        list="search",
        query=url("", **own),
        page=page,
        entries=[entry(paper, public_url, source="search") for paper in papers],
        updated_ms=api.catalog.written_ms,
        modified_ms=api.catalog.written_ms,
        kept_seconds=KEPT_SECONDS,
    )


async def _newest(
    api: Api, request: Request, query: str, wanted: PaperFilter
) -> AsyncIterator[Paper]:
    """At least as many papers as a feed holds, if so many match, and among them the newest.

    A search lists the best first, so it is asked for the newest years alone, then for those before.
    """
    found = await _search(api, request, query, wanted)
    if found.total <= ENTRIES:
        for result in found.results:
            yield result.paper
        return
    known = facts(api.catalog.serving.artifact)
    first = wanted.first_year if wanted.HasField("first_year") else known.first_year
    last = wanted.last_year if wanted.HasField("last_year") else known.last_year
    count = 0
    for begin, end in spans(max(first, known.first_year), min(last, known.last_year)):
        years = PaperFilter(venues=wanted.venues, first_year=begin, last_year=end)
        for result in (await _search(api, request, query, years)).results:
            yield result.paper
            count += 1
        if count >= ENTRIES:
            return
    for result in found.results:  # some have no year
        if not result.paper.HasField("year"):
            yield result.paper


def spans(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The years from `last` back to `first` in spans of 1, 2, 4, ... years, the newest first."""
    length = 1
    while last >= first:
        begin = max(last - length + 1, first)
        yield begin, last
        last, length = begin - 1, 2 * length


async def _search(
    api: Api, request: Request, query: str, wanted: PaperFilter
) -> SearchPapersResponse:
    """The best matches; none where no paper has every word, which the feed waits for."""
    found: SearchPapersResponse = await api.call(
        "RecommendationService",
        SearchPapersRequest(
            query=query, filter=wanted, view=PaperView.PAPER_VIEW_FULL, page_size=ENTRIES
        ),
        request,
    )
    return SearchPapersResponse() if found.relaxed else found


def _named(query: str, wanted: PaperFilter) -> str:
    """A search in words."""
    first = str(wanted.first_year) if wanted.HasField("first_year") else ""
    last = str(wanted.last_year) if wanted.HasField("last_year") else ""
    years = first if first == last else f"{first}–{last}"
    return shortened(plain(", ".join(filter(None, [query, years, *wanted.venues]))))
