"""The client for programs without asyncio."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial, wraps
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc

from relatedpapers import digest, errors, feedback, operations
from relatedpapers.calls import Batch, Call, Listing, Page, Paging
from relatedpapers.channel import OPTIONS, Connection
from relatedpapers.events import EventLike
from relatedpapers.stream import FeedbackStream
from relatedpapers.v1.feedback_service_pb2 import StreamFeedbackRequest, StreamFeedbackResponse
from relatedpapers.window import PATIENCE_SECONDS, STREAM_PATH, Acknowledgement, Patience

P = ParamSpec("P")
T = TypeVar("T")


class Pages(Generic[Page, T]):
    """A list that comes in pages. Nothing is asked before it is needed.

    Iterate over it for the items; each iteration starts at the first page. `page()` and `pages()`
    give the answers themselves, with their tokens and model version.
    """

    def __init__(self, client: "Client", listing: Listing[Page, T]) -> None:
        self._client = client
        self._listing = listing

    def __iter__(self) -> Iterator[T]:
        paging = Paging(self._listing)
        while call := paging.next_call():
            yield from paging.take(self._client.send(call))

    def pages(self) -> Iterator[Page]:
        """The answers, until the last page or the one that reaches the limit."""
        paging = Paging(self._listing)
        while call := paging.next_call():
            page = self._client.send(call)
            paging.take(page)
            yield page

    def page(self) -> Page:
        """The first page alone, as large as `page_size` says, whatever the limit."""
        return self._client.send(self._listing.call)


def _call(operation: Callable[P, Call[T]]) -> Callable[Concatenate["Client", P], T]:
    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.send(operation(*args, **kwargs))

    return method


def _batch(operation: Callable[P, Batch[T]]) -> Callable[Concatenate["Client", P], Iterator[T]]:
    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Iterator[T]:
        for call in operation(*args, **kwargs).calls:
            yield from self.send(call)

    return method


def _all(operation: Callable[P, Batch[T]]) -> Callable[Concatenate["Client", P], list[T]]:
    """For what changes something: it is done on return, whether or not anybody looks."""

    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> list[T]:
        return [item for call in operation(*args, **kwargs).calls for item in self.send(call)]

    return method


def _listing(
    operation: Callable[P, Listing[Page, T]],
) -> Callable[Concatenate["Client", P], Pages[Page, T]]:
    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Pages[Page, T]:
        return Pages(self, operation(*args, **kwargs))

    return method


class Client(Connection[grpc.Channel]):
    """A connection to one Related Papers service, with the parameters of `Connection`. Threads may
    share it.

    A call that no server answers (UNAVAILABLE) is tried up to five times, with growing, random
    pauses, for about three seconds; `subscribe` once, since each try may bring a mail. A failure
    raises a RelatedPapersError. The parameters of the methods are those of the functions of the
    same names in `operations`, `feedback` and `digest`.
    """

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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection. Calls in flight are cancelled."""
        self._channel.close()

    def send(self, call: Call[T]) -> T:
        """Send one call of `operations` and return its result."""
        method = self._channel.unary_unary(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        try:
            response = method(
                call.request, timeout=self._timeout(call.timeout_seconds), metadata=self._metadata
            )
        except grpc.RpcError as error:
            raise errors.of_call(error) from error
        return call.result(response)

    def stream_feedback(
        self, events: Iterable[EventLike], *, patience_seconds: float = PATIENCE_SECONDS
    ) -> Iterator[Acknowledgement]:
        """Send events as they come, and tell what becomes of them as it becomes durable.

        Nothing is sent before the first acknowledgement is asked for, and no more than 10,000
        events are read before they are acknowledged. An event without an id gets one (`EventLike`).
        Where the stream breaks (UNAVAILABLE) it is opened again and what was not acknowledged is
        sent again: nothing is lost, and nothing counts twice. Raises RelatedPapersError when that
        was in vain for `patience_seconds`, and what `events` raises after what came before.
        """
        method = self._channel.stream_stream(
            STREAM_PATH,
            StreamFeedbackRequest.SerializeToString,
            StreamFeedbackResponse.FromString,
        )
        open_stream = partial(method, metadata=self._metadata)
        return FeedbackStream(events, open_stream, Patience(patience_seconds)).run()

    def _open(self, target: str, credentials: grpc.ChannelCredentials | None) -> grpc.Channel:
        if credentials:
            return grpc.secure_channel(target, credentials, OPTIONS)
        return grpc.insecure_channel(target, OPTIONS)
