"""A cache without a server."""

from service.memory import LruCache


class MemoryCache:
    """The twin of `RedisCache` in memory, for one process."""

    def __init__(self) -> None:
        self._lru = LruCache(max_bytes=64 << 20, max_entries=100_000)

    async def get(self, key: str) -> bytes | None:
        return self._lru.get(key)

    async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
        self._lru.set(key, value, ttl_seconds)

    async def close(self) -> None:
        """Nothing to release."""
