"""The first page: what this is, a place to search, and a few doors."""

from starlette.requests import Request
from starlette.responses import Response

from relatedpapers.v1 import paper_service_pb2
from service.web.api import Api
from service.web.explorer.facts import facts
from service.web.pages import page


class Home:
    """Answers `/`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page."""
        known = facts(self._api.catalog.serving.artifact)
        popular = []
        if known.popular:
            wanted = paper_service_pb2.BatchGetPapersRequest(paper_ids=known.popular)
            popular = (await self._api.call("PaperService", wanted, request)).papers
        return page(request, "home.html", kept_seconds=60, facts=known, popular=popular)
