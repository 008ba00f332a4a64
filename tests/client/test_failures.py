"""The Python client when the server is away, slow, or not ours."""

import asyncio
import socket
from collections.abc import Iterator

import grpc
import pytest

from relatedpapers import Client, DeadlineExceededError, RelatedPapersError, UnavailableError
from relatedpapers.status import decode
from service.settings import Settings
from tests.client.conftest import Caller, Refusing
from tests.serving import serving


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that lets everybody connect and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def test_a_restarted_server_is_found_again(kind: str, settings: Settings) -> None:
    async with serving(settings) as address:
        caller = Caller(kind, address)
        before = await caller.one("get_paper", "graph-05")
    port = int(address.rpartition(":")[2])
    # The port refuses connections until one was tried, and then the service is back.
    tried = asyncio.Event()

    def refuse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()
        tried.set()

    gap = await asyncio.start_server(refuse, "127.0.0.1", port)
    call = asyncio.create_task(caller.one("get_paper", "graph-05"))
    await tried.wait()
    gap.close()
    await gap.wait_closed()
    async with serving(settings.model_copy(update={"port": port})):
        try:
            found = await call
        except UnavailableError:  # the service took longer than the client tries: three seconds
            found = await caller.one("get_paper", "graph-05")
        assert found == before
    await caller.close()


async def test_a_slow_network_takes_one_connection(kind: str, settings: Settings) -> None:
    connections = 0
    async with serving(settings) as address:
        port = int(address.rpartition(":")[2])

        async def delay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal connections
            connections += 1
            from_service, to_service = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.sleep(0.5)  # the network's own time
            await asyncio.gather(pass_on(reader, to_service), pass_on(from_service, writer))

        async with await asyncio.start_server(delay, "127.0.0.1", 0) as network:
            caller = Caller(kind, f"127.0.0.1:{network.sockets[0].getsockname()[1]}")
            assert (await caller.one("get_paper", "graph-05")).title
            await caller.close()
    assert connections == 1


async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Everything that is read, until it ends."""
    while read := await reader.read(65_536):
        writer.write(read)
    writer.close()


@pytest.mark.parametrize(
    ("code", "attempts"),
    [
        (grpc.StatusCode.UNAVAILABLE, 5),
        (grpc.StatusCode.INTERNAL, 1),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 1),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_only_unavailable_is_retried(kind: str, code: grpc.StatusCode, attempts: int) -> None:
    async with Refusing(code) as server:
        caller = Caller(kind, f"127.0.0.1:{server.port}")
        with pytest.raises(RelatedPapersError) as caught:
            await caller.one("get_model")
        await caller.close()
    assert caught.value.code is code
    assert caught.value.message == "not today"
    assert caught.value.reason == ""
    assert isinstance(caught.value, UnavailableError) == (code is grpc.StatusCode.UNAVAILABLE)
    assert server.calls == attempts


@pytest.mark.parametrize(
    ("method", "arguments", "attempts"),
    [
        ("subscribe", ("ada@papers.example", {}), 1),  # each try may bring a mail
        ("confirm_subscription", ("token",), 5),
        ("get_subscription", ("token",), 5),
        ("update_subscription", ("token", {}), 5),
        ("unsubscribe", ("token",), 5),
        ("erase_subscription", ("token",), 5),
    ],
)
async def test_subscriptions_are_retried_where_that_repeats_nothing(
    kind: str, method: str, arguments: tuple[object, ...], attempts: int
) -> None:
    async with Refusing(grpc.StatusCode.UNAVAILABLE) as server:
        caller = Caller(kind, f"127.0.0.1:{server.port}")
        with pytest.raises(UnavailableError):
            await caller.one(method, *arguments)
        await caller.close()
    assert server.calls == attempts


async def test_no_server_at_all(kind: str) -> None:
    with socket.socket() as free:  # bound and not listening: nobody else takes the port meanwhile
        free.bind(("127.0.0.1", 0))
        caller = Caller(kind, f"127.0.0.1:{free.getsockname()[1]}")
        with pytest.raises(UnavailableError):
            await caller.one("get_model")
        await caller.close()


async def test_a_call_ends_at_its_own_timeout(kind: str, silent: int) -> None:
    caller = Caller(kind, f"127.0.0.1:{silent}")
    with pytest.raises(DeadlineExceededError):
        await caller.many("list_related_papers", paper_ids=["graph-05"], timeout_seconds=0.05)
    await caller.close()


async def test_a_call_ends_at_the_timeout_of_its_client(kind: str, silent: int) -> None:
    caller = Caller(kind, f"127.0.0.1:{silent}", timeout_seconds=0.05)
    with pytest.raises(DeadlineExceededError):
        await caller.one("get_paper", "graph-05")
    await caller.close()


def test_details_that_are_none_or_broken_are_no_second_error() -> None:
    for details in (b"", b"\xff\xff", b"\x1a\x02\x0a\x00"):
        assert decode(details) == ("", "", {})


def test_a_client_closes_with_its_block() -> None:
    with Client("127.0.0.1:1") as client:
        pass
    with pytest.raises(ValueError, match="closed channel"):
        client.get_model()
