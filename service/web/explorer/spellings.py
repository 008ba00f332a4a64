"""A page about one paper has one address; every other spelling of the paper's id leads to it."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse

from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.paper_service_pb2 import GetPaperRequest
from service.urls import paper_url
from service.web.api import Api


class Asked(NamedTuple):
    """A page of one paper.

    address: its path. own: the parameters that name the paper where no path can.
    elsewhere: leads there, if the request came by another spelling.
    """

    paper: Paper
    address: str
    own: Mapping[str, Sequence[str]]
    elsewhere: RedirectResponse | None


async def asked_for(api: Api, request: Request, room: str = "papers") -> Asked:
    """The page that `/{room}/{id}` asks for, or `/{room}?id=...` where no path can hold the id."""
    asked = request.path_params.get("id") or request.query_params.get("id", "")
    answer = await api.call("PaperService", GetPaperRequest(paper_id=asked), request)
    address, _, alone = paper_url(answer.paper.id, room).partition("?")
    in_path = "id" in request.path_params
    elsewhere = None
    if answer.paper.id != asked or in_path == bool(alone):
        query = request.url.query if in_path else alone
        elsewhere = RedirectResponse(f"{address}?{query}" if query else address, 302)
    return Asked(answer.paper, address, {"id": [asked]} if alone else {}, elsewhere)
