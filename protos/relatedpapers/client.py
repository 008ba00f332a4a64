"""The client for programs without asyncio."""

from collections.abc import Callable, Iterator
from functools import wraps
from types import TracebackType
from typing import Concatenate, Generic, ParamSpec, Self, TypeVar

import grpc

from relatedpapers import errors, operations
from relatedpapers.calls import Batch, Call, Listing, Page, Paging
from relatedpapers.channel import OPTIONS, TIMEOUT_SECONDS

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


def _listing(
    operation: Callable[P, Listing[Page, T]],
) -> Callable[Concatenate["Client", P], Pages[Page, T]]:
    @wraps(operation)
    def method(self: "Client", /, *args: P.args, **kwargs: P.kwargs) -> Pages[Page, T]:
        return Pages(self, operation(*args, **kwargs))

    return method


class Client:
    """A connection to one Related Papers service. Threads may share it.

    target: host and port, or any other gRPC target.
    timeout_seconds: how long a call may take, its retries included, unless the call says otherwise.
    credentials: TLS; without, the connection is plain text, for a service on this machine.

    A call that no server answers (UNAVAILABLE) is tried up to five times, with growing, random
    pauses, for about three seconds. A failure raises a RelatedPapersError. The parameters of the
    methods are those of the functions of the same names in `operations`.
    """

    list_related_papers = _listing(operations.list_related_papers)
    batch_list_related_papers = _batch(operations.batch_list_related_papers)
    get_paper = _call(operations.get_paper)
    batch_get_papers = _batch(operations.batch_get_papers)
    get_model = _call(operations.get_model)
    list_models = _listing(operations.list_models)

    def __init__(
        self,
        target: str = "127.0.0.1:50051",
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        credentials: grpc.ChannelCredentials | None = None,
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._channel = (
            grpc.secure_channel(target, credentials, OPTIONS)
            if credentials
            else grpc.insecure_channel(target, OPTIONS)
        )

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
        timeout = call.timeout_seconds
        method = self._channel.unary_unary(
            call.path, type(call.request).SerializeToString, call.response.FromString
        )
        try:
            response = method(
                call.request, timeout=self._timeout_seconds if timeout is None else timeout
            )
        except grpc.RpcError as error:
            raise errors.of_call(error) from error
        return call.result(response)
