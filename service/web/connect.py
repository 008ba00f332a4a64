"""The Connect adapter: Connect, gRPC-Web and plain JSON in, a handler, the same out."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple, cast

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from connectrpc.method import IdempotencyLevel, MethodInfo, StreamType
from connectrpc.request import RequestContext
from connectrpc.server import ConnectASGIApplication, Endpoint
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from protobuf.wkt import Any as Detail

from service import rich_status
from service.access import WIRE, Wire
from service.calls import check_deadline, malformed, refusal
from service.errors import ServiceError
from service.handlers import Answer, Method
from service.web.peers import peer


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
            raise connect_error(malformed(message_class.DESCRIPTOR.full_name)) from error


class Json:
    """The codec of `application/json`: protobuf's JSON, unknown fields refused."""

    def name(self) -> str:
        """As content types spell it."""
        return "json"

    def encode(self, message: Answered) -> bytes:
        """An answer as JSON."""
        answer = message.answer
        if isinstance(answer, bytes):
            answer = message.response.FromString(answer)
        return json_format.MessageToJson(answer, indent=None, ensure_ascii=False).encode()

    def decode(self, data: bytes | bytearray, message_class: type[Message]) -> Message:
        """A request."""
        try:
            return json_format.Parse(bytes(data) or b"{}", message_class())
        except (json_format.ParseError, UnicodeDecodeError) as error:
            full_name = message_class.DESCRIPTOR.full_name
            raise connect_error(malformed(full_name, str(error))) from error


class ConnectApplication(ConnectASGIApplication[None]):
    """Answers the methods; an ASGI application.

    max_message_bytes: longer requests fail with RESOURCE_EXHAUSTED.
    """

    def __init__(self, methods: Iterable[Method], max_message_bytes: int) -> None:
        endpoints: Mapping[str, Any] = {
            f"/{method.service}/{method.name}": Endpoint.unary(_info(method), _unary(method))
            for method in methods
            if not method.streaming  # two streams at once need HTTP/2: they have the gRPC port
        }
        super().__init__(
            service=None,
            endpoints=lambda _: endpoints,
            read_max_bytes=max_message_bytes,
            codecs=cast("Any", (Binary(), Json())),
        )

    @property
    def path(self) -> str:
        """Where it is mounted."""
        return "/"


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
    method: Method,
) -> Callable[[Message, RequestContext[Any, Any]], Awaitable[Answered]]:
    handler = cast("Callable[[Message], Awaitable[Answer]]", method.handler)

    async def call(request: Message, context: RequestContext[Any, Any]) -> Answered:
        try:
            WIRE.set(lambda: _wire(context))
            remaining = context.timeout_ms
            check_deadline(None if remaining is None else remaining / 1000)
            return Answered(await handler(request), method.response)
        except Exception as error:
            raise connect_error(refusal(error, method)) from error

    return call


def _wire(context: RequestContext[Any, Any]) -> Wire:
    host, _, port = (context.client_address or "").rpartition(":")
    client = (host, int(port)) if host else None
    return Wire(tuple(context.request_headers.allitems()), peer(client))


def connect_error(error: ServiceError) -> ConnectError:
    """The same error as connectrpc writes it, with its `ErrorInfo`."""
    detail = Detail(type_url=rich_status.ERROR_INFO, value=rich_status.error_info(error))
    return ConnectError(Code(error.code.name.lower()), error.message, [detail])
