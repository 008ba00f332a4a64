"""grpc.health.v1: whether each service serves, as a question (Check) and as a stream (Watch)."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import grpc
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthServicer

Context = grpc.aio.ServicerContext[HealthCheckRequest, HealthCheckResponse]


class Health(HealthServicer):
    """Every service serves until `stop`. A watcher's stream then ends, so it delays no shutdown.

    services: full names; the empty name stands for the server as a whole.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._services = frozenset(services) | {""}
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """From now on nothing serves; watchers learn it at once."""
        self._stopping.set()

    async def Check(  # noqa: N802 - the name of the method in the protocol
        self, request: HealthCheckRequest, context: Context
    ) -> HealthCheckResponse:
        """The present status of a service."""
        if request.service not in self._services:
            message = f"There is no service {request.service!r} here."
            await context.abort(grpc.StatusCode.NOT_FOUND, message)
        return self._status(request.service)

    async def Watch(  # noqa: N802 - the name of the method in the protocol
        self, request: HealthCheckRequest, _context: Context
    ) -> AsyncIterator[HealthCheckResponse]:
        """The present status of a service, and then each change."""
        first = self._status(request.service)
        yield first
        await self._stopping.wait()
        last = self._status(request.service)
        if last != first:
            yield last

    def _status(self, service: str) -> HealthCheckResponse:
        if service not in self._services:
            return HealthCheckResponse(status=HealthCheckResponse.SERVICE_UNKNOWN)
        if self._stopping.is_set():
            return HealthCheckResponse(status=HealthCheckResponse.NOT_SERVING)
        return HealthCheckResponse(status=HealthCheckResponse.SERVING)
