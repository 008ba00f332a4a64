"""RecommendationService: validate, ask the recommender, fill the message."""

import asyncio
import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from models.first_pages import POPULARITY, SIZE
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.status_pb2 import ItemStatus
from service import evidence, messages, pages, requests, tokens, validation
from service.access import Access
from service.adjustments import Adjustments, CoReadSeed, ReaderTaste, co_read_seeds
from service.api_keys import Scope
from service.background import Background
from service.cache import AnswerCache, Policy
from service.catalog import Catalog
from service.errors import ServiceError
from service.keys import cache_key
from service.lists import MAX_SHOWN, Wanted
from service.readers import Readers
from service.recommend_papers import ReaderRecommendations
from service.recommender import NEAREST, Recommender
from service.repeated import RepeatedLists
from service.search import Search
from service.secrets import SigningKeys
from service.trending.handler import TrendingPapers

METHOD = "ListRelatedPapers"
POLICY = Policy(ttl_seconds=3600.0, shared=True)
"""For lists that have to be computed; one that training stored costs less than asking Redis."""

_BASIC = PaperView.PAPER_VIEW_BASIC


class Page(NamedTuple):
    """Which part of a list to show, and how.

    digest: of the request that made the list, without what may differ from page to page.
    offset: how many results come before it.
    shown: of a list that changes while it is read, the rows that come before; else None.
    """

    digest: bytes
    offset: int
    size: int
    view: int
    evidence: bool
    shown: tuple[int, ...] | None = None

    def identity(self) -> bytes:
        """Equal for equal pages, and for those alone."""
        shown = b"" if self.shown is None else array("i", self.shown).tobytes()
        return (
            self.digest
            + struct.pack(">IIB?", self.offset, self.size, self.view, self.evidence)
            + shown
        )


