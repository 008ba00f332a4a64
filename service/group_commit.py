"""Group commit: while one flush is under way, the events of the next one gather.

Many small writes then share one append and one sync of the state server's file, and a lone write
waits for nobody (Gawlick and Kinkade 1985, "Varieties of concurrency control in IMS/VS Fast Path").
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from service.errors import Reason, ServiceError
from service.events import StoredEvent
from service.feedback_state import Outcome


class Appends(Protocol):
    """Where the events go."""

    async def append(self, events: Sequence[StoredEvent]) -> list[Outcome]:
        """Store them durably."""


class _Waiting:
    """One call's events, and who waits to hear what became of them."""

    __slots__ = ("done", "events")

    def __init__(self, events: Sequence[StoredEvent], done: asyncio.Future[list[Outcome]]) -> None:
        self.events = events
        self.done = done


class GroupCommit:
    """Writes events through shared flushes, one at a time.

    max_flush: the events that one flush takes together; a single larger call is a flush of its own.
    max_waiting: the events that may wait for their flush at any moment; more are refused.
    """

    def __init__(
        self, state: Appends, *, max_flush: int = 2_000, max_waiting: int = 100_000
    ) -> None:
        self._state = state
        self._max_flush = max_flush
        self._max_waiting = max_waiting
        self._queue: deque[_Waiting] = deque()
        self._waiting_events = 0
        self._flusher: asyncio.Task[None] | None = None

    async def write(self, events: Sequence[StoredEvent]) -> list[Outcome]:
        """What became of each event; all that are accepted are durable when this returns.

        A call that is cancelled may or may not have stored its events: sending them again is safe.
        Raises ServiceError: STATE_AWAY as `FeedbackState.append` does, OVERLOADED when too many
        events wait already.
        """
        if not events:
            return []
        if self._waiting_events and self._waiting_events + len(events) > self._max_waiting:
            raise ServiceError(
                Reason.OVERLOADED,
                f"{self._waiting_events} events wait to be stored, more than the state server "
                "keeps up with. Send these again in a moment, and fewer at once.",
            )
        waiting = _Waiting(events, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        self._waiting_events += len(events)
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_all())
        return await waiting.done

    async def close(self) -> None:
        """Wait until every event that waits has been flushed, or has failed."""
        if self._flusher is not None:
            await self._flusher

    async def _flush_all(self) -> None:
        try:
            while group := self._next_group():
                await self._flush(group)
        finally:
            self._flusher = None

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        size = 0
        while self._queue and (not group or size + len(self._queue[0].events) <= self._max_flush):
            waiting = self._queue.popleft()
            self._waiting_events -= len(waiting.events)
            if not waiting.done.cancelled():
                group.append(waiting)
                size += len(waiting.events)
        return group

    async def _flush(self, group: list[_Waiting]) -> None:
        try:
            outcomes = await self._state.append(
                [event for waiting in group for event in waiting.events]
            )
        except Exception as error:  # noqa: BLE001 - each caller gets it
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(error)
            return
        start = 0
        for waiting in group:
            end = start + len(waiting.events)
            if not waiting.done.done():
                waiting.done.set_result(outcomes[start:end])
            start = end
