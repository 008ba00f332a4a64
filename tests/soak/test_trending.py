"""Trends of a month of events, on a real server, against the slow twin."""

import time
from pathlib import Path

import pytest

from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS
from service.state_memory import Names, trending_bytes
from tests.servers import SystemRedis
from tests.support import require_tool
from tests.trending.conftest import Server
from tests.trending.oracle import trends
from tests.trending.support import LENGTHS, assert_same
from tests.trending.worlds import World, history


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(30_000, marks=pytest.mark.slow),
        pytest.param(1_000_000, marks=pytest.mark.soak),
    ],
)
async def test_a_month_of_events_ranks_as_the_slow_twin_says(events: int, tmp_path: Path) -> None:
    """1,000 active papers; how the events are drawn: tests/trending/worlds.py."""
    now_ms = int(time.time() * 1000)
    world = World(events, 1_000, events // 20, events // 40, days=29.9, now_ms=now_ms)
    happened = list(history(world))  # no event leaves the month while this runs
    options = ["--appendonly", "yes", "--appendfsync", "everysec"]
    with SystemRedis(require_tool("redis-server"), tmp_path, *options) as redis:
        server = Server(FeedbackState(redis.url, allow_unsafe=True), tmp_path, now_ms)
        for begin in range(0, len(happened), 5_000):
            await server.state.append(happened[begin : begin + 5_000])
        counting = FeedbackLog(server.state.client)
        for partition in range(PARTITIONS):
            while await counting.catch_up(partition, 2_000):
                pass
        before = (await server.state.client.info("memory"))["used_memory_dataset"]
        publisher = server.publisher()
        await publisher.caught_up()
        measured = (await server.state.client.info("memory"))["used_memory_dataset"] - before
        await publisher.step()
        for window, length_ms in LENGTHS.items():
            expected = trends(happened, length_ms, now_ms)
            assert_same(await server.ranking(window), expected)
            print(f"{window}: {len(expected)} papers rank alike")
        records = await server.hours.records()
        hours = [len(await server.hours.changed(each, 0)) for each in range(PARTITIONS)]
        names = Names(event=8, paper=10, type=10)  # `impression`, the longest, is the most frequent
        said = trending_bytes(names, records=records, events=len(happened), hours=sum(hours))
        print(f"{len(happened)} events, {records} records: {measured} bytes, at most {said}")
        assert 0.4 * said < measured < said
        await server.state.close()
