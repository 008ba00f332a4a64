"""A paper's page: what it is, which papers are related to it, and why."""

from starlette.requests import Request
from starlette.responses import Response

from service.web.api import Api
from service.web.explorer import related
from service.web.explorer.spellings import asked_for
from service.web.explorer.why import SOURCES
from service.web.pages import page


class PaperPage:
    """Answers `/papers/{id}`, and `/papers?id=...` for an id that no path can hold."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page; every other spelling of the paper's id leads to it."""
        paper, address, own, elsewhere = await asked_for(self._api, request)
        if elsewhere:
            return elsewhere
        listed = await related.listed(self._api, request, address, own, [paper.id])
        return page(
            request,
            "paper.html",
            kept_seconds=listed.kept_seconds,
            paper=paper,
            related=listed,
            sources=SOURCES,
        )
