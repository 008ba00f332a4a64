"""The Connect adapter: Connect, gRPC-Web and plain JSON in, a handler, the same out."""

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

from connectrpc.code import Code as ConnectCode
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from service.access import WIRE, Wire
from service.calls import check_deadline, malformed, refusal
from service.errors import Code
from service.handlers import Answer, Method
from service.metrics import Metrics
from service.web import caching
from service.web.json_writer import answer_to_json, to_json
from service.web.peers import peer
from service.web.refusals import RefusedError, ours, protocol

Context = RequestContext[Any, Any]


class Answered(NamedTuple):
    """An answer, as a message or its bytes, and the class of the message."""

    answer: Answer
    response: type[Message]


class Binary:
    """The codec of `application/proto` and gRPC-Web."""

    def name(self) -> str:
        """As content types spell it."""
        return "proto"

    def encode(self, message: Answered) -> bytes:
        """The bytes of an answer."""
        answer = message.answer
        return answer if isinstance(answer, bytes) else answer.SerializeToString()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Message:
        """A request."""
        try:
            return message_class.FromString(bytes(data))
        except DecodeError as error:
            raise RefusedError(malformed(message_class.DESCRIPTOR.full_name)) from error


class Json:
    """The codec of `application/json`: protobuf's JSON, unknown fields refused."""

    def name(self) -> str:
        """As content types spell it."""
        return "json"

    def encode(self, message: Answered) -> bytes:
        """An answer as JSON."""
        answer = message.answer
        if isinstance(answer, bytes):
            return answer_to_json(message.response, answer)
        return to_json(answer)

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Message:
        """A request."""
        text, full_name = bytes(data) or b"{}", message_class.DESCRIPTOR.full_name
        if not text.lstrip().startswith(b"{"):  # the parser takes other things for an empty object
            raise RefusedError(malformed(full_name, "it is not a JSON object"))
        try:
            return json_format.Parse(text, message_class())
        except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
            why = "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            why = " ".join(why.split())
            raise RefusedError(malformed(full_name, why.rstrip("."))) from error


class ConnectApplication(ConnectASGIApplication[None]):
    """Answers the methods; an ASGI application.

    freshness: how long the answer to a GET may be kept.
    max_message_bytes: longer requests fail with MESSAGE_TOO_LARGE.
    """

    def __init__(
        self,
        methods: Iterable[Method],
        freshness: caching.Freshness,
        metrics: Metrics,
        max_message_bytes: int,
    ) -> None:
        endpoints: Mapping[str, Any] = {
            f"/{method.service}/{method.name}": Endpoint.unary(
                _info(method), _unary(method, freshness)
            )
            for method in methods
            if not method.streaming  # two streams at once need HTTP/2: they have the gRPC port
        }
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            interceptors=[_Ends(metrics)],
            read_max_bytes=max_message_bytes,
            codecs=cast("Any", (Binary(), Json())),
        )

    @property
    def path(self) -> str:
        """Where it is mounted."""
        return "/"


class _Ends:
    """Counts each call when it ends, and gives its `ErrorInfo` to every error that has none."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def on_start(self, _context: Context) -> float:
        """Before the request is read."""
        return time.perf_counter()

    async def on_end(self, began: float, context: Context, error: Exception | None) -> None:
        """After the answer is made. Raises the error to send instead of one that is not ours."""
        name = context.method.name
        spoken = protocol(context.http_method, context.request_headers.get("content-type", ""))
        if error is None:
            self._metrics.call(name, spoken, Code.OK, began)
            return
        if isinstance(error, ConnectError) and error.code == ConnectCode.CANCELED:
            self._metrics.call(name, spoken, Code.CANCELLED, began)
            return  # nobody is there to read it
        refused = ours(error)
        context.response_headers["cache-control"] = "no-store"
        self._metrics.call(name, spoken, refused.error.code, began)
        if refused is not error:
            raise refused from error


def _info(method: Method) -> MethodInfo[Any, Any]:
    level = IdempotencyLevel.NO_SIDE_EFFECTS if method.safe else IdempotencyLevel.UNKNOWN
    return MethodInfo(
        name=method.name,
        service_name=method.service,
        input=method.request,
        output=method.response,
        idempotency_level=level,
        stream_type=StreamType.UNARY,
    )


def _unary(
    method: Method, freshness: caching.Freshness
) -> Callable[[Message, Context], Awaitable[Answered]]:
    handler = cast("Callable[[Message], Awaitable[Answer]]", method.handler)

    async def call(request: Message, context: Context) -> Answered:
        try:
            WIRE.set(lambda: _wire(context))
            remaining = context.timeout_ms
            check_deadline(None if remaining is None else remaining / 1000)
            if context.http_method != "GET":
                return Answered(await handler(request), method.response)
            shared = caching.concerns_all(request, context.request_headers)
            answered = Answered(await handler(request), method.response)
            context.response_headers.update(freshness.headers(*answered, shared=shared))
        except Exception as error:
            raise RefusedError(refusal(error, method)) from error
        return answered

    return call


def _wire(context: Context) -> Wire:
    host, _, port = (context.client_address or "").rpartition(":")
    client = (host, int(port)) if host else None
    return Wire(tuple(context.request_headers.allitems()), peer(client))
