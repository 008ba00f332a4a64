"""What the Python client makes of feedback, against the real service over a real channel."""

import asyncio
import queue
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import grpc
import pytest

from relatedpapers import (
    AccessError,
    Event,
    InvalidRequestError,
    NotFoundError,
    RelatedPapersError,
    UnavailableError,
)
from relatedpapers.events import calls
from relatedpapers.v1 import feedback_service_pb2 as pb
from relatedpapers.window import WINDOW, Window
from service.settings import Settings
from tests.client.conftest import Caller, Refusing
from tests.serving import serving
from tests.support import PATIENCE_SECONDS

PAPERS = [f"graph-{number:02}" for number in range(4, 14)]


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model on a free port, with a state server."""
    return settings.model_copy(update={"state_url": state_url})


@pytest.fixture
def reader(tmp_path: Path) -> str:
    """A reader of this test alone: the state server is everybody's."""
    return str(tmp_path)


def reads(reader: str, count: int) -> list[dict[str, object]]:
    return [
        {"id": f"e{number}", "reader_id": reader, "paper_id": PAPERS[number % 10], "type": "read"}
        for number in range(count)
    ]


async def test_any_number_of_events_each_with_its_outcome(caller: Caller, reader: str) -> None:
    events = reads(reader, 2500)
    events[7]["type"] = "reed"
    events[1500]["paper_id"] = "nothing"
    outcomes = await caller.one("write_feedback", events)
    assert [outcome.event.id for outcome in outcomes] == [event["id"] for event in events]
    failed = {place: outcome for place, outcome in enumerate(outcomes) if outcome.error}
    assert list(failed) == [7, 1500]
    assert isinstance(failed[7].error, InvalidRequestError)
    assert failed[7].error.reason == "EVENT_TYPE_UNKNOWN"
    assert isinstance(failed[1500].error, NotFoundError)
    assert not any(outcome.retryable or outcome.duplicate for outcome in outcomes)


async def test_events_that_are_sent_again_are_duplicates(caller: Caller, reader: str) -> None:
    events = reads(reader, 3)
    assert not any(o.duplicate for o in await caller.one("write_feedback", events))
    assert all(o.duplicate for o in await caller.one("write_feedback", events))
    events[1]["paper_id"] = PAPERS[5]
    _, changed, _ = await caller.one("write_feedback", events)
    assert changed.error.code is grpc.StatusCode.ALREADY_EXISTS
    assert not changed.duplicate


async def test_a_message_without_an_id_gets_one_and_keeps_it(caller: Caller, reader: str) -> None:
    messages = [Event(reader_id=reader, paper_id=PAPERS[0], type="read") for _ in range(2)]
    await caller.one("write_feedback", messages)
    assert UUID(messages[0].id) != UUID(messages[1].id)
    assert all(message.HasField("event_time") for message in messages)
    assert all(outcome.duplicate for outcome in await caller.one("write_feedback", messages))


async def test_a_dictionary_without_an_id_is_a_new_event_each_time(
    caller: Caller, reader: str
) -> None:
    event = {"reader_id": reader, "paper_id": PAPERS[0], "type": "read"}
    (first,) = await caller.one("write_feedback", [event])
    (second,) = await caller.one("write_feedback", [event])
    assert first.event.id != second.event.id
    assert not second.duplicate
    assert "id" not in event


def test_an_event_gets_a_time_with_its_id_and_keeps_its_own() -> None:
    begin = datetime.now(UTC)
    own = {"id": "e", "type": "read"}, {"event_time": begin - timedelta(days=3)}
    [[named, timed, made]] = calls([*own, Event()])
    assert not named.HasField("event_time"), "its caller may have sent it already, without one"
    assert timed.event_time.ToDatetime(UTC) == begin - timedelta(days=3)
    assert begin <= made.event_time.ToDatetime(UTC) <= datetime.now(UTC)


