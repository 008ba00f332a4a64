"""Streams through the gRPC adapter: errors inside them, and what stopping does to one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from relatedpapers.status import DETAILS_KEY, decode
from relatedpapers.v1 import feedback_service_pb2 as pb
from service.inbox import Inbox
from service.settings import Settings
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS

METHOD = "/relatedpapers.v1.FeedbackService/StreamFeedback"


@pytest_asyncio.fixture
async def running(settings: Settings, state_url: str) -> AsyncIterator[Running]:
    state = {"state_url": state_url}
    async with Starting(settings.model_copy(update=state)) as service:
        yield service


def message(number: int, *ids: str) -> pb.StreamFeedbackRequest:
    events = [pb.Event(id=each, reader_id="r", paper_id="graph-05", type="read") for each in ids]
    return pb.StreamFeedbackRequest(sequence_number=number, events=events)


def reason(error: grpc.aio.AioRpcError) -> str:
    details = dict(error.trailing_metadata() or ())[DETAILS_KEY]
    assert isinstance(details, bytes)
    return decode(details).reason


async def test_what_came_before_an_error_is_answered(running: Running, tmp_path: Path) -> None:
    call = running.feedback.StreamFeedback()
    await call.write(message(1, f"{tmp_path.name}-1"))
    assert (await call.read()).acknowledged_sequence_number == 1
    await call.write(message(1))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(caught.value) == "FIELD_INVALID"


async def test_bytes_that_are_no_message(running: Running) -> None:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes]
    method = running.channel.stream_stream(METHOD)
    call = method(iter([b"\xff"]))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason(caught.value) == "REQUEST_MALFORMED"


async def test_stopping_ends_a_stream_that_is_idle(
    settings: Settings, tmp_path: Path, state_url: str
) -> None:
    # Without an end to its streams the service would wait for them as long as it may.
    state = {"state_url": state_url, "drain_seconds": 600.0}
    async with Starting(settings.model_copy(update=state)) as service:
        call = service.feedback.StreamFeedback()
        await call.write(message(1, f"{tmp_path.name}-1"))
        assert (await call.read()).acknowledged_sequence_number == 1
        async with asyncio.timeout(PATIENCE_SECONDS):
            await service.application.stop()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert reason(caught.value) == "SERVICE_STOPPING"


class Source:
    """Messages that come when the test says so; an exception among them is raised."""

    def __init__(self) -> None:
        self.taken = 0
        self._queue: asyncio.Queue[int | Exception | None] = asyncio.Queue()

    def give(self, *messages: int | Exception | None) -> None:
        for each in messages:
            self._queue.put_nowait(each)

    async def __aiter__(self) -> AsyncIterator[int]:
        while (each := await self._queue.get()) is not None:
            self.taken += 1
            if isinstance(each, Exception):
                raise each
            yield each


async def settle() -> None:
    """Every task has done what it can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_an_inbox_reads_no_further_than_it_must() -> None:
    source = Source()
    inbox = Inbox(aiter(source))
    source.give(1, 2, 3, 4, None)
    await settle()
    assert source.taken == 2  # one waits, and one is held until it has left
    assert [number async for number in inbox] == [1, 2, 3, 4]
    assert not inbox.closed


async def test_an_inbox_raises_what_its_source_raises_and_not_before() -> None:
    source = Source()
    inbox = Inbox(aiter(source))
    source.give(1, OSError("gone"))
    await settle()
    reading = aiter(inbox)
    assert await anext(reading) == 1
    with pytest.raises(OSError, match="gone"):
        await anext(reading)


@pytest.mark.parametrize("waiting", [0, 1, 2])
async def test_a_closed_inbox_ends(waiting: int) -> None:
    source = Source()
    inbox = Inbox(aiter(source))
    source.give(*range(waiting))
    await settle()
    inbox.close()
    assert [number async for number in inbox] == list(range(min(waiting, 1)))
    assert inbox.closed
    inbox.abandon()


async def test_closing_an_inbox_whose_source_has_ended_cuts_nothing_off() -> None:
    source = Source()
    inbox = Inbox(aiter(source))
    source.give(1, None)
    reading = aiter(inbox)
    assert await anext(reading) == 1
    await settle()
    inbox.close()
    assert [number async for number in reading] == []
    assert not inbox.closed
