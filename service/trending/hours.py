"""The trending hours of all partitions on the state server: which changed, what they hold, and how
far they are behind the log."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

from redis.asyncio import Redis

from service.feedback_log import START, FeedbackLog
from service.feedback_state import pack_for_lua, run_scripts, state_errors
from service.keys import (
    PARTITIONS,
    cursor_key,
    events_key,
    log_key,
    trending_hours_key,
    trending_prefix,
)
from service.times import present_ms
from service.trending.records import Records
from service.trending.scripts import CATCH_UP, RESET

_ENTRIES_AT_ONCE = 1_000
_HOURS_AT_ONCE = 32


class Place(NamedTuple):
    """Where a partition stands.

    counted: the last entry of the log that was counted; trended: the last that is in the hours.
    revision: how often the hours changed.
    """

    counted: str
    trended: str
    revision: int


class Hours:
    """Reads the hours, and has those that are behind catch up.

    Every method raises ServiceError STATE_AWAY when the state server does not answer or refuses.
    """

    def __init__(self, client: Redis, log: FeedbackLog, records: Records) -> None:
        self._client = client
        self._log = log
        self._records = records

    async def places(self) -> list[Place]:
        """Where each partition stands."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.hmget(cursor_key(partition), ["id", "trends", "revision"])
            with state_errors():
                found = await pipeline.execute()
        return [
            Place(
                counted.decode() if counted else START,
                trended.decode() if trended else START,
                int(revision or 0),
            )
            for counted, trended, revision in found
        ]

    async def catch_up(self, partition: int, place: Place) -> bool:
        """Apply some entries that were counted without; whether there were any.

        That is so after a `reset`, and where events were counted before there were trends.
        """
        if place.counted == place.trended:
            return False
        entries = await self._log.read(partition, place.trended, _ENTRIES_AT_ONCE)
        due = [each for each in entries if _order(each[0]) <= _order(place.counted)]
        until = due[-1][0] if len(due) == _ENTRIES_AT_ONCE else place.counted
        records = pack_for_lua(self._records.of(due, present_ms()))
        keys = [
            *(log_key(partition), cursor_key(partition), events_key(partition)),
            *(trending_prefix(partition), trending_hours_key(partition)),
        ]
        arguments = [place.trended, until, records, self._records.keep_seconds]
        await run_scripts(self._client, CATCH_UP, [(keys, arguments)])
        return True

    async def reset(self) -> None:
        """Empty them all, so that they are made anew from the log."""
        for partition in range(PARTITIONS):
            keys = [
                *(cursor_key(partition), trending_prefix(partition)),
                trending_hours_key(partition),
            ]
            await run_scripts(self._client, RESET, [(keys, [])])

    async def changed(self, partition: int, revision: int) -> list[int]:
        """The hours of a partition that changed after a revision."""
        with state_errors():
            found: Any = await self._client.zrangebyscore(
                trending_hours_key(partition), f"({revision}", "+inf"
            )
        return [int(hour) for hour in found]

    async def read(
        self, partition: int, hours: list[int]
    ) -> AsyncIterator[tuple[int, dict[bytes, bytes]]]:
        """What each hour holds."""
        prefix = trending_prefix(partition)
        for begin in range(0, len(hours), _HOURS_AT_ONCE):
            some = hours[begin : begin + _HOURS_AT_ONCE]
            async with self._client.pipeline(transaction=False) as pipeline:
                for hour in some:
                    pipeline.hgetall(f"{prefix}{hour}")
                with state_errors():
                    found = await pipeline.execute()
            for hour, records in zip(some, found, strict=True):
                yield hour, records

    async def records(self) -> int:
        """How many records the hours hold."""
        total = 0
        for partition in range(PARTITIONS):
            hours, prefix = await self.changed(partition, 0), trending_prefix(partition)
            async with self._client.pipeline(transaction=False) as pipeline:
                for hour in hours:
                    pipeline.hlen(f"{prefix}{hour}")
                with state_errors():
                    total += sum(await pipeline.execute())
        return total

    async def forget(self, partition: int, first: int) -> None:
        """Remove the hours before one, and what they hold: what the list lacks `reset` would leave,
        and windows may be longer again."""
        key, prefix = trending_hours_key(partition), trending_prefix(partition)
        with state_errors():
            known: Any = await self._client.zrange(key, 0, -1)
            if gone := [hour for hour in known if int(hour) < first]:
                async with self._client.pipeline(transaction=True) as pipeline:
                    pipeline.unlink(*(f"{prefix}{int(hour)}" for hour in gone))
                    pipeline.zrem(key, *gone)
                    await pipeline.execute()


def _order(entry: str) -> tuple[int, int]:
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number)
