"""A stream of feedback for asyncio: a task of its own reads the events."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from typing import Any

import grpc

from relatedpapers import errors
from relatedpapers.events import EventLike
from relatedpapers.v1.feedback_service_pb2 import StreamFeedbackRequest
from relatedpapers.window import Acknowledgement, Patience, Window, ended_early

Events = Iterable[EventLike] | AsyncIterable[EventLike]
Open = Callable[[AsyncIterator[StreamFeedbackRequest]], Any]
"""Opens a stream: gives the answers to an iterator of messages."""


class AsyncFeedbackStream:
    """`FeedbackStream` for asyncio. Events that block while they are read block the loop."""

    def __init__(self, events: Events, open_stream: Open, patience: Patience) -> None:
        self._events = events
        self._open = open_stream
        self._patience = patience
        self._window = Window()
        self._changed = asyncio.Condition()

    async def run(self) -> AsyncIterator[Acknowledgement]:
        """The acknowledgements, as they come. Raises RelatedPapersError, and what the events do."""
        patience = self._patience
        reading = asyncio.create_task(self._read())
        try:
            while await self._unsettled():
                call = self._open(self._messages(self._window.stream))
                broken: errors.RelatedPapersError | None = None
                try:
                    async for answer in call:
                        patience.progress()
                        acknowledgement = self._window.take(answer)
                        await self._notify()
                        yield acknowledgement
                    if not self._window.empty:
                        broken = ended_early()
                except grpc.RpcError as error:
                    broken = errors.of_call(error)
                except asyncio.CancelledError:
                    if _is_cancelled():
                        raise
                    broken = ended_early()  # grpc cancels a call whose server left while it wrote
                finally:
                    call.cancel()
                    self._window.restart()
                    await self._notify()
                if broken:
                    await asyncio.sleep(patience.pause_seconds(broken))
            await reading
        finally:
            reading.cancel()

    async def _unsettled(self) -> bool:
        """Whether there is something to send; waits until there is, or there never will be."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._window.ended or not self._window.empty)
        return not self._window.empty

    async def _messages(self, stream: int) -> AsyncIterator[StreamFeedbackRequest]:
        """What to send on one stream."""
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._window.due(stream))
                message = self._window.next_message(stream)
            if message is None:
                return
            yield message

    async def _read(self) -> None:
        try:
            async for event in _each(self._events):
                async with self._changed:
                    await self._changed.wait_for(lambda: not self._window.full)
                    self._window.add(event)
                    self._changed.notify_all()
        finally:
            self._window.ended = True
            await self._notify()

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def _is_cancelled() -> bool:
    """Whether it is the present task that somebody cancels."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _each(events: Events) -> AsyncIterator[EventLike]:
    if isinstance(events, AsyncIterable):
        async for event in events:
            yield event
    else:
        for event in events:
            yield event
