"""The gRPC adapter: bytes in, a handler, bytes out; errors become canonical codes."""

from collections.abc import Awaitable, Callable, Iterable
from itertools import groupby
from typing import cast

import grpc
import structlog
from google.protobuf.message import DecodeError
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from service import rich_status
from service.errors import Reason, ServiceError
from service.handlers import Method
from service.health import Health

log = structlog.get_logger(__name__)

Context = grpc.aio.ServicerContext[bytes, bytes]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class ListenError(OSError):
    """The address can't be listened on; the message says why in one sentence."""


class GrpcServer:
    """Answers the methods on one address, with health checks and reflection.

    address: `host:port`; port 0 picks a free one.
    max_message_bytes: longer requests fail with RESOURCE_EXHAUSTED before they are read.
    """

    def __init__(self, methods: Iterable[Method], address: str, max_message_bytes: int) -> None:
        """Raises ListenError."""
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", max_message_bytes),
                ("grpc.so_reuseport", 0),  # a port that is taken is an error
            ]
        )
        names = []
        for service, group in groupby(methods, lambda method: method.service):
            table: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
                method.name: grpc.unary_unary_rpc_method_handler(_unary(method)) for method in group
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
        try:
            self.port = self._server.add_insecure_port(address)
        except RuntimeError as error:
            message = (
                f"{address} cannot be listened on: another program has the port, or the address is "
                "not this machine's. Choose another with --port or --host."
            )
            raise ListenError(message) from error

    async def start(self) -> None:
        """Begin to answer."""
        await self._server.start()

    async def stop(self, drain_seconds: float) -> None:
        """Say NOT_SERVING, let the calls in flight finish, for so long at most, and close."""
        self._health.stop()
        await self._server.stop(drain_seconds)


def _unary(method: Method) -> Callable[[bytes, Context], Awaitable[bytes]]:
    """A handler as gRPC calls it."""
    parse, handler = method.request.FromString, method.handler

    async def call(data: bytes, context: Context) -> bytes:
        try:
            _check_deadline(context)
            answer = await handler(parse(data))
            return answer if isinstance(answer, bytes) else answer.SerializeToString()
        except ServiceError as error:
            return await _refuse(context, error)
        except DecodeError:
            message = f"The request is not a {method.request.DESCRIPTOR.full_name} message."
            return await _refuse(context, ServiceError(Reason.REQUEST_MALFORMED, message))
        except Exception:  # the last resort: the caller learns no inner detail, the log does
            log.exception("a call failed unexpectedly", method=f"{method.service}/{method.name}")
            message = "The service failed; its log says why."
            return await _refuse(context, ServiceError(Reason.UNEXPECTED, message))

    return call


def _check_deadline(context: Context) -> None:
    remaining = cast("float | None", context.time_remaining())  # None without a deadline
    if remaining is not None and remaining <= 0:
        message = "The deadline had passed before the work began: allow more time."
        raise ServiceError(Reason.DEADLINE_PASSED, message)


async def _refuse(context: Context, error: ServiceError) -> bytes:
    trailer = ("grpc-status-details-bin", rich_status.serialized(error))
    await context.abort(_CODES[error.code], error.message, (trailer,))
    raise AssertionError  # abort raises
