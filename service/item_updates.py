"""The updater's work: counts events, and learns item factors and co-readership from them.

Many may run at once. Of those that follow one model, the holder of the lease works (see
service/deltas.py) and the others stand by. What it knows it keeps in memory alone: whoever takes
the lease reads every reader's history and computes every row, so an updater that dies at any point
leaves nothing half done. Counters are moved together with the cursor of the log, by comparison, so
no event is counted twice or passed over, also by updaters of different models.

A burst of events becomes a queue of readers, each once, and these become queues of rows, each once.
"""

import asyncio
import math
import time
from collections.abc import Mapping
from contextlib import suppress
from itertools import islice

import numpy as np
import structlog

from models.artifact import Artifact
from models.event_types import EventType
from models.live import LiveReaders
from service.deltas import Delta, DeltaPublisher, LeaseLost
from service.errors import ServiceError
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS
from service.reader_deletion import DELETION
from service.reader_library import effective_library, trained_library
from service.stepping import keep_stepping
from service.tombstones import Tombstones

ENTRIES = 1_000
"""Log entries of one partition that a step reads."""

READERS = 256
"""Libraries that a step reads."""

ROWS = 256
"""Rows that a step computes."""

NAMED_ROWS = 192
"""Of these, at most so many that events named, while others wait too."""

REST = 9.0
"""How much longer than a settling took the next one waits."""

POLL_SECONDS = 0.2
TRIM_SECONDS = 600.0

_UNKNOWN = -1
"""No version: nothing was read yet."""

log = structlog.get_logger(__name__)

Queue = dict[int, None]
"""Rows, each once, in the order in which they came."""


