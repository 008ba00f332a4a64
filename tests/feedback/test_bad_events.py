"""Bad events: each has a status in the canonical codes, and spoils none of its neighbours."""

import math
import tracemalloc
from uuid import UUID

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from relatedpapers.v1 import feedback_service_pb2 as pb
from service import validation
from service.errors import CODES, RETRY_HELPS, Reason
from service.feedback import MAX_CALL_EVENTS, MAX_EVENTS
from tests.feedback.support import assert_refused, event, reasons, stored_ids, write
from tests.service.support import error_info
from tests.serving import Running

MISSING, INVALID = Reason.FIELD_MISSING, Reason.FIELD_INVALID
YEAR_9999 = Timestamp(seconds=253_402_300_799, nanos=999_999_999)
BAD: list[tuple[pb.Event, Reason, str]] = [
    (event(id=""), MISSING, "id"),
    (event(id="x" * 257), INVALID, "id"),
    (event(id="a\x00b"), INVALID, "id"),
    (event(reader_id=""), MISSING, "reader_id"),
    (event(reader_id="r" * 1_000_000), INVALID, "reader_id"),
    (event(reader_id="a\nb"), INVALID, "reader_id"),
    (event(reader_id="a\x85b"), INVALID, "reader_id"),
    (event(paper_id=""), MISSING, "paper_id"),
    (event(paper_id="no-such"), Reason.PAPER_NOT_FOUND, ""),
    (event(paper_id="p" * 1_025), INVALID, "paper_id"),
    (event(type=""), MISSING, "type"),
    (event(type="like"), Reason.EVENT_TYPE_UNKNOWN, "type"),
    (event(type="Click"), Reason.EVENT_TYPE_UNKNOWN, "type"),
    (event(event_time=YEAR_9999), Reason.EVENT_IN_FUTURE, "event_time"),
    (event(days_ago=-0.5), Reason.EVENT_IN_FUTURE, "event_time"),
    (event(days_ago=30.001), Reason.EVENT_TOO_OLD, "event_time"),
    (event(event_time=Timestamp(seconds=-62_135_596_800)), Reason.EVENT_TOO_OLD, "event_time"),
    (event(event_time=Timestamp(seconds=2**62)), INVALID, "event_time"),
    (event(event_time=Timestamp(seconds=-(2**63))), INVALID, "event_time"),
    (event(event_time=Timestamp(seconds=1, nanos=-1)), INVALID, "event_time"),
    (event(event_time=Timestamp(seconds=1, nanos=2**31 - 1)), INVALID, "event_time"),
    (event(value=math.nan), INVALID, "value"),
    (event(value=math.inf), INVALID, "value"),
    (event(value=0.0), INVALID, "value"),
    (event(value=-0.5), INVALID, "value"),
    (event(value=1.5), INVALID, "value"),
    (event(rank=0), INVALID, "rank"),
    (event(rank=-3), INVALID, "rank"),
    (event(surface="s" * 257), INVALID, "surface"),
    (event(surface="\x1b[2J"), INVALID, "surface"),
    (event(origin="o" * 257), INVALID, "origin"),
    (event(attribution_token="forged"), Reason.ATTRIBUTION_TOKEN_INVALID, "attribution_token"),
    (event(type="retract", paper_id=""), MISSING, "retracted_event_id"),
    (
        event(id="me", type="retract", paper_id="", retracted_event_id="me"),
        INVALID,
        "retracted_event_id",
    ),
    (event(retracted_event_id="e"), INVALID, "retracted_event_id"),
]


@pytest.mark.parametrize(
    ("bad", "reason", "field"),
    BAD,
    ids=[f"{i}-{reason}-{field}" for i, (_, reason, field) in enumerate(BAD)],
)
async def test_bad_event(running: Running, bad: pb.Event, reason: Reason, field: str) -> None:
    before, result, after = await write(running, [event(), bad, event()])
    assert reasons([before, after]) == ["", ""]
    assert_refused(result, reason, CODES[reason], retryable=reason in RETRY_HELPS)
    if field:
        assert result.status.metadata["field"] == field
        assert field in result.status.message