async def test_validate_only_stores_nothing(caller: Caller, reader: str) -> None:
    events = reads(reader, 2)
    events[1]["type"] = ""
    good, bad = await caller.one("write_feedback", events, validate_only=True)
    assert good.error is None
    assert bad.error.reason == "FIELD_MISSING"
    (now, _) = await caller.one("write_feedback", events)
    assert not now.duplicate


def test_no_message_is_longer_than_it_may_be() -> None:
    long = [Event(id=str(number), surface="x" * 200_000) for number in range(12)]
    short = [Event(id=str(number)) for number in range(2001)]
    assert [len(call) for call in calls(long)] == [5, 5, 2]
    assert [len(call) for call in calls(short)] == [1000, 1000, 1]
    assert [len(call) for call in calls([Event(surface="x" * 3_000_000)])] == [1]


async def test_a_long_batch_is_retried_too(kind: str, reader: str) -> None:
    events = [{**event, "surface": "x" * 1000} for event in reads(reader, 1000)]
    async with Refusing(grpc.StatusCode.UNAVAILABLE) as server:
        caller = Caller(kind, f"127.0.0.1:{server.port}")
        with pytest.raises(UnavailableError):
            await caller.one("write_feedback", events)
        await caller.close()
    assert server.calls == 5


async def test_a_stream_acknowledges_every_event(caller: Caller, reader: str) -> None:
    events = reads(reader, 3 * WINDOW)
    events[7]["type"] = "reed"
    events[25_000]["id"] = ""  # the client makes one
    events[25_001]["reader_id"] = ""
    events[29_999] = events[0]
    answers = await caller.many("stream_feedback", events)
    assert sum(answer.settled for answer in answers) == len(events)
    assert sum(answer.duplicates for answer in answers) == 1
    failures = [failure for answer in answers for failure in answer.failures]
    assert [failure.event.id for failure in failures] == ["e7", "e25001"]
    assert [failure.error.reason for failure in failures] == ["EVENT_TYPE_UNKNOWN", "FIELD_MISSING"]


async def test_a_stream_of_nothing(caller: Caller) -> None:
    assert await caller.many("stream_feedback", []) == []


