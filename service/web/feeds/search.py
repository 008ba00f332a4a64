"""The feed of a search: what matches it, the newest first."""

from collections.abc import Iterator, Sequence

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
    found = await _Newest(api, request, asked, wanted).find()
    papers = sorted(found, key=lambda paper: -paper.year)[:ENTRIES]  # 0 where unknown
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


class _Newest:
    """Finds the newest papers that match a search, which itself lists the best first."""

    def __init__(self, api: Api, request: Request, query: str, wanted: PaperFilter) -> None:
        self._api = api
        self._request = request
        self._query = query
        self._wanted = wanted

    async def find(self) -> Sequence[Paper]:
        """At least as many as a feed holds, if so many match, and among them the newest."""
        wanted, known = self._wanted, facts(self._api.catalog.serving.artifact)
        found = await self._search(wanted)
        best = [result.paper for result in found.results]
        if found.total <= len(best):
            return best
        first = max(wanted.first_year, known.first_year)  # 0 where there is no bound
        last = min(wanted.last_year or known.last_year, known.last_year)
        newest: list[Paper] = []
        for span in spans(first, last):
            newest += await self._of_years(*span)
            if len(newest) >= ENTRIES:
                return newest
        return [*newest, *(paper for paper in best if not paper.HasField("year"))]

    async def _of_years(self, first: int, last: int) -> Sequence[Paper]:
        """Likewise of these years: all if they fit one feed, else the newer half before the older.
        Of a single year the best."""
        years = PaperFilter(venues=self._wanted.venues, first_year=first, last_year=last)
        found = await self._search(years)
        if found.total <= len(found.results) or first == last:
            return [result.paper for result in found.results]
        middle = (first + last) // 2
        newer = await self._of_years(middle + 1, last)
        if len(newer) >= ENTRIES:
            return newer
        return [*newer, *await self._of_years(first, middle)]

    async def _search(self, wanted: PaperFilter) -> SearchPapersResponse:
        """The best matches; none where no paper has every word, which the feed waits for."""
        message = SearchPapersRequest(
            query=self._query,
            filter=wanted,
            view=PaperView.PAPER_VIEW_FULL,
            page_size=ENTRIES,
        )
        found: SearchPapersResponse = await self._api.call(
            "RecommendationService", message, self._request
        )
        return SearchPapersResponse() if found.relaxed else found


def spans(first: int, last: int) -> Iterator[tuple[int, int]]:
    """All years from `last` back to `first` in spans of 1, 2, 4, ... years: most searches have
    papers enough in the first."""
    length = 1
    while last >= first:
        begin = max(last - length + 1, first)
        yield begin, last
        last, length = begin - 1, 2 * length


def _named(query: str, wanted: PaperFilter) -> str:
    """A search in words."""
    first = str(wanted.first_year) if wanted.HasField("first_year") else ""
    last = str(wanted.last_year) if wanted.HasField("last_year") else ""
    years = first if first == last else f"{first}–{last}"
    return shortened(plain(", ".join(filter(None, [query, years, *wanted.venues]))))
