"""RecommendationService: validate, ask the recommender, fill the message."""

import asyncio
import struct
from dataclasses import dataclass

from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.status_pb2 import ItemStatus
from service import evidence, messages, pages, requests, tokens, validation
from service.background import Background
from service.cache import AnswerCache, Policy
from service.catalog import Catalog
from service.errors import ServiceError
from service.keys import cache_key
from service.lists import Wanted
from service.recommend_papers import ReaderRecommendations
from service.recommender import NEAREST, Recommender
from service.secrets import SigningKeys

METHOD = "ListRelatedPapers"
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100
POLICY = Policy(ttl_seconds=3600.0, shared=True)
"""For lists that have to be computed; one that training stored costs less than asking a cache."""

_BASIC = PaperView.PAPER_VIEW_BASIC


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list to show, and how.

    digest: of the request that made the list, without what may differ from page to page.
    """

    digest: bytes
    offset: int
    size: int
    view: int
    evidence: bool

    def identity(self) -> bytes:
        """Equal for equal pages, and for those alone."""
        return self.digest + struct.pack(">IIB?", self.offset, self.size, self.view, self.evidence)


_VARYING = ("page_size", "page_token", "view", "include_evidence")
"""Fields that may differ from page to page of one list."""


class RecommendationHandlers:
    """The methods of RecommendationService."""

    def __init__(
        self,
        catalog: Catalog,
        keys: SigningKeys,
        background: Background,
        cache: AnswerCache,
        for_readers: ReaderRecommendations,
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._background = background
        self._cache = cache
        self.recommend_papers = for_readers.recommend_papers

    async def list_related_papers(self, request: pb.ListRelatedPapersRequest) -> bytes:
        """A page of the papers that are related to the seeds, a ListRelatedPapersResponse."""
        size = validation.page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        view = validation.view(request.view, _BASIC)
        include_evidence = request.include_evidence
        position = self._position(request)
        recommender = await self._recommender(position.model_version)
        wanted, unknown = requests.related(request, recommender.artifact.papers)
        page = Page(position.digest, position.offset, size, view, include_evidence)
        if _is_ready_made(wanted, page):
            answer = self._answer(recommender, wanted, page)
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

    async def _recommender(self, version: str) -> Recommender:
        if version == self._catalog.serving.artifact.version:
            return self._catalog.serving
        return await self._background.run(self._catalog.recommender, version)

    def _position(self, request: pb.ListRelatedPapersRequest) -> tokens.Position:
        """Where the page begins: the first one, or what its token says.

        Leaves in the request what makes the list, and takes out what belongs to the page.
        """
        page_token = request.page_token
        for field in _VARYING:
            request.ClearField(field)
        digest = tokens.digest(METHOD, request)
        if not page_token:
            return tokens.Position(0, digest, self._catalog.serving.artifact.version)
        return pages.resume(self._keys, page_token, digest)

    async def _computed(self, recommender: Recommender, wanted: Wanted, page: Page) -> bytes:
        """The answer out of the cache, or computed beside the event loop."""

        async def compute() -> bytes:
            return await self._background.run(self._answer, recommender, wanted, page)

        key = cache_key(recommender.artifact.version, METHOD, page.identity())
        return await self._cache.get_or_compute(key, POLICY, compute)

    def _answer(self, recommender: Recommender, wanted: Wanted, page: Page) -> bytes:
        artifact = recommender.artifact
        results = recommender.related(wanted, page.offset, page.size)
        here = tokens.Position(page.offset, page.digest, artifact.version)
        response = pb.ListRelatedPapersResponse(
            model_version=artifact.version,
            attribution_token=tokens.sign(self._keys, "attribution", here),
        )
        if results.more:
            after = tokens.Position(page.offset + page.size, page.digest, artifact.version)
            response.next_page_token = pages.next_page(self._keys, after)
        explained = evidence.explain(recommender, wanted, results) if page.evidence else ()
        listed = messages.serialized_results(recommender, results, page.view, explained)
        return response.SerializeToString() + listed


def _is_ready_made(wanted: Wanted, page: Page) -> bool:
    """Whether the page is so surely a part of the stored list that it needs no other thread."""
    return wanted.plain and not page.evidence and 2 * (page.offset + page.size) <= NEAREST
