"""The state weighs what service/state_memory.py says, by the server's own account."""

import asyncio
import random

import pytest

from service.events import content_digest
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS, counts_key
from service.state_memory import Names, state_bytes
from tests.feedback.oracle import stored
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
    while await memory(state, "lazyfree_pending_objects"):  # noqa: ASYNC110 - of earlier tests
        await asyncio.sleep(0)
    before = await memory(state, "used_memory_dataset")
    papers = [f"paper-{number:010}" for number in range(2_000)]
    for first in range(0, events, 1_000):
        batch = []
        for number in range(first, first + 1_000):
            reader, event_id = f"reader-{number % readers:07}", f"{draw.getrandbits(128):032x}"
            paper = draw.choice(papers)
            event = stored(reader, event_id, event_type, paper)
            event = event._replace(attribution_token="t" * token)
            batch.append(event._replace(content=content_digest(*event[:12])))
        await state.append(batch)
    await consume(FeedbackLog(state.client), 1_000)
    counters = sum([await state.client.hlen(counts_key(each)) for each in range(PARTITIONS)])
    kept = event_type != "impression"
    said = state_bytes(
        Names(reader=14, event=32, paper=16, type=len(event_type), extra=token),
        log_events=events,
        history_events=events * kept,
        readers=readers * kept,
        counters=counters,
    )
    measured = await memory(state, "used_memory_dataset") - before
    assert 0.6 * said < measured < said


async def memory(state: FeedbackState, name: str) -> int:
    return int((await state.client.info("memory"))[name])
