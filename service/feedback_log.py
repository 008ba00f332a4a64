"""The feedback log: every accepted event once, in the order of arrival, for whoever learns from it.

Each partition has a log, a cursor and counters. Many consumers may follow one log: the cursor moves
by comparison, together with the counters, so each event is counted exactly once whoever dies when.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from typing import Any

import msgpack
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from models.event_types import EVENT_TYPES, RETRACT
from service import event_window
from service.events import GONE, StoredEvent, unpack_accepted
from service.feedback_scripts import ADVANCE, READ, TRIM
from service.feedback_state import pack_for_lua, run_scripts, state_away, state_errors
from service.keys import (
    PARTITIONS,
    counts_key,
    cursor_key,
    events_key,
    log_key,
    trending_hours_key,
    trending_prefix,
)
from service.times import present_ms
from service.trending.records import Records

START = "0-0"
"""The place before the first entry of a log."""

_CLOCKS_DIFFER_SECONDS = 3_600
_READ_AT_ONCE = 2_000  # what a script can hand to one command
_TRIMMED_AT_ONCE = 1_000
_TAIL_SECONDS = 0.2
_TAIL_ENTRIES = 100


class FeedbackLog:
    """Reads the logs of all partitions, counts what they hold, and trims them.

    window_seconds: how old an event may be when it is accepted. The log is never trimmed to less
        than this, or than the longest window of any `serve` on this state, whatever is asked: it
        holds the ids that keep an event from counting twice.
    types: the names of the counters of a paper.
    trends: what events say of trends, for who counts; None leaves that for others to catch up with.
    Every method raises ServiceError STATE_AWAY when the state server does not answer or refuses.
    """

    def __init__(
        self,
        client: Redis,
        *,
        window_seconds: float = 30 * 86_400,
        types: Iterable[str] = EVENT_TYPES,
        trends: Records | None = None,
    ) -> None:
        self._client = client
        self._trends = trends
        self._window_seconds = window_seconds
        self._types = list(types)

    async def read(self, partition: int, after: str, count: int) -> list[tuple[str, StoredEvent]]:
        """Up to `count` entries after the one named, and at most 2,000, oldest first, with ids.

        The deletion of a reader is an entry too: an event of the reader "" (see
        service/reader_deletion.py). Of an entry whose event is gone it is `GONE`: whoever follows
        the log passes over it.
        """
        keys = [log_key(partition), events_key(partition)]
        [flat] = await run_scripts(self._client, READ, [(keys, [after, min(count, _READ_AT_ONCE)])])
        return [
            (entry.decode(), unpack_accepted(event) if event else GONE)
            for entry, event in zip(flat[::2], flat[1::2], strict=True)
        ]

    async def ends(self) -> dict[int, str]:
        """The last entry that the log of each partition has had; START if none."""
        return {
            partition: info["last-generated-id"].decode() if info else START
            for partition, info in enumerate(await self._infos())
        }

    async def cursor(self, partition: int) -> str:
        """The last entry that was counted; START if none."""
        with state_errors():
            found: Any = await self._client.hget(cursor_key(partition), "id")
        return found.decode() if found else START

    async def advance(
        self, partition: int, expected: str, entries: Sequence[tuple[str, StoredEvent]]
    ) -> bool:
        """Count entries and move the cursor behind them, if it is where it is expected.

        entries: what `read` returned after the expected cursor. False: another consumer was first,
        and nothing has changed.
        """
        if not entries:
            return True
        keys = [
            *(log_key(partition), cursor_key(partition), counts_key(partition)),
            *(events_key(partition), trending_prefix(partition), trending_hours_key(partition)),
        ]
        changes = msgpack.packb(_changes(event for _, event in entries))
        arguments = [expected, entries[-1][0], changes, b"", 0]
        if self._trends is not None:
            records = self._trends.of(entries, present_ms())
            arguments[3:] = pack_for_lua(records), self._trends.keep_seconds
        [moved] = await run_scripts(self._client, ADVANCE, [(keys, arguments)])
        return bool(moved)

    async def catch_up(self, partition: int, count: int) -> int:
        """Count up to `count` entries after the cursor; returns how many there were.

        They are counted on return, by whomever.
        """
        cursor = await self.cursor(partition)
        entries = await self.read(partition, cursor, count)
        await self.advance(partition, cursor, entries)
        return len(entries)

    async def lag(self) -> int:
        """How many entries were not counted yet, in all partitions."""
        infos = await self._infos()
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.hget(cursor_key(partition), "done")
            with state_errors():
                done = await pipeline.execute()
        added: int = sum(info.get("entries-added", 0) for info in infos)
        return max(0, added - sum(int(each or 0) for each in done))

    async def counts(self, paper: str) -> dict[str, int]:
        """How many events of each type the paper has, of those counted; types with none absent.

        Events that their readers took back do not count.
        """
        names = [_counter(paper, each) for each in self._types]
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.hmget(counts_key(partition), names)
            with state_errors():
                found = await pipeline.execute()
        sums = [sum(int(each or 0) for each in column) for column in zip(*found, strict=True)]
        return {name: each for name, each in zip(self._types, sums, strict=True) if each}

    async def trim(self, keep_seconds: float, *, now: float | None = None) -> int:
        """Forget the entries that are older and counted, with their event ids; returns how many.

        now: the time, in seconds since 1970, if not the present.
        """
        window_seconds = max(self._window_seconds, await event_window.longest(self._client))
        keep_seconds = max(keep_seconds, window_seconds + _CLOCKS_DIFFER_SECONDS)
        oldest_ms = max(0, int(((now or time.time()) - keep_seconds) * 1000))
        trimmed = 0
        for partition in range(PARTITIONS):
            last = min(await self.cursor(partition), f"{oldest_ms}-0", key=_place)
            keys = [log_key(partition), events_key(partition)]
            went = _TRIMMED_AT_ONCE
            while went == _TRIMMED_AT_ONCE:
                calls = [(keys, [last, _TRIMMED_AT_ONCE])]
                [went] = await run_scripts(self._client, TRIM, calls)
                trimmed += went
        return trimmed

    async def tail(
        self, after: Mapping[int, str] | None = None
    ) -> AsyncGenerator[tuple[int, str, StoredEvent]]:
        """Partition, entry and event of each that arrives; it never ends.

        after: the last entry seen in each partition; absent: from now on.
        """
        places = dict(after if after is not None else await self.ends())
        while True:
            pages = await asyncio.gather(
                *(
                    self.read(partition, places.get(partition, START), _TAIL_ENTRIES)
                    for partition in range(PARTITIONS)
                )
            )
            arrived = [
                (_place(entry), partition, entry, event)
                for partition, page in enumerate(pages)
                for entry, event in page
            ]
            for _, partition, entry, event in sorted(arrived, key=lambda each: each[:2]):
                places[partition] = entry
                if event is not GONE:
                    yield partition, entry, event
            if not arrived:
                await asyncio.sleep(_TAIL_SECONDS)

    async def _infos(self) -> list[dict[str, Any]]:
        """What the server says of each partition's log; empty for one that never had an entry."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.xinfo_stream(log_key(partition))
            with state_errors():
                found = await pipeline.execute(raise_on_error=False)
        infos = [{} if _is_absent(each) else each for each in found]
        for info in infos:
            if isinstance(info, Exception):
                raise state_away(info) from info
        return infos


def _is_absent(answer: object) -> bool:
    return isinstance(answer, ResponseError) and "no such key" in str(answer)


def _changes(events: Iterable[StoredEvent]) -> dict[str, int]:
    """What these events add to the counters and take away."""
    changes: Counter[str] = Counter()
    for event in events:
        if event.undoes:
            changes[_counter(*event.undoes)] -= 1
        elif event.reader and event.type != RETRACT and not event.retracted:
            changes[_counter(event.paper, event.type)] += 1
    return {name: change for name, change in changes.items() if change}


def _counter(paper: str, event_type: str) -> str:
    return f"{paper}\t{event_type}"


def _place(entry: str) -> tuple[int, int]:
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number)
