"""The gRPC adapter: bytes in, a handler, bytes out; errors become canonical codes."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from functools import partial
from itertools import groupby
from typing import Any, cast

import grpc
from google.protobuf.message import DecodeError, Message
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service import rich_status
from service.access import WIRE, Wire
from service.calls import check_deadline, malformed, refusal, unknown_method
from service.errors import Code, Reason, ServiceError
from service.handlers import Answer, Method
from service.health import Health
from service.inbox import Inbox
from service.listening import ListenError
from service.metrics import UNKNOWN, Metrics

Context = grpc.aio.ServicerContext[bytes, bytes]
PROTOCOL = "grpc"
"""What the metrics call it."""

_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GrpcServer:
    """Answers the methods on one address, with health checks and reflection.

    address: `host:port`; port 0 picks a free one.
    max_message_bytes: longer requests fail with RESOURCE_EXHAUSTED before they are read.
    """

    def __init__(
        self, methods: Iterable[Method], metrics: Metrics, address: str, max_message_bytes: int
    ) -> None:
        """Raises ListenError."""
        self._metrics = metrics
        self._streams: set[Inbox[Any]] = set()
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.so_reuseport", 0),  # a port that is taken is an error
                # Clients whose stream is idle may ask this often whether we are still there.
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            ]
        )
        names = []
        for service, group in groupby(methods, lambda method: method.service):
            table: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
                method.name: grpc.stream_stream_rpc_method_handler(self._stream(method))
                if method.streaming
                else grpc.unary_unary_rpc_method_handler(_unary(method, metrics))
                for method in group
            }
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, table),)
            )
            self._server.add_registered_method_handlers(service, table)
            names.append(service)
        self._health = Health(names)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        shown = (*names, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(shown, self._server)
        self._server.add_generic_rpc_handlers((_Unknown(metrics),))  # after all the others
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise ListenError(address, "--port") from error

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def stop(self, drain_seconds: float) -> None:
        """Say NOT_SERVING, let the calls in flight finish, for so long at most, and close.

        A stream takes no more messages, and ends when the last of them is answered.
        """
        self._health.stop()
        for stream in self._streams:
            stream.close()
        await self._server.stop(drain_seconds)

    def _stream(
        self, method: Method
    ) -> Callable[[AsyncIterator[bytes], Context], AsyncIterator[bytes]]:
        """A handler of a stream of requests as gRPC calls it."""
        parse = method.request.FromString
        handler = cast("Callable[[AsyncIterator[Message]], AsyncIterator[Answer]]", method.handler)

        async def call(messages: AsyncIterator[bytes], context: Context) -> AsyncIterator[bytes]:
            began = time.perf_counter()
            code = Code.CANCELLED  # unless it comes to an end
            inbox = Inbox(messages)
            self._streams.add(inbox)
            try:
                _begin(context)
                async for answer in handler(parse(data) async for data in inbox):
                    yield answer if isinstance(answer, bytes) else answer.SerializeToString()
            except Exception as error:  # noqa: BLE001 - the last resort logs what is not ours
                refused = refusal(_ours(error, method), method)
                code = refused.code
                await _refuse(context, refused)
            else:
                code = Code.UNAVAILABLE if inbox.closed else Code.OK
                if inbox.closed:
                    await _refuse(context, _stopping())
            finally:
                self._metrics.call(method.name, PROTOCOL, code, began)
                self._streams.discard(inbox)
                inbox.abandon()

        return call


def _unary(method: Method, metrics: Metrics) -> Callable[[bytes, Context], Awaitable[bytes]]:
    """A handler of one request as gRPC calls it."""
    parse = method.request.FromString
    handler = cast("Callable[[Message], Awaitable[Answer]]", method.handler)

    async def call(data: bytes, context: Context) -> bytes:
        began = time.perf_counter()
        code = Code.CANCELLED  # unless it comes to an end
        try:
            _begin(context)
            answer = await handler(parse(data))
            code = Code.OK
            return answer if isinstance(answer, bytes) else answer.SerializeToString()
        except Exception as error:  # noqa: BLE001 - the last resort logs what is not ours
            refused = refusal(_ours(error, method), method)
            code = refused.code
            return await _refuse(context, refused)
        finally:
            metrics.call(method.name, PROTOCOL, code, began)

    return call


class _Unknown(grpc.GenericRpcHandler):
    """Answers every method that nobody else does."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[Any, Any]":
        """A handler that refuses the call, whatever it sends."""

        async def refuse(_messages: AsyncIterator[bytes], context: Context) -> bytes:
            self._metrics.refusal(UNKNOWN, PROTOCOL, Code.UNIMPLEMENTED)
            return await _refuse(context, unknown_method(handler_call_details.method))

        return grpc.stream_unary_rpc_method_handler(refuse)


def _ours(error: Exception, method: Method) -> Exception:
    if isinstance(error, DecodeError):
        return malformed(method.request.DESCRIPTOR.full_name)
    return error


def _begin(context: Context) -> None:
    """Tell the handler who calls, and do no work for a caller that waits no longer."""
    WIRE.set(partial(_wire, context))
    check_deadline(cast("float | None", context.time_remaining()))


def _wire(context: Context) -> Wire:
    return Wire(tuple(context.invocation_metadata() or ()), context.peer())


def _stopping() -> ServiceError:
    message = "The service stops: send what it has not acknowledged again, on a new stream."
    return ServiceError(Reason.SERVICE_STOPPING, message)


async def _refuse(context: Context, error: ServiceError) -> bytes:
    trailer = ("grpc-status-details-bin", rich_status.serialized(error))
    await context.abort(_CODES[error.code], error.message, (trailer,))
    raise AssertionError  # abort raises
