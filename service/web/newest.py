"""Of the papers that a search finds the newest: the search itself lists the best first."""

from collections.abc import Awaitable, Callable, Iterator

from relatedpapers.v1.recommendation_service_pb2 import (
    PaperFilter,
    SearchPapersResponse,
    SearchResult,
)

Search = Callable[[PaperFilter], Awaitable[SearchPapersResponse]]
"""Asks for the first page of one query, filtered."""


async def newest(search: Search, wanted: PaperFilter, years: tuple[int, int]) -> list[SearchResult]:
    """About a page of papers that match in every word, the newest first; those of unknown year come
    last, and within a year the best match first.

    search: its view says at least years. wanted: a filter besides. years: the first and the last
    that papers have.
    """
    return sorted(
        await _Newest(search, wanted, years).find(), key=lambda result: -result.paper.year
    )


class _Newest:
    def __init__(self, search: Search, wanted: PaperFilter, years: tuple[int, int]) -> None:
        self._search = search
        self._wanted = wanted
        self._years = years
        self._page = 0

    async def find(self) -> list[SearchResult]:
        """At least a page, if so many match, and among them the newest."""
        best = await self._matches(self._wanted)
        if self._all(best):
            return list(best.results)
        self._page = len(best.results)
        first = max(self._wanted.first_year, self._years[0])  # 0 where there is no bound
        last = min(self._wanted.last_year or self._years[1], self._years[1])
        found: list[SearchResult] = []
        for span in spans(first, last):
            found += await self._of_years(*span)
            if len(found) >= self._page:
                return found
        return [*found, *(each for each in best.results if not each.paper.HasField("year"))]

    async def _of_years(self, first: int, last: int) -> list[SearchResult]:
        """Likewise of these years: all if they fit a page, else the newer half before the older. Of
        a single year the best."""
        years = PaperFilter(venues=self._wanted.venues, first_year=first, last_year=last)
        matches = await self._matches(years)
        if self._all(matches) or first == last:
            return list(matches.results)
        middle = (first + last) // 2
        newer = await self._of_years(middle + 1, last)
        if len(newer) >= self._page:
            return newer
        return [*newer, *await self._of_years(first, middle)]

    async def _matches(self, wanted: PaperFilter) -> SearchPapersResponse:
        """The best matches; none where no paper has every word."""
        found = await self._search(wanted)
        return SearchPapersResponse() if found.relaxed else found

    def _all(self, found: SearchPapersResponse) -> bool:
        return found.total <= len(found.results)


def spans(first: int, last: int) -> Iterator[tuple[int, int]]:
    """All years from `last` back to `first` in spans of 1, 2, 4, ... years: most searches have
    papers enough in the first."""
    length = 1
    while last >= first:
        begin = max(last - length + 1, first)
        yield begin, last
        last, length = begin - 1, 2 * length
