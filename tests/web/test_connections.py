"""Connections that are slow, endless, gone, or in the way."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from service.settings import Settings
from service.web.limits import LimitedProtocol, Limits
from tests.service.support import (
    LIST,
    Busy,
    until,
)
from tests.serving import COMMAND, Running, Starting
from tests.support import PATIENCE_SECONDS, ROOT
from tests.web.http import PACKAGE, Http

REQUEST = b'{"draft": {"title": "Planar graph coloring"}}'
HEAD = (
    f"POST {PACKAGE}{LIST} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
).encode()
WHOLE = HEAD + f"content-length: {len(REQUEST)}\r\n\r\n".encode() + REQUEST


@asynccontextmanager
async def connected(
    running: Running,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.application.web_port)
    try:
        yield reader, writer
    finally:
        writer.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are cut off almost at once."""
    monkeypatch.setattr(LimitedProtocol, "limits", Limits(0.05, 0.05, 4096))


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Heads may not be long, and requests are cut off in seconds."""
    monkeypatch.setattr(LimitedProtocol, "limits", Limits(5, 5, 4096))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"POST / HT",
        HEAD,
        HEAD + b"x-name: val",
        HEAD + b"content-length: 100\r\n\r\n{",
        HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
    ],
)
async def test_a_request_that_never_ends_is_cut_off(running: Running, sent: bytes) -> None:
    async with connected(running) as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read() == b""  # until the server closes


@pytest.mark.usefixtures("strict")
async def test_what_came_before_an_endless_request_is_answered(running: Running) -> None:
    async with connected(running) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /healthz HT")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("impatient")
async def test_a_complete_request_may_take_its_time(running: Running) -> None:
    # Busy first: it takes its time, and the connection would be cut off before anything is sent.
    async with Busy(running) as busy, connected(running) as (reader, writer):
        writer.write(WHOLE)
        await until(lambda: running.application.core.background.waiting == 1)
        loop = asyncio.get_running_loop()
        later = loop.time() + 3 * LimitedProtocol.limits.request_seconds
        await until(lambda: loop.time() > later)
        busy.release()
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    "sent",
    [
        b"GET /" + b"x" * 10_000 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nx-long: " + b"x" * 10_000,
        b"GET / HTTP/1.1\r\nhost: localhost\r\n" + b"x: y\r\n" * 2_000,
        b"not HTTP at all\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nhost: localhost\r\n\r\n",
    ],
)
async def test_a_head_that_is_too_long_or_wrong_is_refused(running: Running, sent: bytes) -> None:
    async with connected(running) as (reader, writer):
        writer.write(sent)
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await reader.read()).startswith(b"HTTP/1.1 400")
    assert (await Http(running.application.web_port).get("/healthz")).status == 200


async def test_no_work_is_done_for_a_client_that_has_gone(running: Running) -> None:
    async with Busy(running):
        async with connected(running) as (_, writer):
            writer.write(WHOLE)
            await until(lambda: running.application.core.background.waiting == 1)
        await until(lambda: running.application.core.background.waiting == 0)
    assert running.application.core.cache.counters.misses == 1  # asked for once, and given up
    counted = (await Http(running.application.web_port).get("/metrics")).content.decode()
    assert 'code="CANCELLED",method="ListRelatedPapers"' in counted


async def test_a_client_that_reads_nothing_holds_up_nobody(running: Running) -> None:
    request = b"GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n"
    async with connected(running) as (_, writer):
        writer.write(request * 200)  # 12 MB of answers that it never reads
        await writer.drain()
        for _ in range(10):
            assert (await Http(running.application.web_port).get("/healthz")).status == 200


async def test_answers_leave_at_once(running: Running) -> None:
    async with connected(running) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readline()
        [connection] = running.application._web._server.server_state.connections
        accepted = connection.transport.get_extra_info("socket")
        # Otherwise the body waits until the client has acknowledged the head.
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_stopping_waits_for_no_idle_connection(settings: Settings) -> None:
    patient = settings.model_copy(update={"drain_seconds": 600.0})
    async with (
        Starting(patient) as running,
        connected(running) as (reader, idle),
        connected(running) as (_, half),
    ):
        idle.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await reader.readline()
        half.write(HEAD)
        await half.drain()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running.application.stop()


async def test_a_call_that_takes_too_long_is_cut_off(settings: Settings) -> None:
    hasty = settings.model_copy(update={"drain_seconds": 0.0})
    async with (
        Starting(hasty) as running,
        connected(running) as (reader, writer),
        Busy(running),
    ):
        writer.write(WHOLE)
        await until(lambda: running.application.core.background.waiting == 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running.application.stop()
        assert not (await reader.read()).startswith(b"HTTP/1.1 200")


def test_a_port_that_is_taken_is_one_sentence(toy_model: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        options: list[str | Path] = ["--model", toy_model, "--data-dir", tmp_path, "--port", "0"]
        result = subprocess.run(
            [COMMAND, "serve", *options, "--web-port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1, result.stderr
    line = result.stderr
    assert f"127.0.0.1:{port}" in line
    assert "--web-port" in line
