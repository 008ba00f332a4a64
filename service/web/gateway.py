"""What stands before the methods on the web port: who may pass, in which form, and when."""

import asyncio
import re
from collections.abc import Iterable
from http import HTTPStatus
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.calls import malformed_header, unknown_method
from service.errors import Reason, ServiceError
from service.handlers import SERVICES, Method
from service.metrics import UNKNOWN, Metrics
from service.web.refusals import Refusal, protocol

PREFIXES = tuple(f"/{service.file.package}." for service in SERVICES)
"""What the paths of calls begin with, those of unknown services too."""

ACCEPTED = ("application/json", "application/proto", "application/grpc-web+proto")
_TYPES = {*ACCEPTED, "application/grpc-web"}

_BASE64 = re.compile(r"([A-Za-z0-9_-]{4})*([A-Za-z0-9_-]{2}(==)?|[A-Za-z0-9_-]{3}=?)?")

_TIMEOUTS = {
    b"connect-timeout-ms": re.compile(rb"[0-9]{1,10}"),
    b"grpc-timeout": re.compile(rb"[0-9]{1,8}[HMSmun]"),
}
_UNREAD = {b"accept-encoding"}  # answers are compressed behind us, by its q-values
_READ_AS_GET = {"GET", "HEAD"}

Headers = dict[bytes, bytes]


class Gateway:
    """Lets calls through to an application that answers them; an ASGI application.

    grpc_port: where callers are sent with what needs gRPC itself.
    """

    def __init__(
        self, methods: Iterable[Method], application: ASGIApp, metrics: Metrics, grpc_port: int
    ) -> None:
        self._methods = {f"/{method.service}/{method.name}": method for method in methods}
        self._application = application
        self._metrics = metrics
        self._grpc_port = grpc_port
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self.stopping = False

    async def drain(self, seconds: float) -> None:
        """Refuse every other call, and wait until those under way are answered, so long at most."""
        self.stopping = True
        try:
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        except TimeoutError:
            return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        method = self._methods.get(scope["path"])
        refusal = self._refusal(scope, headers, method)
        if refusal is not None:
            content_type = headers.get(b"content-type", b"").decode("latin-1")
            name = UNKNOWN if method is None else method.name
            spoken = protocol(scope["method"], content_type)
            self._metrics.refusal(name, spoken, refusal.error.code)
            await refusal.response(content_type)(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await Response(status_code=204, headers={"allow": _allowed(method)})(
                scope, receive, send
            )
            return
        self._under_way += 1
        self._idle.clear()
        try:
            await self._application(_plain(scope), receive, send)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()

    def _refusal(self, scope: Scope, headers: Headers, method: Method | None) -> Refusal | None:
        """Why a request can't be passed on, if it can't."""
        path, verb = scope["path"], scope["method"]
        if method is None:
            return Refusal(HTTPStatus.NOT_FOUND, unknown_method(path), {})
        if method.streaming:
            return self._needs_grpc(f"{method.name} is a stream in both directions")
        if verb == "OPTIONS":
            return None
        if verb != "POST" and not (method.safe and verb in _READ_AS_GET):
            return _not_allowed(method, verb)
        if self.stopping:
            return _stopping()
        return self._bad_form(scope, headers) or _bad_header(headers)

    def _bad_form(self, scope: Scope, headers: Headers) -> Refusal | None:
        if scope["method"] != "POST":
            return _bad_query(scope["query_string"])
        kind = headers.get(b"content-type", b"").decode("latin-1")
        kind = kind.partition(";")[0].strip().lower()
        if kind == "application/grpc" or kind.startswith("application/grpc+"):
            return self._needs_grpc(f"{kind} is gRPC itself", HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        return None if kind in _TYPES else _unsupported(kind)

    def _needs_grpc(self, what: str, status: HTTPStatus = HTTPStatus.NOT_IMPLEMENTED) -> Refusal:
        message = (
            f"{what}: it is answered on port {self._grpc_port}. This port answers Connect, "
            "gRPC-Web and plain JSON."
        )
        error = ServiceError(Reason.PROTOCOL_UNSUPPORTED, message, grpc_port=str(self._grpc_port))
        return Refusal(status, error, _accept_post(status))


def _plain(scope: Scope) -> Scope:
    """The request as the adapter reads it: HEAD is answered as GET, and the server sends no body.

    Headers that are not ASCII are none of ours, and no gRPC client can send any.
    """
    headers = [
        (name, value) for name, value in scope["headers"] if name not in _UNREAD and value.isascii()
    ]
    verb = "GET" if scope["method"] == "HEAD" else scope["method"]
    return {**scope, "method": verb, "headers": headers}


def _allowed(method: Method | None) -> str:
    return "GET, HEAD, OPTIONS, POST" if method is not None and method.safe else "OPTIONS, POST"


def _not_allowed(method: Method, verb: str) -> Refusal:
    why = "" if method.safe else ", since it has side effects"
    message = f"{method.name} does not take {verb[:20]}{why}: use {_allowed(method)}."
    error = ServiceError(Reason.PROTOCOL_UNSUPPORTED, message)
    return Refusal(HTTPStatus.METHOD_NOT_ALLOWED, error, {"allow": _allowed(method)})


def _unsupported(kind: str) -> Refusal:
    given = f"The content type {kind[:100]!r}" if kind else "A request without a content type"
    message = f"{given} is not answered: use {', '.join(ACCEPTED)}."
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return Refusal(status, ServiceError(Reason.PROTOCOL_UNSUPPORTED, message), _accept_post(status))


def _bad_query(query: bytes) -> Refusal | None:
    """What the parameters of a GET lack: connectrpc takes anything for base64."""
    given = {name: values[0] for name, values in parse_qs(query.decode("latin-1")).items()}
    encoding, message = given.get("encoding", ""), given.get("message", "")
    if encoding not in {"json", "proto"}:
        name, what = "encoding", f"is {encoding[:100]!r}: use json or proto"
    elif given.get("base64") == "1" and not _BASE64.fullmatch(message):
        name, what = "message", "is not base64 in the alphabet of URLs"
    else:
        return None
    error = ServiceError(
        Reason.REQUEST_MALFORMED, f"The parameter `{name}` {what}.", parameter=name
    )
    return Refusal(HTTPStatus.BAD_REQUEST, error, {})


def _accept_post(status: HTTPStatus) -> dict[str, str]:
    unsupported = status is HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return {"accept-post": ", ".join(ACCEPTED)} if unsupported else {}


def _stopping() -> Refusal:
    message = "The service stops: send the request again, to another replica or in a moment."
    error = ServiceError(Reason.SERVICE_STOPPING, message)
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, error, {"retry-after": "1"})


def _bad_header(headers: Headers) -> Refusal | None:
    for name, shape in _TIMEOUTS.items():
        value = headers.get(name)
        if value is not None and not shape.fullmatch(value):
            break
    else:
        name, value = b"connect-protocol-version", headers.get(b"connect-protocol-version", b"1")
        if value == b"1":
            return None
    error = malformed_header(name.decode(), value.decode("latin-1"))
    return Refusal(HTTPStatus.BAD_REQUEST, error, {})
