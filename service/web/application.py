"""The ASGI application of the web port: the API, and the pages."""

from collections.abc import Iterator, Sequence

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service.handlers import SERVICES, Method
from service.web.api import Api
from service.web.connect import ConnectApplication
from service.web.explorer import errors
from service.web.explorer import routes as explorer

_API = tuple(f"/{service.full_name}/" for service in SERVICES)


class WebApplication:
    """Sends each request to the API or to the pages."""

    def __init__(self, methods: Sequence[Method], api: Api, max_message_bytes: int) -> None:
        self._api: ASGIApp = ConnectApplication(methods, max_message_bytes)
        self._pages = Starlette(routes=list(_routes(api)), exception_handlers=errors.handlers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        api = scope["type"] == "http" and scope["path"].startswith(_API)
        await (self._api if api else self._pages)(scope, receive, send)


def _routes(api: Api) -> Iterator[Route]:
    """The pages, room by room: add `yield from ROOM.routes(api)`."""
    yield Route("/healthz", _healthz)
    yield from explorer.routes(api)


async def _healthz(_request: object) -> PlainTextResponse:
    return PlainTextResponse("ok\n")
