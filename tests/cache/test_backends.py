"""One suite for every cache: the embedded server, the twin in memory, a Redis of the system."""

import asyncio

import pytest

from service.cache import AnswerCache, Cache, Policy
from service.keys import cache_key
from tests.support import PATIENCE_SECONDS

KEY = cache_key("v1", "ListRelatedPapers", b"request")


async def test_an_absent_key_is_none(cache: Cache) -> None:
    assert await cache.get(KEY) is None


@pytest.mark.parametrize("value", [b"", b"\x00\xff\r\n", b"x" * 1_000_000], ids=len)
async def test_any_bytes_come_back(cache: Cache, value: bytes) -> None:
    await cache.set(KEY, value, ttl_seconds=60)
    assert await cache.get(KEY) == value


async def test_the_last_value_counts(cache: Cache) -> None:
    await cache.set(KEY, b"first", ttl_seconds=60)
    await cache.set(KEY, b"second", ttl_seconds=60)
    assert await cache.get(KEY) == b"second"


async def test_keys_are_apart(cache: Cache) -> None:
    await cache.set(KEY, b"one", ttl_seconds=60)
    assert await cache.get(cache_key("v2", "ListRelatedPapers", b"request")) is None
    assert await cache.get(cache_key("v1", "GetPaper", b"request")) is None
    assert await cache.get(cache_key("v1", "ListRelatedPapers", b"another")) is None


async def test_entries_expire(cache: Cache) -> None:
    await cache.set(KEY, b"brief", ttl_seconds=0.05)
    await cache.set("other", b"long", ttl_seconds=60)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while await cache.get(KEY) is not None:  # noqa: ASYNC110 - no cache announces expiry
            await asyncio.sleep(0)
    assert await cache.get("other") == b"long"


async def test_many_at_once(cache: Cache) -> None:
    keys = [cache_key("v1", "GetPaper", b"%d" % number) for number in range(200)]
    await asyncio.gather(*(cache.set(key, key.encode(), ttl_seconds=60) for key in keys))
    found = await asyncio.gather(*(cache.get(key) for key in keys))
    assert found == [key.encode() for key in keys]


async def test_a_second_process_finds_what_the_first_computed(cache: Cache) -> None:
    """Two answer caches over one shared cache are two worker processes."""
    policy = Policy(ttl_seconds=60, shared=True)
    first, second = AnswerCache(cache), AnswerCache(cache)

    async def compute() -> bytes:
        return b"answer"

    async def forbidden() -> bytes:
        raise AssertionError("computed although cached")

    assert await first.get_or_compute(KEY, policy, compute) == b"answer"
    assert await second.get_or_compute(KEY, policy, forbidden) == b"answer"
    assert await second.get_or_compute(KEY, policy, forbidden) == b"answer"
    assert (first.counters.misses, second.counters.misses) == (1, 0)
    assert (second.counters.shared_hits, second.counters.local_hits) == (1, 1)


async def test_a_private_policy_keeps_the_answer_in_the_process(cache: Cache) -> None:
    answers = AnswerCache(cache)

    async def compute() -> bytes:
        return b"answer"

    await answers.get_or_compute(KEY, Policy(ttl_seconds=60, shared=False), compute)
    assert await cache.get(KEY) is None
