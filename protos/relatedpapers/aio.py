"""The client for asyncio."""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial, wraps
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc
import grpc.aio

from relatedpapers import digest, errors, feedback, operations
from relatedpapers.aio_stream import AsyncFeedbackStream, Events
from relatedpapers.calls import Batch, Call, Listing, Page, Paging
from relatedpapers.channel import OPTIONS, Connection
from relatedpapers.v1.feedback_service_pb2 import StreamFeedbackRequest, StreamFeedbackResponse
from relatedpapers.window import PATIENCE_SECONDS, STREAM_PATH, Acknowledgement, Patience

P = ParamSpec("P")
T = TypeVar("T")


class AsyncPages(Generic[Page, T]):
    """A list that comes in pages: `client.Pages`, with `async for` and `await`."""

    def __init__(self, client: "AsyncClient", listing: Listing[Page, T]) -> None:
        self._client = client
        self._listing = listing

    async def __aiter__(self) -> AsyncIterator[T]:
        paging = Paging(self._listing)
        while call := paging.next_call():
            for item in paging.take(await self._client.send(call)):
                yield item

    async def pages(self) -> AsyncIterator[Page]:
        """The answers, until the last page or the one that reaches the limit."""
        paging = Paging(self._listing)
        while call := paging.next_call():
            page = await self._client.send(call)
            paging.take(page)
            yield page

    async def page(self) -> Page:
        """The first page alone, as large as `page_size` says, whatever the limit."""
        return await self._client.send(self._listing.call)


def _call(
    operation: Callable[P, Call[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    @wraps(operation)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.send(operation(*args, **kwargs))

    return method


def _batch(
    operation: Callable[P, Batch[T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncIterator[T]]:
    @wraps(operation)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncIterator[T]:
        for call in operation(*args, **kwargs).calls:
            for item in await self.send(call):
                yield item

    return method


def _all(
    operation: Callable[P, Batch[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[list[T]]]:
    """For what changes something: it is done on return, whether or not anybody looks."""

    @wraps(operation)
    async def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        calls = operation(*args, **kwargs).calls
        return [item for call in calls for item in await self.send(call)]

    return method


def _listing(
    operation: Callable[P, Listing[Page, T]],
) -> Callable[Concatenate["AsyncClient", P], AsyncPages[Page, T]]:
    @wraps(operation)
    def method(self: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> AsyncPages[Page, T]:
        return AsyncPages(self, operation(*args, **kwargs))

    return method


class AsyncClient(Connection[grpc.aio.Channel]):
    """`Client` for asyncio, made inside a running event loop; tasks of that loop may share it."""

    list_related_papers = _listing(operations.list_related_papers)
    batch_list_related_papers = _batch(operations.batch_list_related_papers)
    get_paper = _call(operations.get_paper)
    batch_get_papers = _batch(operations.batch_get_papers)
    get_model = _call(operations.get_model)
    list_models = _listing(operations.list_models)
    recommend_papers = _listing(operations.recommend_papers)
    search_papers = _listing(operations.search_papers)
    list_trending_papers = _listing(operations.list_trending_papers)
    write_feedback = _all(feedback.write_feedback)
    export_reader = _listing(feedback.export_reader)
    delete_reader = _call(feedback.delete_reader)
    subscribe = _call(digest.subscribe)
    confirm_subscription = _call(digest.confirm_subscription)
    get_subscription = _call(digest.get_subscription)
    update_subscription = _call(digest.update_subscription)
    unsubscribe = _call(digest.unsubscribe)
    erase_subscription = _call(digest.erase_subscription)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls in flight are cancelled."""
        await self._channel.close()

    async def send(self, call: Call[T]) -> T:
        """Send one call of `operations` and return its result."""
        method = self._channel.unary_unary(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        try:
            response = await method(
                call.request, timeout=self._timeout(call.timeout_seconds), metadata=self._metadata
            )
        except grpc.RpcError as error:
            raise errors.of_call(error) from error
        return call.result(response)

    def stream_feedback(
        self, events: Events, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> AsyncIterator[Acknowledgement]:
        """`Client.stream_feedback`, whose events may come from an asynchronous iterator too."""
        method = self._channel.stream_stream(
            STREAM_PATH,
            StreamFeedbackRequest.SerializeToString,
            StreamFeedbackResponse.FromString,
        )
        open_stream = partial(method, metadata=self._metadata)
        return AsyncFeedbackStream(events, open_stream, Patience(patience_seconds)).run()

    def _open(self, target: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
        if credentials:
            return grpc.aio.secure_channel(target, credentials, OPTIONS)
        return grpc.aio.insecure_channel(target, OPTIONS)
