"""The log: each entry is counted once, whoever follows it and dies; trimming spares the unread."""

import asyncio
import os
import signal
import sys

import pytest

from service import event_window
from service.errors import ServiceError
from service.events import StoredEvent, identity
from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState, Outcome
from service.keys import PARTITIONS, events_key, log_key, partition_of
from tests.feedback.oracle import NOW_MS, stored
from tests.servers import SystemRedis
from tests.support import PATIENCE_SECONDS, ROOT

DAY = 86_400
HERE = partition_of("r")


@pytest.fixture
def log(state: FeedbackState) -> FeedbackLog:
    return FeedbackLog(state.client)


async def fill(state: FeedbackState, count: int, reader: str = "r") -> list[StoredEvent]:
    events = [stored(reader, f"e{number}", "click") for number in range(count)]
    assert set(await state.append(events)) == {Outcome.ACCEPTED}
    return events


async def test_an_empty_log(log: FeedbackLog) -> None:
    assert await log.lag() == 0
    assert await log.ends() == dict.fromkeys(range(PARTITIONS), START)
    assert await log.read(HERE, START, 10) == []
    assert await log.advance(HERE, START, [])
    assert await log.cursor(HERE) == START
    assert await log.trim(35 * DAY) == 0


async def test_entries_come_in_the_order_of_arrival(state: FeedbackState, log: FeedbackLog) -> None:
    events = await fill(state, 25)
    first = await log.read(HERE, START, 10)
    rest = await log.read(HERE, first[-1][0], 100)
    assert [event.id for _, event in first + rest] == [event.id for event in events]
    assert (await log.ends())[HERE] == rest[-1][0]


async def test_lag_falls_as_the_cursor_moves(state: FeedbackState, log: FeedbackLog) -> None:
    await fill(state, 10)
    await fill(state, 5, "another")
    assert await log.lag() == 15
    entries = await log.read(HERE, START, 4)
    assert await log.advance(HERE, START, entries)
    assert await log.cursor(HERE) == entries[-1][0]
    assert await log.lag() == 11
    assert await log.counts("p1") == {"click": 4}


async def test_a_cursor_that_moved_meanwhile_stands(state: FeedbackState, log: FeedbackLog) -> None:
    await fill(state, 10)
    entries = await log.read(HERE, START, 10)
    assert await log.advance(HERE, START, entries[:6])
    assert not await log.advance(HERE, START, entries)
    assert await log.counts("p1") == {"click": 6}
    assert await log.lag() == 4


async def test_two_consumers_at_once_count_each_event_once(
    state: FeedbackState, log: FeedbackLog
) -> None:
    async def consumer(count: int) -> int:
        refused = 0
        while await log.lag():
            after = await log.cursor(HERE)
            entries = await log.read(HERE, after, count)
            refused += not await log.advance(HERE, after, entries)
        return refused

    await fill(state, 50)
    refused = await asyncio.gather(consumer(3), consumer(5))
    assert sum(refused) > 0  # they did meet
    assert await log.counts("p1") == {"click": 50}


