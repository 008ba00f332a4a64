"""The backends that every cache must agree with."""

from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from service.cache import Cache, RedisCache
from service.embedded import Role
from tests.cache.memory_cache import MemoryCache


@pytest.fixture(params=["embedded", "memory", "system"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    """An empty cache: of the embedded server, in memory, and of a Redis of the system."""
    made: Cache
    if request.param == "memory":
        made = MemoryCache()
    elif request.param == "embedded":
        made = await _empty(request.getfixturevalue("embedded_urls")[Role.CACHE])
    else:
        made = await _empty(request.getfixturevalue("system_redis"))
    yield made
    await made.close()


async def _empty(url: str) -> RedisCache:
    async with redis.asyncio.Redis.from_url(url) as client:
        await client.flushall()
    return RedisCache(url, timeout_seconds=5)
