"""A paper's page: what it is, which papers are related to it, and why."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from relatedpapers.v1.paper_service_pb2 import GetPaperRequest
from service.web.api import Api
from service.web.explorer import related
from service.web.explorer.why import SOURCES
from service.web.links import paper_url
from service.web.pages import page


class PaperPage:
    """Answers `/papers/{id}`, and `/papers?id=...` for an id that no path can hold."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page; every other spelling of the paper's id leads to it."""
        asked = request.path_params.get("id") or request.query_params.get("id", "")
        answer = await self._api.call("PaperService", GetPaperRequest(paper_id=asked), request)
        address, _, alone = paper_url(answer.paper.id).partition("?")
        in_path = "id" in request.path_params
        if answer.paper.id != asked or in_path == bool(alone):
            query = request.url.query if in_path else alone
            return RedirectResponse(f"{address}?{query}" if query else address, 302)
        own = {"id": [asked]} if alone else {}
        listed = await related.listed(self._api, request, address, own, [asked])
        return page(
            request,
            "paper.html",
            kept_seconds=listed.kept_seconds,
            paper=answer.paper,
            related=listed,
            sources=SOURCES,
        )