KILLED = """
import asyncio, os, signal, sys
from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState

async def main(url, partition):
    log = FeedbackLog(FeedbackState(url).client)
    entries = await log.read(partition, START, 6)
    assert await log.advance(partition, START, entries)
    assert await log.read(partition, entries[-1][0], 6)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""


async def test_a_consumer_that_dies_between_reading_and_counting(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 20)
    path = state.client.connection_pool.connection_kwargs["path"]
    consumer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", KILLED, f"unix://{path}", str(HERE)),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert await consumer.wait() == -signal.SIGKILL
    assert await log.lag() == 14
    after = await log.cursor(HERE)
    assert await log.advance(HERE, after, await log.read(HERE, after, 100))
    assert await log.counts("p1") == {"click": 20}
    assert await log.lag() == 0


async def test_trimming_forgets_what_is_old_and_counted(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 10)
    entries = await log.read(HERE, START, 10)
    assert await log.advance(HERE, START, entries[:7])
    assert await log.trim(35 * DAY) == 0
    later = NOW_MS / 1000 + 36 * DAY
    assert await log.trim(35 * DAY, now=later) == 7  # three are old and not counted
    assert await log.read(HERE, START, 10) == entries[7:]
    assert await state.client.hlen(events_key(HERE)) == 3
    assert await log.lag() == 3
    assert len((await state.history("r")).events) == 10
    assert await log.counts("p1") == {"click": 7}
    assert await state.append([stored("r", "e0", "click"), stored("r", "e9", "click")]) == [
        *(Outcome.ACCEPTED, Outcome.DUPLICATE),
    ]


async def test_ids_outlast_the_window_whatever_the_log_keeps(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 3)
    entries = await log.read(HERE, START, 10)
    await log.advance(HERE, START, entries)
    assert await log.trim(0, now=NOW_MS / 1000 + 30 * DAY) == 0
    short = FeedbackLog(state.client, window_seconds=DAY)
    assert await short.trim(0, now=NOW_MS / 1000 + 2 * DAY) == 3


async def test_ids_outlast_the_longest_window_that_was_ever_left(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 3)
    await log.advance(HERE, START, await log.read(HERE, START, 10))
    for days in (60, 20):
        await event_window.leave(state.client, days * DAY)
    assert await log.trim(35 * DAY, now=NOW_MS / 1000 + 60 * DAY) == 0
    assert await log.trim(35 * DAY, now=NOW_MS / 1000 + 61 * DAY) == 3


async def test_many_old_entries_are_trimmed_page_by_page(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 2_500)
    after = START
    assert len(await log.read(HERE, after, 100_000)) == 2_000  # a script's answer is bounded
    while entries := await log.read(HERE, after, 1_000):
        await log.advance(HERE, after, entries)
        after = entries[-1][0]
    assert await log.trim(0, now=NOW_MS / 1000 + 60 * DAY) == 2_500
    assert await state.client.xlen(log_key(HERE)) == 0
    assert await log.lag() == 0
    await state.append([stored("r", "new")])
    assert await log.lag() == 1
    assert [event.id for _, event in await log.read(HERE, after, 10)] == ["new"]


async def test_entries_whose_events_are_gone_are_passed_over(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 6)
    gone = [identity("r", f"e{number}") for number in (0, 2, 3, 5)]
    assert await state.client.hdel(events_key(HERE), *gone) == 4
    assert [event.id for _, event in await log.read(HERE, START, 10)] == [
        *("", "e1", "", "", "e4", ""),
    ]
    tail = log.tail({HERE: START})
    assert [(await anext(tail))[2].id for _ in range(2)] == ["e1", "e4"]
    await tail.aclose()
    while await log.catch_up(HERE, 2):
        pass
    assert await log.lag() == 0
    assert await log.counts("p1") == {"click": 2}


async def test_tail_shows_events_of_all_partitions_as_they_arrive(
    state: FeedbackState, log: FeedbackLog
) -> None:
    await fill(state, 1, "before")
    tail = log.tail()
    arriving = asyncio.ensure_future(anext(tail))
    async with asyncio.timeout(PATIENCE_SECONDS):
        number = 0
        while not arriving.done():  # until the tail has found its place
            number += 1
            await state.append([stored(f"reader {number}", "e")])
        _, _, first = await arriving
        await state.append([stored("last", "e")])
        seen = {first.reader}
        while "last" not in seen:
            seen.add((await anext(tail))[2].reader)
    assert "before" not in seen
    assert len({partition_of(reader) for reader in seen}) > 1
    await tail.aclose()


async def test_tail_from_a_place(state: FeedbackState, log: FeedbackLog) -> None:
    await fill(state, 3)
    [first, *_] = await log.read(HERE, START, 1)
    tail = log.tail({HERE: first[0]})
    assert [(await anext(tail))[2].id for _ in range(2)] == ["e1", "e2"]
    await tail.aclose()


async def test_the_log_of_a_state_server_that_is_away(state_server: SystemRedis) -> None:
    state = FeedbackState(state_server.url)
    log = FeedbackLog(state.client)
    state_server.stop()
    calls = (
        *(log.lag(), log.ends(), log.cursor(0), log.read(0, START, 1), log.counts("p")),
        *(log.trim(35 * DAY), anext(log.tail())),
    )
    for call in calls:
        with pytest.raises(ServiceError):
            await call
    await state.close()
