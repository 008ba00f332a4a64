"""The in-process least-recently-used cache: in front of Redis."""

import time
from collections.abc import Callable
from contextlib import suppress

from cachetools import TLRUCache

_ENTRY_OVERHEAD_BYTES = 500  # the key, and the objects and table slots around both; measured


class LruCache:
    """Bounded by bytes and by entries; every entry has its own time to live.

    max_bytes: keys, values and an allowance for the objects around them.
    max_entries: how many entries, however small; 1 at the least.
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

    def get(self, key: str) -> bytes | None:
        """The value, or None if it was never set, has expired, or was evicted."""
        entry = self._entries.get(key)
        return None if entry is None else entry[0]

    def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        """Keep a value, evicting the least recently used; one that can never fit is dropped."""
        self._entries.pop(key, None)
        if len(value) + _ENTRY_OVERHEAD_BYTES > self._entries.maxsize:
            return
        while len(self._entries) >= self._max_entries:
            with suppress(KeyError):  # the last entries expired in this moment
                self._entries.popitem()
        self._entries[key] = (value, ttl_seconds)
