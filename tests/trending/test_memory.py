"""The trending hours weigh what service/state_memory.py says, by the server's own account."""

import asyncio
import random

import pytest

from service.feedback_log import FeedbackLog
from service.keys import PARTITIONS
from service.state_memory import Names, trending_bytes
from tests.trending.conftest import Server
from tests.trending.support import made

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("events", "hours", "readers"),
    [
        (20_000, 1, 20_000),
        (20_000, 48, 20_000),
        (20_000, 700, 2_000),
        (20_000, 1, 20),  # several events a record
    ],
)
async def test_the_formula_holds(server: Server, events: int, hours: int, readers: int) -> None:
    draw = random.Random(5)  # noqa: S311 - a test needs no secret
    # Until four minutes past an hour: two tables, of which one is as full as it gets.
    until = server.now_ms // HOUR_MS * HOUR_MS - HOUR_MS + 4 * 60_000
    for _ in range(events // 1_000):
        batch = [
            made(
                *(server.now_ms, f"reader-{draw.randrange(readers):07}"),
                *(f"{draw.getrandbits(128):032x}", "click"),
                f"paper-{draw.randrange(2_000):010}",
                time_ms=until - draw.randrange(hours * HOUR_MS),
                origin=f"network-{draw.randrange(500)}",
            )
            for _ in range(1_000)
        ]
        await server.state.append(batch)
    counting = FeedbackLog(server.state.client)  # so that what is measured is the hours alone
    for partition in range(PARTITIONS):
        while await counting.catch_up(partition, 1_000):
            pass
    while await memory(server, "lazyfree_pending_objects"):  # noqa: ASYNC110 - of earlier tests
        await asyncio.sleep(0)
    before = await memory(server, "used_memory_dataset")
    await server.publisher().caught_up()
    measured = await memory(server, "used_memory_dataset") - before
    held = [len(await server.hours.changed(partition, 0)) for partition in range(PARTITIONS)]
    records = await server.hours.records()
    said = trending_bytes(
        Names(event=32, paper=16, type=5),
        records=records,
        events=min(events, 32 * records),
        hours=sum(held),
    )
    assert 0.5 * said < measured < said


async def memory(server: Server, name: str) -> int:
    return int((await server.state.client.info("memory"))[name])
