"""SearchPapers: validate, ask the index, fill the message."""

from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service import messages, pages, requests, tokens, validation
from service.background import Background
from service.catalog import Catalog
from service.secrets import SigningKeys

METHOD = "SearchPapers"
DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 100

_VARYING = ("page_size", "page_token", "view")
"""Fields that may differ from page to page of one list."""


class Search:
    """Answers SearchPapers."""

    def __init__(self, catalog: Catalog, keys: SigningKeys, background: Background) -> None:
        self._catalog = catalog
        self._keys = keys
        self._background = background

    async def search_papers(self, request: pb.SearchPapersRequest) -> pb.SearchPapersResponse:
        """A page of the papers that match a query."""
        size = validation.page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        view = validation.view(request.view, PaperView.PAPER_VIEW_BASIC)
        page_token = request.page_token
        for field in _VARYING:
            request.ClearField(field)
        digest = tokens.digest(METHOD, request)
        begin = tokens.Position(0, digest, self._catalog.serving.artifact.version)
        if page_token:
            begin = pages.resume(self._keys, page_token, digest)
        return await self._background.run(self._answer, request, begin, size, view)

    def _answer(
        self, request: pb.SearchPapersRequest, begin: tokens.Position, size: int, view: int
    ) -> pb.SearchPapersResponse:
        papers = self._catalog.recommender(begin.model_version).artifact.papers
        rows = requests.Rows(papers)
        requests.paper_filter(request.filter, rows)
        words = request.query.casefold().split()
        if not words:
            raise validation.missing("query", "give at least one word")
        found = [
            row
            for row in range(len(papers))
            if all(word in papers.record(row).title.casefold() for word in words)
        ]
        found.sort(key=lambda row: (-papers.citation_count[row], row))
        response = pb.SearchPapersResponse(
            model_version=begin.model_version,
            attribution_token=tokens.sign(self._keys, "attribution", begin),
            total=len(found),
            unknown_paper_ids=rows.unknown,
        )
        end = begin.offset + size
        for row in found[begin.offset : end]:
            record = papers.record(row)
            result = response.results.add(
                paper=messages.paper(papers, row, view), score=record.citation_count
            )
            result.title.add(text=record.title)
            if record.abstract:
                result.snippet.add(text=record.abstract[:300])
        if end < len(found):
            after = tokens.Position(end, begin.digest, begin.model_version)
            response.next_page_token = pages.next_page(self._keys, after)
        return response
