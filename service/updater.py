"""The updater: learns item factors and co-readership from the feedback logs, and counts events.

Many may run at once. Of those that follow one model, the holder of the lease works (see
service/deltas.py) and the others stand by. What it knows it keeps in memory alone: whoever takes
the lease reads the readers' histories and computes every row, so an updater that dies at any point
leaves nothing half done. Counters are moved together with the cursor of the log, by comparison, so
no event is counted twice or passed over, also by updaters of different models.
"""

import asyncio
import json
import math
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from itertools import islice

import numpy as np
import structlog
from models.live import LiveReaders
from redis import RedisError

from models.artifact import Artifact
from models.interactions import EventType
from service.deltas import Delta, DeltaPublisher, LeaseLost
from service.errors import ServiceError
from service.event_types import event_types
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS
from service.logs import configure
from service.reader_deletion import DELETION
from service.reader_library import effective_library, trained_library
from service.settings import Settings
from service.tombstones import Tombstones

ENTRIES = 1_000
"""Log entries of one partition that are read at once."""

ROWS = 256
"""Rows that are computed between two looks at the logs."""

READERS = 64
"""Histories that are read at once."""

POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0
TRIM_SECONDS = 600.0
DAY_SECONDS = 86_400

_UNKNOWN = -1
"""No version: nothing was read yet."""

logger = structlog.get_logger(__name__)


class Updater:
    """Follows the logs of all partitions and publishes the deltas of one model.

    keep_seconds: how long the logs keep what was counted.
    `step` does a little of what there is to do; `run` steps until it is told to stop. Both may
    raise ServiceError and RedisError when the state server is away.
    """

    def __init__(
        self,
        state: FeedbackState,
        log: FeedbackLog,
        tombstones: Tombstones,
        artifact: Artifact,
        types: Mapping[str, EventType],
        keep_seconds: float,
    ) -> None:
        self.log = log
        self._state = state
        self._tombstones = tombstones
        self._artifact = artifact
        self._types = types
        self._keep_seconds = keep_seconds
        self._publisher = DeltaPublisher(state.client, artifact.version)
        self._trimmed = -math.inf
        self._forget()

    async def run(self, stopping: asyncio.Event) -> None:
        """Step until told to stop; a state server that is away is waited for."""
        while not stopping.is_set():
            try:
                pause = 0.0 if await self.step() else POLL_SECONDS
            except (ServiceError, RedisError, OSError) as error:
                logger.warning("the updater waits for the state server", because=str(error))
                self._forget()
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
        await self.close()

    async def close(self) -> None:
        """Let another updater go on at once."""
        with suppress(ServiceError, RedisError, OSError):
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
        self._touched: dict[int, None] = {}
        self._backlog: dict[int, None] = {}

    async def _load(self) -> None:
        """Read every history; what is appended meanwhile is read again from the logs."""
        self._forget()
        began = self._publisher.version
        self._live = LiveReaders(self._artifact, self._is_deleted)
        self._at = await self.log.ends()
        self._deleted = set(await self._tombstones.all())
        batch: list[str] = []
        async for reader in self._state.readers():
            batch.append(reader)
            if len(batch) == READERS:
                await self._refresh(batch)
                batch.clear()
                if not await self._publisher.hold() or self._publisher.version != began:
                    raise LeaseLost
        await self._refresh(batch)
        rows = [int(row) for row in self._live.touched()]
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
        for row in self._live.touched():
            self._backlog.pop(int(row), None)
            self._touched[int(row)] = None
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
        """Publish some rows, those that events touched first; True when there were any."""
        rows = list(islice(self._touched, ROWS))
        rows += islice(self._backlog, ROWS - len(rows))
        last = len(rows) == len(self._touched) + len(self._backlog)
        reached = self._at if last and self._at != self._reached else None
        if rows or reached:
            await self._publisher.publish(self._deltas(rows), reached)
            self._version = self._publisher.version
            self._reached = dict(reached or self._reached)
        for row in rows:
            self._touched.pop(row, None)
            self._backlog.pop(row, None)
        return bool(rows)

    def _deltas(self, rows: list[int]) -> dict[int, Delta | None]:
        if not rows:
            return {}
        found = self._live.deltas(np.array(rows, np.int32))
        return {
            row: Delta(0, factors, smoothed, float(readers), *co_read)
            for row, factors, smoothed, readers, co_read in zip(
                rows,
                found.item_factors,
                found.smoothed_text,
                found.readers,
                found.co_read,
                strict=True,
            )
        }


def main() -> int:
    """Run an updater process and return its exit code."""
    configure()
    line = sys.stdin.readline()
    if not line:  # the supervisor ended before it began
        return 0
    asyncio.run(_run(Settings(**json.loads(line))))
    return 0


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    artifact = Artifact.open(settings.model, verify=False)  # the worker has done so
    state = FeedbackState(settings.state_url or "", types=event_types(settings.event_types))
    await open_updater(state, artifact, settings).run(stopping)
    loop.remove_reader(sys.stdin.fileno())
    await state.close()


def open_updater(state: FeedbackState, artifact: Artifact, settings: Settings) -> Updater:
    """An updater as the settings say. Raises SigningKeysError."""
    types = event_types(settings.event_types)
    window_seconds = settings.event_window_days * DAY_SECONDS
    return Updater(
        state,
        FeedbackLog(state.client, window_seconds=window_seconds, types=types),
        Tombstones.open(state.client, settings.data_dir),
        artifact,
        types,
        settings.log_days * DAY_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
