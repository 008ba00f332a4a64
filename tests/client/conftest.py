"""Both clients behind one face, so that every test holds for both."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, closing
from typing import Any, Self

import grpc
import pytest
import pytest_asyncio

from relatedpapers import AsyncClient, Client
from relatedpapers.aio import AsyncPages
from relatedpapers.client import Pages
from service.settings import Settings
from tests.serving import serving
from tests.support import PATIENCE_SECONDS


class Caller:
    """A client, sync or asyncio, whose methods are called by name."""

    def __init__(self, kind: str, target: str, **options: Any) -> None:
        make = Client if kind == "sync" else AsyncClient
        self.client: Client | AsyncClient = make(
            target, **{"timeout_seconds": PATIENCE_SECONDS, **options}
        )

    async def one(self, method: str, *arguments: Any, **options: Any) -> Any:
        """What a method returns that makes one call."""
        if isinstance(self.client, AsyncClient):
            return await getattr(self.client, method)(*arguments, **options)
        return await asyncio.to_thread(getattr(self.client, method), *arguments, **options)

    async def many(self, method: str, *arguments: Any, **options: Any) -> list[Any]:
        """Everything that a method gives which is iterated over."""
        return await self.collect(getattr(self.client, method)(*arguments, **options))

    async def pages(self, method: str, *arguments: Any, **options: Any) -> list[Any]:
        """The answers themselves of a method that gives pages."""
        return await self.collect(getattr(self.client, method)(*arguments, **options).pages())

    async def page(self, method: str, *arguments: Any, **options: Any) -> Any:
        """The first answer of a method that gives pages."""
        pages: Pages[Any, Any] | AsyncPages[Any, Any]
        pages = getattr(self.client, method)(*arguments, **options)
        if isinstance(pages, AsyncPages):
            return await pages.page()
        return await asyncio.to_thread(pages.page)

    async def collect(self, items: Any) -> list[Any]:
        if isinstance(self.client, AsyncClient):
            return [item async for item in items]
        return await asyncio.to_thread(list, items)

    async def each(self, method: str, *arguments: Any, **options: Any) -> AsyncGenerator[Any]:
        """What `many` gives, one by one."""
        items = getattr(self.client, method)(*arguments, **options)
        if isinstance(self.client, AsyncClient):
            async with aclosing(items):
                async for item in items:
                    yield item
        else:
            with closing(items):
                while (item := await asyncio.to_thread(next, items, None)) is not None:
                    yield item

    async def close(self) -> None:
        if isinstance(self.client, AsyncClient):
            await self.client.close()
        else:
            self.client.close()


class Refusing(grpc.GenericRpcHandler):
    """A gRPC server that answers every call, or ends every stream, with one code, and counts."""

    def __init__(self, code: grpc.StatusCode) -> None:
        self.calls = 0
        self._code = code
        self._server = grpc.aio.server()
        self._server.add_generic_rpc_handlers((self,))
        self.port = self._server.add_insecure_port("127.0.0.1:0")

    def service(self, details: grpc.HandlerCallDetails) -> Any:
        if details.method.endswith("/StreamFeedback"):
            return grpc.stream_stream_rpc_method_handler(self._refuse)
        return grpc.unary_unary_rpc_method_handler(self._refuse)

    async def _refuse(self, requests: Any, context: Any) -> None:
        self.calls += 1
        if self._code is not grpc.StatusCode.OK:
            await context.abort(self._code, "not today")
        async for _ in requests:
            break

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.stop(None)


@pytest.fixture(params=["sync", "asyncio"])
def kind(request: pytest.FixtureRequest) -> str:
    """Which client."""
    return str(request.param)


@pytest_asyncio.fixture
async def caller(kind: str, settings: Settings) -> AsyncIterator[Caller]:
    """A client of the service over the toy model."""
    async with serving(settings) as address:
        caller = Caller(kind, address)
        yield caller
        await caller.close()
