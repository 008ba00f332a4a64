"""The ASGI application of the web port: the API, and the pages."""

from collections.abc import Iterator, Sequence

import structlog
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.calls import unexpected
from service.handlers import Method
from service.metrics import Metrics
from service.settings import Settings, parts
from service.web import embed, operations, reference
from service.web.api import Api
from service.web.caching import Freshness
from service.web.connect import ConnectApplication
from service.web.explorer import errors, mailbox
from service.web.explorer import routes as explorer
from service.web.feeds import routes as feeds
from service.web.finishing import Finishing
from service.web.gateway import PREFIXES, Gateway
from service.web.hosts import Hosts
from service.web.refusals import json_error

log = structlog.get_logger(__name__)

_SHARED = (*PREFIXES, "/widget/", "/embed/", "/feeds/")
"""What pages of other origins may read, if the configuration names their origin."""

_REQUEST_HEADERS = (
    *("authorization", "x-api-key", "x-user-agent", "x-grpc-web"),
    *("connect-protocol-version", "connect-timeout-ms", "grpc-timeout"),
    *("if-none-match", "if-modified-since"),
)
_RESPONSE_HEADERS = ("etag", "grpc-status", "grpc-message", "grpc-status-details-bin")


class WebApplication:
    """Sends each request to the API or to the pages.

    grpc_port: where gRPC itself is answered.
    public_url: the origin by which readers reach the pages.
    """

    def __init__(
        self,
        methods: Sequence[Method],
        api: Api,
        metrics: Metrics,
        settings: Settings,
        grpc_port: int,
        public_url: str,
    ) -> None:
        freshness = Freshness(lambda: api.catalog.serving.artifact.version)
        connect: ASGIApp = ConnectApplication(
            methods, freshness, metrics, settings.max_message_bytes
        )
        self.gateway = Gateway(methods, connect, metrics, grpc_port)
        self._metrics = metrics
        self._hosts = Hosts(settings.host, parts(settings.allowed_hosts), public_url)
        room = mailbox.routes(settings, api.open_to)
        pages = Starlette(
            routes=[*self._routes(api, methods, grpc_port, public_url), *room],
            exception_handlers=errors.handlers,
        )
        pages.state.mailbox = lambda request: settings.smtp_host is None and api.open_to(request)
        self._pages: ASGIApp = pages
        self._shared = _with_cors(self._route, parts(settings.cors_origins))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        finishing = Finishing(scope, send)
        path = scope["path"]
        try:
            if path not in operations.PROBES and not self._hosts.answers(scope["headers"]):
                await _misdirected(scope, receive, finishing)
            elif path.startswith(_SHARED):
                await self._shared(scope, receive, finishing)
            else:
                await self._route(scope, receive, finishing)
        except Exception as error:  # noqa: BLE001 - the last resort logs what is not ours
            refused = unexpected(error, path=path)
            if not finishing.status:
                await json_error(refused, 500)(scope, receive, finishing)
        finally:
            if not path.startswith(PREFIXES):
                self._metrics.page(finishing.status)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        application = self.gateway if scope["path"].startswith(PREFIXES) else self._pages
        await application(scope, receive, send)

    def _routes(
        self,
        api: Api,
        methods: Sequence[Method],
        grpc_port: int,
        public_url: str,
    ) -> Iterator[BaseRoute]:
        """The pages, room by room: add `yield from ROOM.routes(api)`."""
        yield from operations.routes(self._metrics, lambda: self.gateway.stopping)
        yield from reference.routes(api, methods, grpc_port)
        yield from explorer.routes(api)
        yield from embed.routes(api)
        yield from feeds.routes(api, public_url)


def _with_cors(application: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """Lets pages of these origins read the answers; no cookie and no password is ever theirs."""
    if not origins:
        return application
    return CORSMiddleware(
        application,
        allow_origins=origins,
        allow_methods=("GET", "HEAD", "POST"),
        allow_headers=_REQUEST_HEADERS,
        expose_headers=_RESPONSE_HEADERS,
        max_age=86_400,
    )


async def _misdirected(scope: Scope, receive: Receive, send: Send) -> None:
    message = (
        "This service does not answer under this host name: use localhost, or name it in "
        "RELATED_PAPERS_ALLOWED_HOSTS.\n"
    )
    response: Response = PlainTextResponse(message, 421, {"cache-control": "no-store"})
    await response(scope, receive, send)