class RecommendationHandlers:
    """The methods of RecommendationService."""

    def __init__(
        self,
        catalog: Catalog,
        keys: SigningKeys,
        background: Background,
        cache: AnswerCache,
        access: Access,
        readers: Readers,
        trending: TrendingPapers,
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._background = background
        self._cache = cache
        self._access = access
        self._readers = readers
        self._repeated = RepeatedLists(catalog, readers, cache)
        self.recommend_papers = ReaderRecommendations(
            catalog, keys, access, readers, background
        ).recommend_papers
        self.list_trending_papers = trending.list_trending_papers
        self.search_papers = Search(catalog, keys, background, cache).search_papers

    async def list_related_papers(self, request: pb.ListRelatedPapersRequest) -> bytes:
        """A page of the papers that are related to the seeds, a ListRelatedPapersResponse."""
        asked = request.SerializeToString()
        if (kept := self._repeated.find(asked)) is not None:
            return kept
        size = validation.page_size(request.page_size)
        view = validation.view(request.view, _BASIC)
        include_evidence = request.include_evidence
        begin = self._begin(request)
        recommender = await self._recommender(begin)
        wanted, unknown = requests.related(request, recommender.artifact.papers)
        if isinstance(begin, tokens.Position):
            page = Page(begin.digest, begin.offset, size, view, include_evidence)
        else:
            shown = await pages.rows_now(begin, self._catalog, self._background)
            page = Page(begin.digest, len(shown), size, view, include_evidence, shown)
        changing = page.shown is not None or (
            page.offset == 0 and recommender is self._catalog.serving
        )
        seeds = tuple(co_read_seeds(wanted, self._readers.items)) if changing else ()
        if request.reader_id or request.exclude_seen:
            answer = await self._personal(request, recommender, wanted, page, seeds)
        elif seeds or page.shown is not None:
            answer = await self._changing(recommender, wanted, page, seeds)
        elif _is_ready_made(wanted, page):
            answer = self._answer(recommender, wanted, page)
            if recommender is self._catalog.serving and not unknown:
                self._repeated.keep(asked, wanted.seeds[0], answer)
        else:
            answer = await self._computed(recommender, wanted, page)
        if unknown:  # another request for the same list may name others: they are not kept with it
            answer += pb.ListRelatedPapersResponse(unknown_paper_ids=unknown).SerializeToString()
        return answer

    async def batch_list_related_papers(
        self, request: pb.BatchListRelatedPapersRequest
    ) -> pb.BatchListRelatedPapersResponse:
        """A list, or the reason why there is none, for each request."""
        if not request.requests:
            raise validation.missing("requests", "give at least one request")
        validation.at_most("requests", request.requests, validation.MAX_BATCH)
        response = pb.BatchListRelatedPapersResponse()
        for item in request.requests:
            result = response.results.add(status=ItemStatus())
            try:
                result.response.MergeFromString(await self.list_related_papers(item))
            except ServiceError as error:
                result.status.CopyFrom(messages.item_status(error))
            await asyncio.sleep(0)  # others' turn, and time to learn that the caller has gone
        return response

    async def _recommender(self, begin: tokens.Position | pages.Shown) -> Recommender:
        """The model of the first page; of a list that changes, the one that serves now."""
        serving = self._catalog.serving
        if isinstance(begin, pages.Shown) or begin.model_version == serving.artifact.version:
            return serving
        return await self._background.run(self._catalog.recommender, begin.model_version)

    def _begin(self, request: pb.ListRelatedPapersRequest) -> tokens.Position | pages.Shown:
        """Where the page begins: the first one, or what its token says.

        Leaves in the request what makes the list, and takes out what belongs to the page.
        """
        page_token = request.page_token
        digest = tokens.digest(METHOD, request)
        if not page_token:
            return tokens.Position(0, digest, self._catalog.serving.artifact.version)
        return pages.resume_either(self._keys, page_token, digest)

    async def _computed(
        self, recommender: Recommender, wanted: Wanted, page: Page, state: bytes = b""
    ) -> bytes:
        """The answer out of the cache, or computed beside the event loop.

        state: what it depends on besides model and request.
        """

        async def compute() -> bytes:
            return await self._background.run(self._answer, recommender, wanted, page)

        key = cache_key(recommender.artifact.version, METHOD, page.identity() + state)
        return await self._cache.get_or_compute(key, POLICY, compute)

    async def _changing(
        self,
        recommender: Recommender,
        wanted: Wanted,
        page: Page,
        seeds: tuple[CoReadSeed, ...],
    ) -> bytes:
        """A page of a list that follows what readers read together."""
        wanted, page = _following(recommender, wanted, page, seeds, None, ())
        state = b"".join(seed.co_read.identity for seed in seeds)
        return await self._computed(recommender, wanted, page, state)

    async def _personal(
        self,
        request: pb.ListRelatedPapersRequest,
        recommender: Recommender,
        wanted: Wanted,
        page: Page,
        seeds: tuple[CoReadSeed, ...],
    ) -> bytes:
        """A page for one reader, who is asked for each time: it is kept for nobody."""
        self._access.require(Scope.READ)
        expected = "`exclude_seen` needs the id of the reader"
        reader = await self._readers.reader(
            validation.name("reader_id", request.reader_id, expected)
        )
        taste = None
        if reader.standing is not None and reader.live is not None:
            scorer = (await self._readers.lists()).scorer
            taste = ReaderTaste(scorer, reader.standing.taste, reader.live)
        left_out = [
            row for row, weight in reader.library.items() if weight < 0 or request.exclude_seen
        ]
        wanted, page = _following(recommender, wanted, page, seeds, taste, left_out)
        answer = await self._background.run(self._answer, recommender, wanted, page)
        revision = pb.ListRelatedPapersResponse(reader_revision=reader.history.revision)
        return answer + revision.SerializeToString()

    def _answer(self, recommender: Recommender, wanted: Wanted, page: Page) -> bytes:
        artifact = recommender.artifact
        here = tokens.Position(page.offset, page.digest, artifact.version)
        response = pb.ListRelatedPapersResponse(
            model_version=artifact.version,
            attribution_token=tokens.sign(self._keys, tokens.ATTRIBUTION, here),
        )
        if _is_laid_out(wanted, page) and (laid_out := artifact.first_pages[wanted.seeds[0]]):
            response.next_page_token = self._next(page, artifact.version)
            return response.SerializeToString() + laid_out
        offset, size = page.offset, page.size
        if page.shown is not None:  # the filter leaves out what was shown
            offset, size = 0, min(page.size, MAX_SHOWN - page.offset)
        results = recommender.related(wanted, offset, size)
        if results.more:
            response.next_page_token = self._next(page, artifact.version, results.rows)
        explained = evidence.explain(recommender, wanted, results) if page.evidence else ()
        listed = messages.serialized_results(artifact.papers, results, page.view, explained)
        return response.SerializeToString() + listed

    def _next(self, page: Page, version: str, rows: Sequence[int] = ()) -> str:
        """The token of the page after one that shows these rows; empty at the list's bound."""
        if page.shown is None:
            after = tokens.Position(page.offset + page.size, page.digest, version)
            return pages.next_page(self._keys, after)
        shown = (*page.shown, *rows)
        if len(shown) >= MAX_SHOWN:
            return ""
        return pages.next_page_after(self._keys, pages.Shown(page.digest, version, shown))


def _following(
    recommender: Recommender,
    wanted: Wanted,
    page: Page,
    seeds: tuple[CoReadSeed, ...],
    taste: ReaderTaste | None,
    left_out: Iterable[int],
) -> tuple[Wanted, Page]:
    """A request for a page as one for the beginning of the list without what was shown."""
    shown = page.shown or ()
    adjustment = Adjustments(recommender.artifact, seeds, taste) if seeds or taste else None
    excluded = (*wanted.filter.excluded, *shown, *left_out)
    filtered = replace(wanted.filter, excluded=excluded)
    wanted = replace(wanted, filter=filtered, adjustment=adjustment)
    return wanted, page._replace(shown=shown)


def _is_laid_out(wanted: Wanted, page: Page) -> bool:
    """Whether training may have laid the page out: it is the first, and no option is set."""
    first = page.offset == 0 and page.size == SIZE and page.view == _BASIC and not page.evidence
    return first and page.shown is None and wanted.plain and wanted.popularity == POPULARITY


def _is_ready_made(wanted: Wanted, page: Page) -> bool:
    """Whether the page is so surely a part of the stored list that it needs no other thread."""
    return wanted.plain and not page.evidence and 2 * (page.offset + page.size) <= NEAREST
