"""SearchPapers: validate, ask the index, fill the message."""

import struct
from dataclasses import dataclass

from models.search_query import Query, parse
from models.searcher import Restriction
from models.snippets import Highlighter, Span
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service import messages, pages, requests, tokens, validation
from service.background import Background
from service.cache import AnswerCache, Policy
from service.catalog import Catalog
from service.filters import Filter
from service.keys import cache_key
from service.recommender import Recommender
from service.secrets import SigningKeys

METHOD = "SearchPapers"
POLICY = Policy(ttl_seconds=3600.0, shared=True)


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list to show, and how: `size` results from where it begins."""

    begin: tokens.Position
    size: int
    view: int

    def identity(self) -> bytes:
        """Equal for equal pages, and for those alone."""
        return self.begin.digest + struct.pack(">IIB", self.begin.offset, self.size, self.view)


class Search:
    """Answers SearchPapers."""

    def __init__(
        self, catalog: Catalog, keys: SigningKeys, background: Background, cache: AnswerCache
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._background = background
        self._cache = cache

    async def search_papers(self, request: pb.SearchPapersRequest) -> bytes:
        """A page of the papers that match a query, a SearchPapersResponse."""
        size = validation.page_size(request.page_size)
        view = validation.view(request.view, PaperView.PAPER_VIEW_BASIC)
        page = Page(self._begin(request), size, view)
        recommender = self._catalog.serving
        version = page.begin.model_version
        if version != recommender.artifact.version:
            recommender = await self._background.run(self._catalog.recommender, version)
        rows = requests.Rows(recommender.artifact.papers)
        wanted = requests.paper_filter(request, rows)
        query = parse(request.query, prefix=request.prefix)
        if not query.text and wanted == Filter(excluded=wanted.excluded):
            expected = "give words to look for, or a filter with years or venues"
            raise validation.missing("query", expected)

        async def compute() -> bytes:
            return await self._background.run(self._answer, recommender, query, wanted, page)

        key = cache_key(version, METHOD, page.identity())
        answer = await self._cache.get_or_compute(key, POLICY, compute)
        return answer + pb.SearchPapersResponse(unknown_paper_ids=rows.unknown).SerializeToString()

    def _begin(self, request: pb.SearchPapersRequest) -> tokens.Position:
        """Where the page begins. Leaves in the request what makes the list."""
        page_token = request.page_token
        digest = tokens.digest(METHOD, request)
        if page_token:
            return pages.resume(self._keys, page_token, digest)
        return tokens.Position(0, digest, self._catalog.serving.artifact.version)

    def _answer(self, recommender: Recommender, query: Query, wanted: Filter, page: Page) -> bytes:
        artifact, begin = recommender.artifact, page.begin
        papers = artifact.papers
        found = artifact.searcher.find(query, _restriction(recommender, wanted))
        response = pb.SearchPapersResponse(
            model_version=artifact.version,
            attribution_token=tokens.sign(self._keys, tokens.ATTRIBUTION, begin),
            total=found.total,
            relaxed=found.relaxed,
        )
        end = begin.offset + page.size
        if end < len(found.rows):
            after = tokens.Position(end, begin.digest, begin.model_version)
            response.next_page_token = pages.next_page(self._keys, after)
        highlighter = Highlighter(found.query)
        shown = slice(begin.offset, end)
        for row, score in zip(found.rows[shown], found.scores[shown], strict=True):
            response.results.add(
                paper=messages.paper(papers, row, page.view),
                score=score,
                title=_spans(highlighter.title(papers.title(row))),
                snippet=_spans(highlighter.snippet(papers.abstract(row))),
            )
        return response.SerializeToString()


def _restriction(recommender: Recommender, wanted: Filter) -> Restriction:
    """A filter in terms of the model."""
    return Restriction(
        first_year=wanted.first_year,
        last_year=wanted.last_year,
        venue_codes=recommender.passing.venue_codes(wanted) if wanted.venues else None,
        excluded_works=recommender.artifact.papers.work[list(wanted.excluded)].tolist(),
    )


def _spans(spans: list[Span]) -> list[pb.Span]:
    return [pb.Span(text=text, highlighted=highlighted) for text, highlighted in spans]
