"""StreamFeedback over a real channel: acknowledgements, flow control, and breaking off."""

import asyncio
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import grpc
import pytest

from relatedpapers.v1 import feedback_service_pb2 as pb
from service.errors import CODES, Reason
from service.events import StoredEvent
from service.feedback_state import FeedbackState, Outcome
from service.feedback_stream import MAX_MESSAGE_EVENTS, MAX_UNACKNOWLEDGED, Unacknowledged
from service.settings import Settings
from tests.feedback.support import attribution_token, event, logged, reasons, write
from tests.servers import SystemRedis
from tests.service.support import error_info
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS


def message(number: int, events: Iterable[pb.Event] = ()) -> pb.StreamFeedbackRequest:
    return pb.StreamFeedbackRequest(sequence_number=number, events=events)


async def send(
    running: Running,
    messages: Iterable[pb.StreamFeedbackRequest],
    metadata: Mapping[str, str] = MappingProxyType({}),
) -> list[pb.StreamFeedbackResponse]:
    """All answers to a stream that is sent whole."""
    call = running.feedback.StreamFeedback(iter(messages), metadata=tuple(metadata.items()))
    return [answer async for answer in call]


async def test_acknowledgements_come_in_order_and_for_all(running: Running) -> None:
    events = [event(reader_id=f"r{at % 7}") for at in range(1_000)]
    messages = [message(3 * at + 1, events[10 * at : 10 * at + 10]) for at in range(100)]
    numbers = [each.acknowledged_sequence_number for each in await send(running, messages)]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == messages[-1].sequence_number
    assert {each.id for each in await logged(running)} == {each.id for each in events}


async def test_what_is_acknowledged_is_stored(running: Running) -> None:
    call = running.feedback.StreamFeedback()
    for number in range(1, 20):
        sent = event()
        await call.write(message(number, [sent]))
        answer = await call.read()
        assert answer.acknowledged_sequence_number == number
        assert sent.id in {each.id for each in await logged(running)}
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_a_bad_event_breaks_nothing(running: Running) -> None:
    bad = [event(id="x" * 300, value=2.0), event(type="like"), event(days_ago=-1)]
    first, second = event(), event()
    messages = [message(1, [bad[0], first, bad[1]]), message(2), message(3, [second, bad[2]])]
    answers = await send(running, messages)
    failures = [failure for answer in answers for failure in answer.failures]
    assert [
        (each.sequence_number, each.event_index, each.status.reason, each.retryable)
        for each in failures
    ] == [
        (1, 0, Reason.FIELD_INVALID, False),
        (1, 2, Reason.EVENT_TYPE_UNKNOWN, False),
        (3, 1, Reason.EVENT_IN_FUTURE, True),
    ]
    assert [each.event_id for each in failures] == ["x" * 256, bad[1].id, bad[2].id]
    assert all(each.status.code == CODES[Reason(each.status.reason)] for each in failures)
    assert {each.id for each in await logged(running)} == {first.id, second.id}


async def test_duplicates_are_counted_and_reuse_is_refused(running: Running) -> None:
    one, same = event(id="one"), event(id="one", type="save")
    answers = await send(running, [message(1, [one, one]), message(2, [one, same])])
    assert sum(answer.duplicate_count for answer in answers) == 2
    [failure] = [failure for answer in answers for failure in answer.failures]
    assert (failure.sequence_number, failure.event_index) == (2, 1)
    assert failure.status.reason == Reason.EVENT_ID_REUSED


