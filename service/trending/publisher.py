"""The updater's side of trends: follows the hours, and publishes the rankings that they make.

Many may run at once; the holder of the lease works. What it knows it keeps in memory alone, and
whoever takes the lease reads every hour. A ranking is replaced whole, together with those of the
other windows. While hours are made anew the rankings stay as they were.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from operator import lt

import structlog
from redis.asyncio import Redis

from service.errors import ServiceError
from service.feedback_state import run_scripts
from service.keys import PARTITIONS, RANKINGS_KEY, RANKINGS_PUBLISHER_KEY
from service.stepping import keep_stepping
from service.times import DAY_MS, present_ms
from service.trending.hours import Hours, Place
from service.trending.layout import HOUR_MS
from service.trending.scripts import HOLD, PUBLISH, RELEASE
from service.trending.table import Table
from service.trending.windows import Trending

LEASE_MS = 20_000
"""How long after its last sign of life a publisher is taken for dead; making a ranking of tens of
millions of events takes less. So long another waits after one was killed, while the rankings stay
as they were; one that is told to stop lets go at once."""

KEEP_MS = 7 * DAY_MS
"""How long rankings stay that nobody renews."""

RENEW_MS = 60_000
"""So often rankings are made anew where no event changes them: time does."""

REST = 9.0
"""How much longer than a publication took the next one waits: a tenth of the time is spent."""

MIN_REST_SECONDS = 1.0
MAX_REST_SECONDS = 10.0
"""A machine that was held up makes a publication look slow: the next waits no longer for it."""

POLL_SECONDS = 0.5

log = structlog.get_logger(__name__)


class TrendPublisher:
    """Publishes the rankings of all windows.

    now_ms: the present, Unix time.
    `step` does what there is to do and raises ServiceError STATE_AWAY when the state server is
    away; `run` steps until it is told to stop, and waits for the server.
    """

    def __init__(
        self,
        client: Redis,
        hours: Hours,
        configured: Trending,
        now_ms: Callable[[], int] = present_ms,
    ) -> None:
        self.hours = hours
        self._client = client
        self._configured = configured
        self._now_ms = now_ms
        self._token = secrets.token_hex(16)
        self._rest_until = 0.0
        self._forget()

    async def run(self, stopping: asyncio.Event) -> None:
        """Step until told to stop."""
        await keep_stepping("trending", self._beat, stopping, POLL_SECONDS, self._forget)
        await self.close()

    async def close(self) -> None:
        """Let another publisher go on at once."""
        with suppress(ServiceError):
            calls = [([RANKINGS_PUBLISHER_KEY], [self._token])]
            await run_scripts(self._client, RELEASE, calls)

    async def step(self) -> bool:
        """Catch up, read what changed, and publish; False if there was nothing to do, or another
        does it."""
        if not await self._hold():
            self._forget()
            return False
        began = time.monotonic()
        places = await self.caught_up()
        now_ms = self._now_ms()
        changed = await self._read(places, now_ms)
        if not changed and now_ms - self._published_ms < RENEW_MS:
            return False
        done = await self._publish(now_ms)
        took = time.monotonic() - began
        rest = min(max(REST * took, MIN_REST_SECONDS), MAX_REST_SECONDS)
        self._rest_until = time.monotonic() + rest
        return done

    async def caught_up(self) -> list[Place]:
        """Where the partitions stand, when the hours hold all that was counted."""
        while True:
            places = await self.hours.places()
            behind = [
                await self.hours.catch_up(partition, place)
                for partition, place in enumerate(places)
            ]
            if not any(behind):
                return places
            await self._hold()

    async def behind(self) -> bool:
        """Whether the hours lack an entry that was counted."""
        return any(each.counted != each.trended for each in await self.hours.places())

    async def _beat(self) -> bool:
        """A step, or while it rests a sign of life. Never at once again."""
        if time.monotonic() >= self._rest_until:
            await self.step()
        else:
            await self._hold()
        return False

    def _forget(self) -> None:
        """What is in memory may be older than the state: the next step reads everything."""
        self._table = Table(self._configured.weights)
        self._revisions = [0] * PARTITIONS
        self._published_ms = -RENEW_MS
        self._first = 0

    async def _hold(self) -> bool:
        calls = [([RANKINGS_PUBLISHER_KEY], [self._token, LEASE_MS])]
        [held] = await run_scripts(self._client, HOLD, calls)
        return bool(held)

    async def _read(self, places: list[Place], now_ms: int) -> bool:
        """Hold what changed; whether anything did."""
        if any(map(lt, (place.revision for place in places), self._revisions)):
            self._forget()  # another server, or an older copy of it
        changed = False
        for partition, place in enumerate(places):
            if place.revision == self._revisions[partition]:
                continue
            changed = True
            hours = await self.hours.changed(partition, self._revisions[partition])
            async for hour, records in self.hours.read(partition, hours):
                await asyncio.to_thread(self._table.replace, partition, hour, records)
            self._revisions[partition] = place.revision
        first = (now_ms - self._configured.longest_ms) // HOUR_MS
        if first > self._first:
            self._first = first
            self._table.forget(first)
            for partition in range(PARTITIONS):
                await self.hours.forget(partition, first)
        return changed

    async def _publish(self, now_ms: int) -> bool:
        """Publish the rankings; whether the lease was still ours."""
        arguments: list[object] = [self._token, KEEP_MS]
        for window, length_ms in self._configured.windows.items():
            await self._hold()
            ranking = await asyncio.to_thread(self._table.ranking, length_ms, now_ms)
            arguments += (window, ranking.pack())
        calls = [([RANKINGS_KEY, RANKINGS_PUBLISHER_KEY], arguments)]
        [done] = await run_scripts(self._client, PUBLISH, calls)
        self._published_ms = now_ms
        return bool(done)
