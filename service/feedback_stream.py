"""The messages of one feedback stream that are not acknowledged yet."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import NamedTuple

from relatedpapers.v1.feedback_service_pb2 import Event
from service.feedback_results import Settled

MAX_MESSAGE_EVENTS = 1_000
MAX_UNACKNOWLEDGED = 10_000
"""Events that a stream may have under way: what is read of it waits in memory."""

_MAX_FAILURES = 100  # an acknowledgement that has these takes in no further message


class Message(NamedTuple):
    """A message under way. number: its sequence number. settling: stores its events."""

    number: int
    events: Sequence[Event]
    settling: asyncio.Task[Settled]

    @property
    def load(self) -> int:
        """What it counts for: its events, and an empty one for one."""
        return max(len(self.events), 1)


class Unacknowledged:
    """Between the one who reads a stream's messages and the one who acknowledges them, in order."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque()
        self._load = 0
        self._changed = asyncio.Event()
        self._ended = False

    def add(
        self, number: int, events: Sequence[Event], settling: Coroutine[None, None, Settled]
    ) -> None:
        """A message was read; `settling` stores its events."""
        self._messages.append(Message(number, events, asyncio.create_task(settling)))
        self._load += self._messages[-1].load
        self._changed.set()

    def end(self) -> None:
        """There are no further messages."""
        self._ended = True
        self._changed.set()

    async def room(self) -> None:
        """Wait until another message may be read."""
        while self._load > MAX_UNACKNOWLEDGED - MAX_MESSAGE_EVENTS:
            await self._change()

    async def settled(self) -> AsyncIterator[list[tuple[Message, Settled]]]:
        """Messages that are settled, as many as there are at a time; each counts as acknowledged
        when the next are asked for. Raises the error of one that could not be stored."""
        while True:
            while not self._messages:
                if self._ended:
                    return
                await self._change()
            await self._messages[0].settling
            group = self._take()
            yield group
            self._load -= sum(message.load for message, _ in group)
            self._changed.set()

    async def abandon(self) -> None:
        """Nobody waits for the acknowledgements any more."""
        tasks = [message.settling for message in self._messages]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _take(self) -> list[tuple[Message, Settled]]:
        group: list[tuple[Message, Settled]] = []
        failures = 0
        while self._messages and failures < _MAX_FAILURES:
            settling = self._messages[0].settling
            if not settling.done() or settling.exception():
                break
            group.append((self._messages.popleft(), settling.result()))
            failures += len(group[-1][1].refused)
        return group

    async def _change(self) -> None:
        self._changed.clear()
        await self._changed.wait()