async def test_bad_events_spoil_none_of_their_neighbours(running: Running) -> None:
    good = [event(reader_id="grace") for _ in BAD]
    mixed = [each for (bad, _, _), fine in zip(BAD, good, strict=True) for each in (bad, fine)]
    results = await write(running, mixed)
    assert reasons(results[::2]) == [reason for _, reason, _ in BAD]
    assert reasons(results[1::2]) == [""] * len(good)
    assert await stored_ids(running, "grace") == {each.id for each in good}


KINDS: list[tuple[pb.Event, grpc.StatusCode]] = [
    (event(paper_id="no-such"), grpc.StatusCode.NOT_FOUND),
    (event(type="like"), grpc.StatusCode.INVALID_ARGUMENT),
    (event(reader_id=""), grpc.StatusCode.INVALID_ARGUMENT),
    (event(id=""), grpc.StatusCode.INVALID_ARGUMENT),
    (event(event_time=YEAR_9999), grpc.StatusCode.FAILED_PRECONDITION),
    (event(value=math.nan), grpc.StatusCode.INVALID_ARGUMENT),
    (event(reader_id="r" * (1 << 20)), grpc.StatusCode.INVALID_ARGUMENT),
]
"""What each kind of bad event is in the codes that every gRPC service shares."""


async def test_each_kind_of_bad_event_has_its_canonical_code(running: Running) -> None:
    good = [event(reader_id="grace") for _ in range(len(KINDS) + 1)]
    results = await write(running, [*good[:-1], *(bad for bad, _ in KINDS), good[-1]])
    assert [each.status.code for each in results] == [
        *(0 for _ in KINDS),
        *(code.value[0] for _, code in KINDS),
        0,
    ]
    assert await stored_ids(running, "grace") == {each.id for each in good}


async def test_more_events_than_a_call_takes(running: Running) -> None:
    many = [event(id=str(UUID(int=at)), reader_id="m", days_ago=1) for at in range(100_001)]
    assert pb.WriteFeedbackRequest(events=many).ByteSize() > 7_000_000
    results = await write(running, many)
    refused = results[MAX_EVENTS:]
    assert reasons(results[:MAX_EVENTS]) == [""] * MAX_EVENTS
    assert set(reasons(refused)) == {Reason.TOO_MANY_EVENTS}
    assert all(each.retryable for each in refused)
    assert "100,001" in refused[0].status.message
    assert len(await stored_ids(running, "m")) == MAX_EVENTS


@pytest.mark.parametrize("validate_only", [False, True])
async def test_more_events_than_a_call_may_have(running: Running, validate_only: bool) -> None:
    many = [event(reader_id="m"), *[pb.Event()] * MAX_CALL_EVENTS]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await write(running, many, validate_only=validate_only)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error_info(caught.value).reason == Reason.TOO_MANY_EVENTS
    assert "131,073 events" in (caught.value.details() or "")
    assert "10,000 in a call" in (caught.value.details() or "")
    assert await stored_ids(running, "m") == set()


async def test_the_longest_answer_stays_within_what_clients_take_in(running: Running) -> None:
    longest = "\U000e0001" * validation.MAX_NAME_CHARACTERS  # 4 bytes each, and 10 in a message
    same = [event(id=longest), *(event(id=longest, rank=2) for _ in range(MAX_EVENTS - 1))]
    results = await write(running, [*same, *[pb.Event()] * (MAX_CALL_EVENTS - MAX_EVENTS)])
    assert reasons(results)[:2] == ["", Reason.EVENT_ID_REUSED]
    assert results[1].status.message
    assert sum(each.ByteSize() for each in results[:MAX_EVENTS]) < 800_000
    assert sum(bool(each.status.message) for each in results[MAX_EVENTS:]) == 1


async def test_the_events_that_are_not_taken_share_one_error(running: Running) -> None:
    request = pb.WriteFeedbackRequest(events=[pb.Event()] * MAX_CALL_EVENTS)
    tracemalloc.start()
    try:
        response = await running.feedback.WriteFeedback(request)
        _, most_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(response.results) == MAX_CALL_EVENTS
    assert most_bytes < 50_000_000, "an error each takes 90 MB more"
