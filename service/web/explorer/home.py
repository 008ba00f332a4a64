"""The first page: what this is, a place to search, what trends, and a few doors."""

from starlette.requests import Request
from starlette.responses import Response

from relatedpapers.v1 import paper_service_pb2
from relatedpapers.v1.recommendation_service_pb2 import ListTrendingPapersRequest
from service.web import trends
from service.web.api import Api
from service.web.explorer.facts import facts
from service.web.explorer.trending import chosen
from service.web.pages import page

_TRENDING = 6


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
        wanted_now = ListTrendingPapersRequest(page_size=_TRENDING)
        trending = await self._api.call("RecommendationService", wanted_now, request)
        return page(
            request,
            "home.html",
            kept_seconds=60,
            facts=known,
            popular=popular,
            trending=chosen(trending),
            span=trends.span(trending.window),
        )
