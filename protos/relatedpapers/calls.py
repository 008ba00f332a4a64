"""Calls as values: what to send and what to make of the answer, with no input or output.

`operations` makes them; the sync and the asyncio client only send them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar

from google.protobuf.message import Message

MAX_PAGE_SIZE = 100
"""The largest page that the server gives."""


class PageMessage(Protocol):
    """An answer that is one page of a list (AIP-158)."""

    next_page_token: str


T = TypeVar("T")
Page = TypeVar("Page", bound=PageMessage)


@dataclass(frozen=True)
class Call(Generic[T]):
    """One unary call.

    path: the method, as `/package.Service/Method`.
    request: the message to send.
    response: the class of the message that answers.
    result: what the caller gets of the answer.
    timeout_seconds: None for the client's own timeout.
    """

    path: str
    request: Any
    response: type[Message]
    result: Callable[[Any], T]
    timeout_seconds: float | None


@dataclass(frozen=True)
class Batch(Generic[T]):
    """Items that come from as few calls as the server's limit allows, asked for lazily."""

    calls: Iterable[Call[Iterator[T]]]


@dataclass(frozen=True)
class Listing(Generic[Page, T]):
    """A list that comes in pages.

    call: of the first page.
    items: the items of a page, in order.
    limit: how many items to hand on at most, 0 or more; None for all of them.
    """

    call: Call[Page]
    items: Callable[[Page], Sequence[T]]
    limit: int | None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise ValueError(f"limit is {self.limit}; it is 0 or more, or None for every result")


class Paging(Generic[Page, T]):
    """One walk through a listing: which page comes next, and which of its items are wanted."""

    def __init__(self, listing: Listing[Page, T]) -> None:
        self._listing = listing
        self._page_token: str = listing.call.request.page_token
        self._wanted = listing.limit
        self._ended = listing.limit == 0

    def next_call(self) -> Call[Page] | None:
        """The call for the next page, never of more items than are wanted; None at the end."""
        if self._ended:
            return None
        call = self._listing.call
        request = type(call.request)()
        request.CopyFrom(call.request)
        request.page_token = self._page_token
        if self._wanted is not None and request.page_size >= 0:  # a negative size is the server's
            request.page_size = min(request.page_size or MAX_PAGE_SIZE, self._wanted)  # to refuse
        return replace(call, request=request)

    def take(self, page: Page) -> Sequence[T]:
        """The wanted items of the page that the last call gave."""
        items = self._listing.items(page)[: self._wanted]
        if self._wanted is not None:
            self._wanted -= len(items)
        self._page_token = page.next_page_token
        self._ended = not page.next_page_token or self._wanted == 0
        return items


def listing(
    path: str,
    request: Any,
    response: type[Message],
    items: Callable[[Any], Sequence[T]],
    *,
    limit: int | None = None,
    timeout_seconds: float | None,
) -> Listing[Any, T]:
    """The list whose first page answers the request; the parameters are those of the call."""
    return Listing(Call(path, request, response, itself, timeout_seconds), items, limit)


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items in order, `size` at a time; the last chunk may be shorter."""
    chunk: list[T] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def itself(response: T) -> T:
    """The result that is the whole answer."""
    return response
