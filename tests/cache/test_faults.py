"""Redis stopped, hanging, flushed, restarted, full or closed to us: the answer always comes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis.asyncio
import structlog
from structlog.typing import EventDict

from service.cache import AnswerCache, Policy, RedisCache
from service.valkey import program
from tests.servers import SystemRedis
from tests.support import require_tool

POLICY = Policy(ttl_seconds=60, shared=True)


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["valkey", "redis"])
def program_path(request: pytest.FixtureRequest) -> str:
    return str(program()) if request.param == "valkey" else require_tool("redis-server")


@pytest.fixture
def server(program_path: str, tmp_path: Path) -> Iterator[SystemRedis]:
    with SystemRedis(program_path, tmp_path) as running:
        yield running


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


class Service:
    """An answer cache without a local part, so that each answer asks Redis."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        # Not the default tenth of a second: a busy machine takes longer, and that is no fault.
        self.redis = RedisCache(url, timeout_seconds=5, clock=self.clock)
        self.answers = AnswerCache(self.redis, local_megabytes=0)
        self.computed = 0

    async def answer(self, key: str = "key") -> bytes:
        async def compute() -> bytes:
            self.computed += 1
            return key.encode()

        return await self.answers.get_or_compute(key, POLICY, compute)

    def rested(self) -> None:
        """Let the time pass for which Redis is left alone."""
        self.clock.now += 10


async def test_redis_stopped_and_started_again(server: SystemRedis, logs: list[EventDict]) -> None:
    service = Service(server.url)
    assert await service.answer() == b"key"
    assert await service.answer() == b"key"
    assert service.computed == 1

    server.stop()
    for _ in range(20):
        assert await service.answer() == b"key"
    assert service.computed == 21
    assert service.redis.counters.errors == 1
    assert service.redis.counters.skipped == 39  # of 20 reads and 20 writes, one was tried
    service.rested()
    assert await service.answer() == b"key"
    assert service.redis.counters.errors == 2

    server.start()
    service.rested()
    assert await service.answer() == b"key"  # computed and written again
    computed = service.computed
    assert await service.answer() == b"key"
    assert service.computed == computed
    assert [entry["event"] for entry in logs] == [
        "the cache is away, answers are computed",
        "the cache is back",
    ]
    await service.answers.close()


async def test_redis_hangs_and_goes_on(server: SystemRedis) -> None:
    service = Service(server.url)
    await service.answer()
    server.pause()
    answers = await asyncio.gather(*(service.answer(str(number)) for number in range(50)))
    assert answers == [str(number).encode() for number in range(50)]
    assert service.redis.counters.errors >= 1

    # Only one caller pays for the next attempt.
    service.rested()
    errors, skipped = service.redis.counters.errors, service.redis.counters.skipped
    await asyncio.gather(*(service.answer(str(number)) for number in range(50)))
    assert service.redis.counters.errors == errors + 1
    assert service.redis.counters.skipped == skipped + 99

    server.resume()
    service.rested()
    for _ in range(2):
        assert await service.answer() == b"key"
    assert service.redis.counters.errors == errors + 1
    await service.answers.close()


async def test_redis_flushed(server: SystemRedis) -> None:
    service = Service(server.url)
    await service.answer()
    async with redis.asyncio.Redis.from_url(server.url) as client:
        await client.flushall()
    assert await service.answer() == b"key"
    assert await service.answer() == b"key"
    assert service.computed == 2
    assert service.redis.counters.errors == 0
    await service.answers.close()


async def test_a_command_given_up_never_answers_another(server: SystemRedis) -> None:
    """Given up at each point where it waits, a command leaves no reply for the next to find."""
    clock = Clock()
    cache = RedisCache(server.url, timeout_seconds=5, clock=clock)
    for key in ("one", "two"):
        await cache.set(key, key.encode(), ttl_seconds=60)
    for turns in range(8):
        server.pause()
        task = asyncio.create_task(cache.get("one"))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        server.resume()
        clock.now += 10
        assert await cache.get("two") == b"two"
        assert await cache.get("one") == b"one"
    await cache.close()


async def test_redis_full(program_path: str, tmp_path: Path) -> None:
    options = ("--maxmemory", "1", "--maxmemory-policy", "noeviction")
    with SystemRedis(program_path, tmp_path, *options) as server:
        service = Service(server.url)
        assert await service.answer() == b"key"
        assert service.redis.counters.errors == 1
        await service.answers.close()


async def test_redis_wants_a_password(
    program_path: str, tmp_path: Path, logs: list[EventDict]
) -> None:
    with SystemRedis(program_path, tmp_path, password="secret") as server:
        service = Service(server.url)
        assert await service.answer() == b"key"
        assert "Authentication required" in logs[0]["error"]
        await service.answers.close()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere/redis.sock"])
async def test_redis_was_never_there(url: str) -> None:
    service = Service(url)
    assert await service.answer() == b"key"
    assert service.redis.counters.errors == 1
    await service.answers.close()


def test_a_url_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="scheme"):
        RedisCache("localhost:6379")


async def test_no_command_is_newer_than_redis_7(system_redis: str) -> None:
    cache = RedisCache(system_redis, timeout_seconds=5)
    async with redis.asyncio.Redis.from_url(system_redis) as client:
        assert (await client.info("server"))["redis_version"].startswith("7.0.")
        await client.config_resetstat()
        await cache.set("key", b"value", ttl_seconds=60)
        await cache.get("key")
        used = await client.info("commandstats")
        errors = await client.info("errorstats")
    assert {name for name in used if name != "cmdstat_config|resetstat"} == {
        "cmdstat_set",
        "cmdstat_get",
    }
    assert errors == {}
    await cache.close()