@pytest.mark.parametrize(
    ("messages", "field"),
    [
        ([message(0)], "sequence_number"),
        ([message(-1)], "sequence_number"),
        ([message(5), message(5)], "sequence_number"),
        ([message(5), message(4)], "sequence_number"),
        ([message(1, [event()] * (MAX_MESSAGE_EVENTS + 1))], "events"),
    ],
)
async def test_what_ends_a_stream(
    running: Running, messages: list[pb.StreamFeedbackRequest], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(running, messages)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert error_info(caught.value).metadata["field"] == field


async def test_a_broken_connection_loses_nothing_and_counts_nothing_twice(
    running: Running,
) -> None:
    events = [event(reader_id=f"r{at % 3}") for at in range(200)]
    # Given a connection that breaks before all is acknowledged
    channel = grpc.aio.insecure_channel(f"127.0.0.1:{running.application.port}")
    call = Running(running.application, channel).feedback.StreamFeedback()
    for number, each in enumerate(events[:150], start=1):
        await call.write(message(number, [each]))
    acknowledged = (await call.read()).acknowledged_sequence_number
    await channel.close()
    # When the rest is sent anew, on another stream, whose numbers begin anew
    rest = events[acknowledged:]
    answers = await send(running, [message(at + 1, [each]) for at, each in enumerate(rest)])
    # Then all is there, once
    assert answers[-1].acknowledged_sequence_number == len(rest)
    assert not any(answer.failures for answer in answers)
    assert sorted(each.id for each in await logged(running)) == sorted(each.id for each in events)


class HeldBack:
    """A state server that appends only what is let through."""

    def __init__(self, state: FeedbackState) -> None:
        self._append = state.append
        self._gate = asyncio.Event()

    async def append(self, events: Sequence[StoredEvent]) -> list[Outcome]:
        await self._gate.wait()
        return await self._append(events)

    def release(self) -> None:
        self._gate.set()


@pytest.fixture
def held_back(running: Running, monkeypatch: pytest.MonkeyPatch) -> HeldBack:
    """The state server of the service takes its time, until `release`."""
    assert running.application.core.state is not None
    held = HeldBack(running.application.core.state)
    monkeypatch.setattr(running.application.core.state, "append", held.append)
    return held


class Watched(Unacknowledged):
    """Remembers the most that was ever under way in one stream."""

    latest: "Watched"

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        Watched.latest = self

    def add(self, *arguments: Any) -> None:
        super().add(*arguments)
        self.most = max(self.most, self._load)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Says how many events were under way at most in the stream that began last."""
    monkeypatch.setattr("service.feedback.Unacknowledged", Watched)
    monkeypatch.delattr(Watched, "latest", raising=False)  # of the test before
    return lambda: Watched.latest.most if hasattr(Watched, "latest") else 0


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks work until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0)


@pytest.mark.parametrize("size", [0, 1, 999, MAX_MESSAGE_EVENTS])
async def test_no_more_is_read_than_may_be_unacknowledged(
    running: Running, held_back: HeldBack, watched: Callable[[], int], size: int
) -> None:
    last = 3 * MAX_UNACKNOWLEDGED // 2 // max(size, 1)
    first = [message(1, [event()])]  # settles when the server is let through
    rest = (message(number, [event() for _ in range(size)]) for number in range(2, last + 1))
    call = running.feedback.StreamFeedback(itertools.chain(first, rest))
    await until(lambda: watched() > MAX_UNACKNOWLEDGED - MAX_MESSAGE_EVENTS)
    held_back.release()
    numbers = [answer.acknowledged_sequence_number async for answer in call]
    assert numbers[-1] == last
    assert numbers == sorted(set(numbers))
    assert watched() <= MAX_UNACKNOWLEDGED


async def test_a_caller_that_reads_no_acknowledgements_is_held_back_too(
    running: Running, watched: Callable[[], int]
) -> None:
    refused = [event(type="unknown-" + "x" * 200) for _ in range(MAX_MESSAGE_EVENTS)]
    messages = (message(number, refused) for number in range(1, 101))
    call = running.feedback.StreamFeedback(messages)
    await until(lambda: watched() > MAX_UNACKNOWLEDGED - MAX_MESSAGE_EVENTS)
    answers = [answer async for answer in call]
    assert sum(len(answer.failures) for answer in answers) == 100 * MAX_MESSAGE_EVENTS
    assert watched() <= MAX_UNACKNOWLEDGED
    assert max(answer.ByteSize() for answer in answers) < 4 * 1024 * 1024


async def test_the_state_server_goes_away_in_a_stream(
    settings: Settings, state_server: SystemRedis
) -> None:
    events = [event(), event()]
    async with Starting(settings.model_copy(update={"state_url": state_server.url})) as running:
        call = running.feedback.StreamFeedback()
        await call.write(message(1, events[:1]))
        assert (await call.read()).acknowledged_sequence_number == 1
        state_server.stop()
        await call.write(message(2, events[1:]))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert error_info(caught.value).reason == Reason.STATE_AWAY
        state_server.start()
        [answer] = await send(running, [message(1, events)])
        assert answer.duplicate_count == 1


async def test_a_browser_streams_by_the_same_rule(running: Running) -> None:
    token = await attribution_token(running)
    events = [event(attribution_token=token), event(type="save", attribution_token=token), event()]
    [answer] = await send(running, [message(1, events)], {"origin": "https://papers.example"})
    assert [(each.event_index, each.status.reason) for each in answer.failures] == [
        (1, Reason.BROWSER_FORBIDDEN),
        (2, Reason.BROWSER_FORBIDDEN),
    ]


async def test_streams_and_calls_share_what_is_stored(running: Running) -> None:
    one = event()
    await send(running, [message(1, [one])])
    assert reasons(await write(running, [one])) == ["DUPLICATE"]
