"""The check of the state server names every way in which state could be lost."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import structlog

from service.embedded import Role
from service.keys import STATE_FORMAT, STATE_FORMAT_KEY
from service.state import StateFormatError, check_state
from service.valkey import program
from tests.servers import DURABLE, SystemRedis, loads
from tests.support import PATIENCE_SECONDS, require_tool, wait_until

Run = Callable[..., SystemRedis]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is there may be slow."""
    monkeypatch.setattr("service.state._TIMEOUT_SECONDS", PATIENCE_SECONDS)


@pytest.fixture(params=["valkey", "redis"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Run]:
    """Start a server with the options of a test; it ends with the test."""
    path = str(program()) if request.param == "valkey" else require_tool("redis-server")
    servers = []

    def _run(*options: str) -> SystemRedis:
        server = SystemRedis(path, tmp_path, *options)
        servers.append(server)
        server.start()
        return server

    yield _run
    for server in servers:
        server.stop()


async def test_the_embedded_state_server_loses_nothing(embedded_urls: dict[Role, str]) -> None:
    report = await check_state(embedded_urls[Role.STATE])
    assert report.reachable
    assert report.version.startswith("7.")
    assert report.warnings == report.losses == ()
    with redis.Redis.from_url(embedded_urls[Role.STATE]) as client:
        assert client.get(STATE_FORMAT_KEY) == b"%d" % STATE_FORMAT


async def test_a_cache_is_no_state_server_and_the_log_says_so(
    embedded_urls: dict[Role, str],
) -> None:
    with structlog.testing.capture_logs() as logs:
        report = await check_state(embedded_urls[Role.CACHE])
    assert [entry["event"] for entry in logs] == list(report.warnings)
    assert report.losses == report.warnings
    lost, evicted = report.losses
    assert "no append-only file" in lost
    assert "evicts state when memory fills (allkeys-lru)" in evicted


async def test_a_durable_server_has_no_warning(run: Run) -> None:
    assert (await check_state(run(*DURABLE).url)).warnings == ()


async def test_a_server_that_loads_its_data_is_away_and_not_unsafe(run: Run) -> None:
    slowly = ("--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024")
    server = run(*DURABLE, *slowly)
    with redis.Redis.from_url(server.url) as client:
        client.mset({str(number): "x" * 1_000 for number in range(2_000)})
        client.bgrewriteaof()  # a delay is for the keys of a rewritten file
        wait_until(lambda: client.info()["aof_base_size"] > 10_000, "the file is rewritten")
    server.stop()
    server.begin()
    wait_until(lambda: loads(server.url), "it loads its data")
    report = await check_state(server.url)
    assert not report.reachable
    assert report.losses == ()
    assert "loading its data" in report.warnings[0]


async def test_a_late_sync_is_named(run: Run) -> None:
    [warning] = (await check_state(run("--appendonly", "yes").url)).losses
    assert "'everysec', not 'always'" in warning


async def test_a_sync_that_waits_for_a_rewrite_is_named(run: Run) -> None:
    server = run(*DURABLE, "--no-appendfsync-on-rewrite", "yes")
    [warning] = (await check_state(server.url)).losses
    assert "syncs nothing while it writes a file anew" in warning


async def test_a_managed_server_without_config(run: Run) -> None:
    server = run(*DURABLE, "--rename-command", "CONFIG", "")
    [warning] = (await check_state(server.url)).losses
    assert "does not say how it syncs" in warning


async def test_a_replica_is_named(run: Run) -> None:
    server = run(*DURABLE, "--replicaof", "127.0.0.1 1", "--replica-serve-stale-data", "yes")
    report = await check_state(server.url)
    replica, refused = report.warnings
    assert report.losses == (replica,)
    assert "is a replica" in replica
    assert "refuses a write" in refused


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1", "unix:///nowhere/redis.sock"])
async def test_a_server_that_is_away_is_a_warning(url: str) -> None:
    report = await check_state(url)
    assert not report.reachable
    assert report.losses == ()
    [warning] = report.warnings
    assert "does not answer" in warning


@pytest.mark.parametrize(
    ("found", "why"),
    [(STATE_FORMAT + 1, "written by a newer release"), ("red", "something else writes there")],
)
async def test_state_that_is_not_ours_is_refused(run: Run, found: int | str, why: str) -> None:
    server = run(*DURABLE)
    with redis.Redis.from_url(server.url) as client:
        client.set(STATE_FORMAT_KEY, found)
    with pytest.raises(StateFormatError, match=why):
        await check_state(server.url)
