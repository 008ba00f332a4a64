"""Health, reflection, deadlines, draining, and Redis that goes away."""

import asyncio
from collections.abc import AsyncIterator
from functools import partialmethod
from pathlib import Path
from threading import Event
from typing import Any

import grpc
import pytest
import pytest_asyncio
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub
from redis.asyncio import Redis

from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.background import Background
from service.cache import RedisCache
from service.embedded import Role, attach
from service.settings import Settings
from tests.service.support import DRAFT, Busy, until
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS

SERVICES = [
    "",
    "relatedpapers.v1.RecommendationService",
    "relatedpapers.v1.PaperService",
    "relatedpapers.v1.ModelService",
]
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING
PLAIN = pb.ListRelatedPapersRequest(paper_ids=["graph-05"])


@pytest.mark.parametrize("service", SERVICES)
async def test_health_check_and_watch(settings: Settings, service: str) -> None:
    async with Starting(settings) as running:
        health: Any = HealthStub(running.channel)
        assert (await health.Check(HealthCheckRequest(service=service))).status == SERVING
        watch = aiter(health.Watch(HealthCheckRequest(service=service)))
        assert (await anext(watch)).status == SERVING
        stopping = asyncio.create_task(running.application.stop())
        assert (await anext(watch)).status == NOT_SERVING
        with pytest.raises(StopAsyncIteration):
            await anext(watch)
        await stopping


async def test_health_of_an_unknown_service(settings: Settings) -> None:
    async with Starting(settings) as running:
        health: Any = HealthStub(running.channel)
        request = HealthCheckRequest(service="relatedpapers.v1.NoService")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await health.Check(request)
        assert caught.value.code() == grpc.StatusCode.NOT_FOUND
        first = await anext(aiter(health.Watch(request)))
        assert first.status == HealthCheckResponse.SERVICE_UNKNOWN


async def test_reflection_lists_every_service_and_its_files(running: Running) -> None:
    channel: Any = running.channel
    stub: Any = ServerReflectionStub(channel)

    async def requests() -> AsyncIterator[ServerReflectionRequest]:
        yield ServerReflectionRequest(list_services="")
        yield ServerReflectionRequest(file_containing_symbol=SERVICES[1])

    services, files = [answer async for answer in stub.ServerReflectionInfo(requests())]
    names = {service.name for service in services.list_services_response.service}
    assert {*SERVICES[1:], "grpc.health.v1.Health"} <= names
    assert files.file_descriptor_response.file_descriptor_proto


async def test_a_call_in_flight_finishes_before_the_service_stops(settings: Settings) -> None:
    patient = settings.model_copy(update={"drain_seconds": 600.0})
    async with Starting(patient) as running:
        expected = await running.recommendations.ListRelatedPapers(PLAIN)
        health: Any = HealthStub(running.channel)
        watch = aiter(health.Watch(HealthCheckRequest()))
        await anext(watch)
        async with Busy(running) as busy:
            # Given a call that waits for its turn
            call = running.recommendations.ListRelatedPapers(DRAFT)
            await until(lambda: running.application.core.background.waiting == 1)
            # When the service stops
            stopping = asyncio.create_task(running.application.stop())
            assert (await anext(watch)).status == NOT_SERVING
            assert not stopping.done()
            busy.release()
        # Then the call is answered all the same
        assert (await call).model_version == expected.model_version
        await stopping


async def test_a_call_that_takes_too_long_is_cut_off(settings: Settings) -> None:
    impatient = settings.model_copy(update={"drain_seconds": 0.0})
    async with Starting(impatient) as running, Busy(running):
        call = running.recommendations.ListRelatedPapers(DRAFT)
        await until(lambda: running.application.core.background.waiting == 1)
        await running.application.stop()
        with pytest.raises(grpc.aio.AioRpcError):
            await call


async def test_no_work_is_done_for_a_caller_that_has_gone(running: Running) -> None:
    async with Busy(running):
        call = running.recommendations.ListRelatedPapers(DRAFT)
        await until(lambda: running.application.core.background.waiting == 1)
        call.cancel()
        await until(lambda: running.application.core.background.waiting == 0)
    counters = running.application.core.cache.counters
    assert counters.misses == 1  # it was asked for once, and given up


async def test_background_never_starts_what_nobody_waits_for() -> None:
    background = Background()
    begun, released = Event(), Event()
    ran: list[str] = []

    def first() -> None:
        begun.set()
        released.wait()

    busy = asyncio.create_task(background.run(first))
    await asyncio.to_thread(begun.wait)
    gone = asyncio.create_task(background.run(ran.append, "gone"))
    stays = asyncio.create_task(background.run(ran.append, "stays"))
    await until(lambda: background.waiting == 2)
    gone.cancel()
    await until(gone.done)
    released.set()
    await asyncio.gather(busy, stays)
    background.close()
    assert ran == ["stays"]


@pytest_asyncio.fixture
async def slow_redis(tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a server that takes connections and never answers."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    path = tmp_path / "slow.sock"
    server = await asyncio.start_unix_server(silent, path)
    yield f"unix://{path}"
    server.close()


async def test_lists_come_while_redis_is_slow(settings: Settings, slow_redis: str) -> None:
    slow = settings.model_copy(update={"cache_url": slow_redis, "state_url": slow_redis})
    async with Starting(settings) as running:
        expected = await running.recommendations.ListRelatedPapers(DRAFT)
    async with Starting(slow.model_copy(update={"state_url": None})) as running:
        found = await running.recommendations.ListRelatedPapers(DRAFT)
        assert running.application.core.cache.counters.errors > 0
    assert [each.paper.id for each in found.results] == [each.paper.id for each in expected.results]


async def test_lists_come_while_redis_is_stopped_and_flushed(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = partialmethod(RedisCache.__init__, timeout_seconds=PATIENCE_SECONDS, rest_seconds=600)
    monkeypatch.setattr(RedisCache, "__init__", patient)
    with attach(tmp_path / "redis", roles=[Role.CACHE]) as urls:
        cached = settings.model_copy(
            update={"cache_url": urls[Role.CACHE], "local_cache_megabytes": 0}
        )
        service = Starting(cached)
        running = await service.__aenter__()
        first = await running.recommendations.ListRelatedPapers(DRAFT)
        assert await running.recommendations.ListRelatedPapers(DRAFT) == first
        assert running.application.core.cache.counters.shared_hits == 1
        # When the cache is flushed, answers are computed again
        async with Redis.from_url(urls[Role.CACHE]) as redis:
            await redis.flushall()
        assert await running.recommendations.ListRelatedPapers(DRAFT) == first
        assert running.application.core.cache.counters.misses == 2
    # And when it is stopped, too
    assert await running.recommendations.ListRelatedPapers(DRAFT) == first
    assert running.application.core.cache.counters.errors == 1
    await service.__aexit__()