class Updater:
    """Follows the logs of all partitions and publishes the deltas of one model.

    keep_seconds: how long the logs keep what was counted.
    `step` does a little of what there is to do and raises ServiceError STATE_AWAY when the state
    server is away; `run` steps until it is told to stop, and waits for the server.
    """

    def __init__(
        self,
        state: FeedbackState,
        feedback_log: FeedbackLog,
        tombstones: Tombstones,
        artifact: Artifact,
        types: Mapping[str, EventType],
        keep_seconds: float,
    ) -> None:
        self.log = feedback_log
        self._state = state
        self._tombstones = tombstones
        self._artifact = artifact
        self._types = types
        self._keep_seconds = keep_seconds
        self._publisher = DeltaPublisher(state.client, artifact.version)
        self._trimmed = -math.inf
        self._forget()

    async def run(self, stopping: asyncio.Event) -> None:
        """Step until told to stop."""
        await keep_stepping("the updater", self.step, stopping, POLL_SECONDS, self._forget)
        await self.close()

    async def close(self) -> None:
        """Let another updater go on at once."""
        with suppress(ServiceError):
            await self._publisher.release()

    async def step(self) -> bool:
        """Do a little of everything; False when there was nothing to do."""
        if not await self._publisher.hold():
            return False
        if self._publisher.version != self._version:
            await self._begin()
        followed = await self._follow()
        refreshed = await self._refresh()
        try:
            published = not self._loading and await self._publish()
        except LeaseLost:
            return False
        if time.monotonic() - self._trimmed > TRIM_SECONDS:
            self._trimmed = time.monotonic()
            await self.log.trim(self._keep_seconds)
        return followed or refreshed or published

    def _forget(self) -> None:
        """What is in memory may be older than the state: the next step begins anew."""
        self._version = _UNKNOWN
        self._loading = True
        self._at: dict[int, str] = {}
        self._reached: dict[int, str] = {}
        self._uncounted = set(range(PARTITIONS))
        self._readers: set[str] = set()
        self._deleted: set[str] = set()
        self._stale: dict[str, None] = {}  # readers whose libraries are to be read
        self._named: set[int] = set()  # rows in their events
        self._first: Queue = {}
        self._touched: Queue = {}
        self._backlog: Queue = {}
        self._settled = False
        self._settling_since: float | None = None
        self._settle_from = -math.inf

    async def _begin(self) -> None:
        """Queue every reader and every published row; nothing is published before all readers are
        known. What is appended meanwhile comes again from the logs."""
        self._forget()
        self._at = await self.log.ends()
        self._deleted = set(await self._tombstones.all())
        self._live = LiveReaders(self._artifact, self._is_deleted)
        self._stale = dict.fromkeys([reader async for reader in self._state.readers()])
        self._backlog = dict.fromkeys(await self._publisher.rows())
        self._version = self._publisher.version

    def _is_deleted(self, reader: str) -> bool:
        return bool(self._deleted) and self._tombstones.of(reader) in self._deleted

    async def _follow(self) -> bool:
        """Read on in every log and count; True when there was anything."""
        batches = await asyncio.gather(
            *(self.log.read(each, self._at[each], ENTRIES) for each in range(PARTITIONS))
        )
        for partition, entries in enumerate(batches):
            if entries:
                if not await self.log.advance(partition, self._at[partition], entries):
                    self._uncounted.add(partition)
                self._at[partition] = entries[-1][0]
                for _, event in entries:
                    self._note(event)
        await self._catch_up()
        return any(batches)

    def _note(self, event: StoredEvent) -> None:
        """Queue whose library an entry may have changed."""
        if event.reader:
            self._stale[event.reader] = None
            if (row := self._artifact.papers.row(event.paper)) is not None:
                self._named.add(row)
        if event.type != DELETION:
            return
        self._deleted.add(event.id)
        trained = self._artifact.readers
        known = {*self._readers, *(trained[at] for at in range(len(trained)))}
        gone = (reader for reader in known if self._tombstones.of(reader) == event.id)
        self._stale.update(dict.fromkeys(gone))

    async def _catch_up(self) -> None:
        """Count what lies before our place in a log but after its cursor: another updater that
        counts there may be ahead of us, or dead."""
        for partition in sorted(self._uncounted):
            if not await self.log.catch_up(partition, ENTRIES):
                self._uncounted.discard(partition)

    async def _refresh(self) -> bool:
        """Read the present libraries of some readers; False when none was waiting."""
        readers = list(islice(self._stale, READERS))
        self._readers.update(readers)
        for reader, history in zip(readers, await self._state.histories(readers), strict=True):
            del self._stale[reader]
            trained = {} if self._is_deleted(reader) else trained_library(self._artifact, reader)
            library = effective_library(self._artifact, trained, history.events, self._types)
            self._live.replace(reader, library)
        touched = self._live.touched().tolist()
        for row in touched:
            (self._first if row in self._named else self._touched)[row] = None
        self._settled &= not touched
        if not self._stale:
            self._loading = False
            self._named.clear()
        return bool(readers)

    async def _publish(self) -> bool:
        """Publish some rows; False when none was waiting."""
        rows = list(islice(self._first, NAMED_ROWS))
        for queue in (self._touched, self._backlog, self._first):
            rows += [row for row in islice(queue, ROWS) if row not in rows][: ROWS - len(rows)]
        if not rows:
            return await self._settle()
        deltas = self._deltas(rows)
        # Computing may have taken longer than the lease; nobody may have published meanwhile.
        if not await self._publisher.hold() or self._publisher.version != self._version:
            raise LeaseLost
        await self._publisher.publish(deltas)
        self._version = self._publisher.version
        for queue in (self._first, self._touched, self._backlog):
            for row in rows:
                queue.pop(row, None)
        return True

    async def _settle(self) -> bool:
        """Turn to the many rows that events moved a little, then say how far all of it is.

        It rests between, so that a steady stream of events does not have them computed all the
        time.
        """
        now = time.monotonic()
        if self._settling_since is not None:
            self._settle_from = now + REST * (now - self._settling_since)
            self._settling_since = None
        if not self._settled:
            if now >= self._settle_from:
                self._settled, self._settling_since = True, now
                self._backlog = dict.fromkeys(self._live.indirect().tolist())
            return self._settled
        if not self._stale and self._at != self._reached:
            await self._publisher.publish({}, self._at)
            self._reached = dict(self._at)
        return False

    def _deltas(self, rows: list[int]) -> dict[int, Delta | None]:
        found = self._live.deltas(np.array(rows, np.int32))
        deltas: dict[int, Delta | None] = {}
        for at, row in enumerate(rows):
            if not found.changed[at]:
                deltas[row] = None
                continue
            co_read, similarities = found.co_read[at]
            deltas[row] = Delta(
                version=0,
                item_factors=found.item_factors[at],
                smoothed_text=found.smoothed_text[at],
                readers=float(found.readers[at]),
                co_read=co_read,
                similarities=similarities,
            )
        return deltas
