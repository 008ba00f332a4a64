"""The in-process least-recently-used cache: in front of Redis, and as its twin in memory."""

import time
from collections.abc import Callable
from contextlib import suppress

from cachetools import TLRUCache

_ENTRY_OVERHEAD_BYTES = 500  # the key, and the objects and table slots around both; measured


class LruCache:
    """Bounded by bytes and by entries; every entry has its own time to live.

    max_bytes: keys, values and an allowance for the objects around them.
    max_entries: how many entries, however small.
    clock: seconds, never running backwards.
    """

    def __init__(
        self,
        max_bytes: int,
        max_entries: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_entries = max_entries
        self._entries: TLRUCache[str, tuple[bytes, float]] = TLRUCache(
            maxsize=max_bytes,
            ttu=lambda _key, entry, now: now + entry[1],
            timer=clock,
            getsizeof=lambda entry: len(entry[0]) + _ENTRY_OVERHEAD_BYTES,
        )

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def size_bytes(self) -> int:
        """How much of `max_bytes` is in use."""
        return int(self._entries.currsize)

    def get(self, key: str) -> bytes | None:
        """The value, or None if it was never set, has expired, or was evicted."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value, evicting the least recently used; one that can never fit is dropped."""
        self._entries.pop(key, None)
        fits = len(value) + _ENTRY_OVERHEAD_BYTES <= self._entries.maxsize
        if not fits or self._max_entries == 0:
            return
        while len(self._entries) >= self._max_entries:
            with suppress(KeyError):  # the last entries expired in this moment
                self._entries.popitem()
        self._entries[key] = (value, ttl_seconds)


class MemoryCache:
    """The twin of `RedisCache` in memory, for one process: no server, same behaviour."""

    def __init__(
        self,
        max_bytes: int = 64 << 20,
        max_entries: int = 100_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lru = LruCache(max_bytes, max_entries, clock)

    async def get(self, key: str) -> bytes | None:
        """The value, or None."""
        return self._lru.get(key)

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value for its time to live."""
        self._lru.set(key, value, ttl_seconds)

    async def close(self) -> None:
        """Nothing to release."""
