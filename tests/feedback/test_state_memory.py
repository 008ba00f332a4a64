"""The state weighs what service/state_memory.py says, by the server's own account."""

import asyncio
import random
from collections.abc import Sequence

import pytest

from models.event_types import RETRACT
from service.events import StoredEvent, content_digest
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS, counts_key
from service.state_memory import Names, state_bytes
from tests.feedback.oracle import retraction, stored
from tests.feedback.test_state_append import consume


@pytest.mark.parametrize(
    ("events", "readers", "event_type", "token"),
    [
        (20_000, 20_000, "save", 0),
        (20_000, 1_000, "save", 0),
        (20_000, 50, "cite", 0),
        (20_000, 1_000, "impression", 0),
        (20_000, 1_000, "impression", 120),
    ],
)
async def test_the_formula_holds(
    state: FeedbackState, events: int, readers: int, event_type: str, token: int
) -> None:
    draw = random.Random(5)  # noqa: S311
    made = [_event(draw, number, readers, event_type, token) for number in range(events)]
    measured = await weight(state, made)
    kept = event_type != "impression"
    said = state_bytes(
        Names(reader=14, event=32, paper=16, type=len(event_type), extra=token),
        log_events=events,
        history_events=events * kept,
        readers=readers * kept,
        counters=await counters(state),
    )
    assert 0.6 * said < measured < said


@pytest.mark.parametrize("event_type", ["save", "impression"])
@pytest.mark.parametrize("digits", [32, 128])
@pytest.mark.parametrize("readers", [50, 5_000])
async def test_the_formula_holds_for_retractions(
    state: FeedbackState, event_type: str, digits: int, readers: int
) -> None:
    draw, events = random.Random(5), 5_000  # noqa: S311
    made = [_event(draw, number, readers, event_type, digits=digits) for number in range(events)]
    back = [retraction(each.reader, _id(draw, digits), each.id) for each in made]
    measured = await weight(state, [*made, *back])
    said = state_bytes(
        Names(reader=14, event=digits, paper=16, type=(len(event_type) + len(RETRACT)) / 2),
        log_events=2 * events,
        history_events=events * (2 if event_type == "save" else 1),
        readers=readers,
        counters=await counters(state),
        retractions=events,
        log_retractions=events,
    )
    assert 0.6 * said < measured < said


def _event(
    draw: random.Random,
    number: int,
    readers: int,
    event_type: str,
    token: int = 0,
    digits: int = 32,
) -> StoredEvent:
    reader, paper = f"reader-{number % readers:07}", f"paper-{draw.randrange(2_000):010}"
    event = stored(reader, _id(draw, digits), event_type, paper)
    event = event._replace(attribution_token="t" * token)
    return event._replace(content=content_digest(*event[:12]))


def _id(draw: random.Random, digits: int) -> str:
    return f"{draw.getrandbits(4 * digits):0{digits}x}"


async def weight(state: FeedbackState, events: Sequence[StoredEvent]) -> int:
    """What the server needs for these events once they are counted, in bytes."""
    while await memory(state, "lazyfree_pending_objects"):  # noqa: ASYNC110 - of earlier tests
        await asyncio.sleep(0)
    before = await memory(state, "used_memory_dataset")
    for first in range(0, len(events), 1_000):
        await state.append(events[first : first + 1_000])
    await consume(FeedbackLog(state.client), 1_000)
    return await memory(state, "used_memory_dataset") - before


async def counters(state: FeedbackState) -> int:
    return sum([await state.client.hlen(counts_key(each)) for each in range(PARTITIONS)])


async def memory(state: FeedbackState, name: str) -> int:
    return int((await state.client.info("memory"))[name])
