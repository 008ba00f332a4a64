"""Cached answers: a small in-process cache, then Redis, then one computation for all who ask.

The cache never decides whether a request is answered: when Redis is away, slow or full, answers are
computed, the failure is counted, and an outage is logged once.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import structlog
from redis import RedisError

from service.connection import connect
from service.memory import LruCache

MAX_VALUE_BYTES = 1 << 20
"""Larger values are not cached: one of them would push thousands of usual ones out."""

LOCAL_TTL_SECONDS = 60.0
"""The longest that a value stays in the process, which does not know when it expires in Redis."""

LOCAL_ENTRIES = 10_000
"""The most values in the process, however small."""

TTL_JITTER = 0.1
"""A TTL is shortened by up to this share, so that entries written together expire apart."""

log = structlog.get_logger(__name__)


class Cache(Protocol):
    """Bytes by key, for a while. An entry may vanish at any time; neither method fails for that."""

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value for at most this long."""

    async def close(self) -> None:
        """Release connections."""


@dataclass
class CacheCounters:
    """What happened since the start; each answer is one of the first four."""

    local_hits: int = 0
    """Found in the process."""
    shared_hits: int = 0
    """Found in Redis."""
    misses: int = 0
    """Computed, or tried to."""
    coalesced: int = 0
    """Waited for an equal request that was already under way."""
    errors: int = 0
    """Commands that failed because Redis was away, slow or refused them."""
    skipped: int = 0
    """Commands not tried because one had just failed."""


@dataclass(frozen=True)
class Policy:
    """How the answers of one method are cached.

    ttl_seconds: the longest life of an entry.
    shared: whether Redis holds it too, or the process alone.
    """

    ttl_seconds: float
    shared: bool


class RedisCache:
    """A `Cache` in Redis. After a failure it is left alone for a moment, then tried by one caller.

    timeout_seconds: the longest that an answer is delayed by one command.
    rest_seconds: how long Redis is left alone after a failure.
    """

    def __init__(
        self,
        url: str,
        *,
        counters: CacheCounters | None = None,
        timeout_seconds: float = 0.1,
        rest_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = counters or CacheCounters()
        self._redis = connect(url, timeout_seconds=timeout_seconds)
        self._rest_seconds = rest_seconds
        self._clock = clock
        self._rest_until = 0.0
        self._away = False

    async def get(self, key: str) -> bytes | None:
        """The value; None also when Redis is away."""
        value = await self._try(lambda: self._redis.get(key))
        return value if isinstance(value, bytes) else None

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Write value and time to live in one command; does nothing when Redis is away."""
        milliseconds = max(1, round(ttl_seconds * 1000))
        await self._try(lambda: self._redis.set(key, value, px=milliseconds))

    async def close(self) -> None:
        """Close all connections."""
        await self._redis.aclose()

    async def _try(self, command: Callable[[], Awaitable[object]]) -> object:
        if self._away:
            if self._clock() < self._rest_until:
                self.counters.skipped += 1
                return None
            self._rest()  # this caller tries; the others go on without
        try:
            result = await command()
        except (RedisError, OSError, TimeoutError) as error:
            self.counters.errors += 1
            if not self._away:
                log.warning("the cache is away, answers are computed", error=str(error))
            self._away = True
            self._rest()
            return None
        if self._away:
            self._away = False
            log.info("the cache is back")
        return result

    def _rest(self) -> None:
        self._rest_until = self._clock() + self._rest_seconds


class _Flight:
    """One computation under way, and how many wait for it."""

    def __init__(self, task: asyncio.Task[bytes]) -> None:
        self.task = task
        self.waiting = 0


class AnswerCache:
    """In-process cache, then the shared one, then one computation for all equal requests.

    shared: None for none.
    local_megabytes: the bound of the in-process cache; 0 for none.
    """

    def __init__(
        self,
        shared: Cache | None,
        *,
        counters: CacheCounters | None = None,
        local_megabytes: int = 16,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = counters or CacheCounters()
        self._shared = shared
        self.local_bytes = local_megabytes << 20
        self._local = LruCache(self.local_bytes, LOCAL_ENTRIES, clock)
        self._flights: dict[str, _Flight] = {}

    async def get_or_compute(
        self, key: str, policy: Policy, compute: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        """The cached value, or what `compute` returns.

        Equal keys at one time share one computation, which runs in a task of its own: a caller that
        gives up does not disturb the others, and when all have given up it is cancelled. So it must
        not depend on one caller's deadline. What it raises goes to all of them and is not cached.
        """
        value = self._local.get(key)
        if value is not None:
            self.counters.local_hits += 1
            return value
        flight = self._flights.get(key)
        if flight is None:
            flight = _Flight(asyncio.create_task(self._fetch(key, policy, compute)))
            self._flights[key] = flight
        else:
            self.counters.coalesced += 1
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.waiting -= 1
            if flight.waiting == 0:
                flight.task.cancel()
                if self._flights.get(key) is flight:
                    del self._flights[key]

    async def close(self) -> None:
        """Close the shared cache."""
        if self._shared is not None:
            await self._shared.close()

    async def _fetch(
        self, key: str, policy: Policy, compute: Callable[[], Awaitable[bytes]]
    ) -> bytes:
        shared = self._shared if policy.shared else None
        value = None if shared is None else await shared.get(key)
        if value is not None:
            self.counters.shared_hits += 1
        else:
            self.counters.misses += 1
            value = await compute()
            if len(value) > MAX_VALUE_BYTES:
                return value
            if shared is not None:
                await shared.set(key, value, _jittered(policy.ttl_seconds))
        self._local.set(key, value, min(LOCAL_TTL_SECONDS, _jittered(policy.ttl_seconds)))
        return value


def _jittered(ttl_seconds: float) -> float:
    share = TTL_JITTER * random.random()  # noqa: S311 - spreads load, guards nothing
    return ttl_seconds * (1 - share)
