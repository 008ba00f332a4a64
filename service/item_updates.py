"""The updater: learns item factors and co-readership from the feedback logs, and counts events.

Many may run at once. Of those that follow one model, the holder of the lease works (see
service/deltas.py) and the others stand by. What it knows it keeps in memory alone: whoever takes
the lease reads the readers' histories and computes every row, so an updater that dies at any point
leaves nothing half done. Counters are moved together with the cursor of the log, by comparison, so
no event is counted twice or passed over, also by updaters of different models.
"""

import asyncio
import math
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice

import numpy as np
import structlog

from models.artifact import Artifact
from models.interactions import EventType
from models.live import LiveReaders
from service.deltas import Delta, DeltaPublisher, LeaseLost
from service.errors import ServiceError
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS
from service.reader_deletion import DELETION
from service.reader_library import effective_library, trained_library
from service.tombstones import Tombstones

ENTRIES = 1_000
"""Log entries of one partition that are read at once."""

ROWS = 256
"""Rows that are computed between two looks at the logs."""

READERS = 64
"""Histories that are read at once."""

REST = 9.0
"""How much longer than a settling took the next one waits."""

POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0
TRIM_SECONDS = 600.0

_UNKNOWN = -1
"""No version: nothing was read yet."""

log = structlog.get_logger(__name__)


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
        while not stopping.is_set():
            try:
                pause = 0.0 if await self.step() else POLL_SECONDS
            except ServiceError as error:
                log.warning("the updater waits for the state server", because=str(error))
                self._forget()
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
        await self.close()

    async def close(self) -> None:
        """Let another updater go on at once."""
        with suppress(ServiceError):
            await self._publisher.release()

    async def step(self) -> bool:
        """Follow the logs a little, publish a little; False when there was nothing to do."""
        if not await self._publisher.hold():
            return False
        try:
            if self._publisher.version != self._version:
                await self._load()
            worked = await self._follow()
            worked |= await self._publish()
        except LeaseLost:
            return False
        if time.monotonic() - self._trimmed > TRIM_SECONDS:
            self._trimmed = time.monotonic()
            await self.log.trim(self._keep_seconds)
        return worked

    def _forget(self) -> None:
        """Begin again: what is in memory may be older than the state."""
        self._version = _UNKNOWN
        self._at: dict[int, str] = {}
        self._reached: dict[int, str] = {}
        self._uncounted = set(range(PARTITIONS))
        self._readers: set[str] = set()
        self._deleted: set[str] = set()
        self._touched: dict[int, None] = {}  # rows to publish; a dict keeps their order
        self._backlog: dict[int, None] = {}
        self._settled = False
        self._settling_since: float | None = None
        self._settle_from = -math.inf

    async def _load(self) -> None:
        """Read every history; what is appended meanwhile is read again from the logs."""
        self._forget()
        began = self._publisher.version
        self._at = await self.log.ends()
        self._deleted = set(await self._tombstones.all())
        self._live = LiveReaders(self._artifact, self._is_deleted)
        batch: list[str] = []
        async for reader in self._state.readers():
            batch.append(reader)
            if len(batch) == READERS:
                await self._refresh(batch)
                batch.clear()
                if not await self._publisher.hold() or self._publisher.version != began:
                    raise LeaseLost
        await self._refresh(batch)
        rows = self._live.touched().tolist()
        self._backlog = dict.fromkeys([*rows, *await self._publisher.rows()])
        self._version = began

    def _is_deleted(self, reader: str) -> bool:
        return bool(self._deleted) and self._tombstones.of(reader) in self._deleted

    async def _refresh(self, readers: Iterable[str]) -> None:
        """Read the present libraries of these readers."""
        names = list(readers)
        self._readers.update(names)
        histories = await asyncio.gather(*map(self._state.history, names))
        for reader, history in zip(names, histories, strict=True):
            trained = {} if self._is_deleted(reader) else trained_library(self._artifact, reader)
            library = effective_library(self._artifact, trained, history.events, self._types)
            self._live.replace(reader, library)

    async def _follow(self) -> bool:
        """Read on in every log; True when there was anything."""
        batches = await asyncio.gather(
            *(self.log.read(each, self._at[each], ENTRIES) for each in range(PARTITIONS))
        )
        readers: dict[str, None] = {}
        for partition, entries in enumerate(batches):
            if entries:
                if not await self.log.advance(partition, self._at[partition], entries):
                    self._uncounted.add(partition)
                self._at[partition] = entries[-1][0]
                for _, event in entries:
                    readers.update(dict.fromkeys(self._concerned(event)))
        await self._catch_up()
        names = iter(readers)
        while batch := list(islice(names, READERS)):
            await self._refresh(batch)
        touched = self._live.touched().tolist()
        for row in touched:
            self._backlog.pop(row, None)
            self._touched[row] = None
        self._settled &= not touched
        return any(batches)

    def _concerned(self, event: StoredEvent) -> list[str]:
        """Whose library an entry may have changed."""
        if event.type != DELETION:
            return [event.reader]
        self._deleted.add(event.id)
        trained = self._artifact.readers
        known = {*self._readers, *(trained[at] for at in range(len(trained)))}
        return [reader for reader in known if self._tombstones.of(reader) == event.id]

    async def _catch_up(self) -> None:
        """Count what lies before our place in a log but after its cursor: another updater that
        counts there may be ahead of us, or dead."""
        for partition in sorted(self._uncounted):
            cursor = await self.log.cursor(partition)
            entries = await self.log.read(partition, cursor, ENTRIES)
            if entries:
                await self.log.advance(partition, cursor, entries)
            else:
                self._uncounted.discard(partition)

    async def _publish(self) -> bool:
        """Publish some rows, those that events touched first; False when none was left."""
        rows = list(islice(self._touched, ROWS))
        rows += islice(self._backlog, ROWS - len(rows))
        if not rows:
            return await self._settle()
        await self._publisher.publish(self._deltas(rows))
        self._version = self._publisher.version
        for row in rows:
            self._touched.pop(row, None)
            self._backlog.pop(row, None)
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
        if self._at != self._reached:
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
