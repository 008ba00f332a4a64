"""The messages of a stream that is open, as its handler reads them: hardly ahead of it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Inbox(Generic[T]):
    """What arrives on a stream, until the sender closes its side or `close` is called.

    One message waits and one more is held, at most; then the flow control of the wire holds the
    sender back. An error of the source is raised where its next message would have been.
    """

    def __init__(self, source: AsyncIterator[T]) -> None:
        self._source = source
        self._waiting: asyncio.Queue[T | Exception | None] = asyncio.Queue(maxsize=1)
        self._pump = asyncio.create_task(self._fill())
        self.closed = False
        """Whether `close` cut off what the source may still have given."""

    async def __aiter__(self) -> AsyncIterator[T]:
        while (message := await self._waiting.get()) is not None:
            if isinstance(message, Exception):
                raise message
            yield message
            if self.closed:
                break

    def close(self) -> None:
        """End the messages here. The one that waits is still read."""
        self.closed = not self._pump.done()
        if self._waiting.empty():
            self._waiting.put_nowait(None)

    def abandon(self) -> None:
        """Stop reading from the source; nobody reads the messages any more."""
        self._pump.cancel()

    async def _fill(self) -> None:
        try:
            async for message in self._source:
                await self._waiting.put(message)
        except Exception as error:  # noqa: BLE001 - the reader of the messages raises it
            await self._waiting.put(error)
        else:
            await self._waiting.put(None)