class Dialog:
    """Events each of which comes only after the one before was acknowledged."""

    def __init__(self, events: Iterable[Any]) -> None:
        self._events = events
        self._acknowledged: queue.SimpleQueue[None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[Any]:
        for event in self._events:
            yield event
            self._acknowledged.get(timeout=PATIENCE_SECONDS)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for event in self._events:
            yield event
            await asyncio.to_thread(self._acknowledged.get, timeout=PATIENCE_SECONDS)

    def acknowledged(self) -> None:
        self._acknowledged.put(None)


async def test_an_event_does_not_wait_for_the_next(caller: Caller, reader: str) -> None:
    dialog = Dialog(reads(reader, 5))
    settled = []
    async for answer in caller.each("stream_feedback", dialog):
        settled.append(answer.settled)
        dialog.acknowledged()
    assert settled == [1] * 5


async def test_what_the_events_raise_comes_after_what_came_before(
    caller: Caller, reader: str
) -> None:
    def broken() -> Iterator[dict[str, object]]:
        yield from reads(reader, 20)
        raise OSError("the pipe broke")

    settled = 0
    with pytest.raises(OSError, match="the pipe broke"):  # noqa: PT012 - the loop is the subject
        async for answer in caller.each("stream_feedback", broken()):
            settled += answer.settled
    assert settled == 20


async def test_a_caller_may_leave_a_stream(caller: Caller, reader: str) -> None:
    events = reads(reader, 5 * WINDOW)
    answers = caller.each("stream_feedback", events)
    assert (await anext(answers)).settled
    await answers.aclose()
    assert (await caller.one("get_model")).version  # the connection is as good as before


@pytest.mark.parametrize(
    ("code", "patience_seconds", "opened_again"),
    [
        (grpc.StatusCode.UNAVAILABLE, 1.0, True),
        (grpc.StatusCode.UNAVAILABLE, 0.0, False),
        (grpc.StatusCode.INTERNAL, 1.0, True),
        (grpc.StatusCode.PERMISSION_DENIED, 60.0, False),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
async def test_only_a_stream_that_broke_is_opened_again(
    kind: str, code: grpc.StatusCode, patience_seconds: float, opened_again: bool, reader: str
) -> None:
    async with Refusing(code) as server:
        caller = Caller(kind, f"127.0.0.1:{server.port}")
        with pytest.raises(RelatedPapersError) as caught:
            await caller.many(
                "stream_feedback", reads(reader, 10), patience_seconds=patience_seconds
            )
        await caller.close()
    assert caught.value.code is code
    assert (server.calls > 1) == opened_again


async def test_a_stream_that_ends_without_acknowledgement_is_no_success(
    kind: str, reader: str
) -> None:
    async with Refusing(grpc.StatusCode.OK) as server:
        caller = Caller(kind, f"127.0.0.1:{server.port}")
        with pytest.raises(UnavailableError, match="before it acknowledged"):
            await caller.many("stream_feedback", reads(reader, 10), patience_seconds=1.0)
        await caller.close()
    assert server.calls > 1


async def test_a_stream_without_any_server(kind: str, reader: str) -> None:
    async with Refusing(grpc.StatusCode.OK) as server:
        target = f"127.0.0.1:{server.port}"
    caller = Caller(kind, target)
    with pytest.raises(UnavailableError):
        await caller.many("stream_feedback", reads(reader, 1), patience_seconds=0.1)
    await caller.close()


def test_a_window_begins_anew_with_what_was_not_acknowledged() -> None:
    window = Window()
    for number in range(2500):
        window.add(Event(id=str(number)))
    for number in (1, 2, 3):
        message = window.next_message(0)
        assert message is not None
        assert message.sequence_number == number
    assert not window.due(0)
    failure = pb.EventFailure(sequence_number=1, event_index=3, retryable=True)
    failure.status.code = grpc.StatusCode.NOT_FOUND.value[0]
    answer = pb.StreamFeedbackResponse(
        acknowledged_sequence_number=1, failures=[failure], duplicate_count=4
    )
    settled, duplicates, (refused,) = window.take(answer)
    assert (settled, duplicates, refused.event.id, refused.retryable) == (1000, 4, "3", True)
    window.restart()
    window.add(Event(id="last"))
    assert window.due(0)
    assert window.next_message(0) is None  # whoever still sends on the old stream
    ids: list[str] = []
    while message := window.next_message(1):
        ids += (event.id for event in message.events)
        assert message.sequence_number == (len(ids) + 999) // 1000
    assert ids == [*map(str, range(1000, 2500)), "last"]
    window.take(pb.StreamFeedbackResponse(acknowledged_sequence_number=2))
    assert window.empty


async def test_an_api_key_goes_with_every_call(
    kind: str, settings: Settings, reader: str, tmp_path: Path
) -> None:
    from service import api_keys

    path = tmp_path / "keys"
    key = api_keys.create(path, [api_keys.Scope.FEEDBACK])
    async with serving(settings.model_copy(update={"api_key_file": path})) as address:
        admitted, stranger = Caller(kind, address, api_key=key), Caller(kind, address)
        (outcome,) = await admitted.one("write_feedback", reads(reader, 1))
        (answer,) = await admitted.many("stream_feedback", reads(reader, 1))
        assert outcome.error is None
        assert answer.duplicates == 1
        for refused in (
            stranger.one("write_feedback", reads(reader, 1)),
            stranger.many("stream_feedback", reads(reader, 1)),
        ):
            with pytest.raises(AccessError) as caught:
                await refused
            assert caught.value.reason == "API_KEY_REQUIRED"
        await admitted.close()
        await stranger.close()
