"""What the state server holds for trends: each event once, none that was taken back, and nothing of
a reader who was deleted."""

import random

import msgpack
import pytest

from models.event_types import RETRACT
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.keys import PARTITIONS, partition_of, trending_hours_key, trending_prefix
from service.trending.layout import HOUR_MS
from service.trending.publisher import TrendPublisher
from service.trending.windows import trending
from tests.trending.conftest import Server
from tests.trending.oracle import trends
from tests.trending.support import LENGTHS, assert_same, made, month

DAY_MS = 86_400_000


async def assert_ranks(server: Server, events: list[StoredEvent]) -> None:
    """What is published is what the oracle says of these events."""
    publisher = server.publisher()
    assert await publisher.step()
    await publisher.close()
    for window, length_ms in LENGTHS.items():
        expected = trends(events, length_ms, server.now_ms)
        assert expected
        assert_same(await server.ranking(window), expected)


async def test_rankings_are_those_of_the_oracle(server: Server) -> None:
    events = month(server.now_ms, 2_000)
    await server.write(events, 97)
    await server.write(events[::3])  # sent again
    await assert_ranks(server, events)


async def test_a_publisher_follows_what_changes(server: Server) -> None:
    events = month(server.now_ms, 1_000)
    publisher = server.publisher()
    for begin in range(0, len(events), 250):
        await server.write(events[begin : begin + 250])
        assert await publisher.step()
        for window, length_ms in LENGTHS.items():
            expected = trends(events[: begin + 250], length_ms, server.now_ms)
            assert_same(await server.ranking(window), expected)
    assert not await publisher.step(), "nothing changed"
    server.now_ms += 2 * DAY_MS
    assert await publisher.step(), "time passes"
    for window, length_ms in LENGTHS.items():
        assert_same(await server.ranking(window), trends(events, length_ms, server.now_ms))


@pytest.mark.parametrize("late", [False, True])
async def test_what_is_taken_back_does_not_count(server: Server, *, late: bool) -> None:
    save = made(server.now_ms, "ada", "save", "save")
    click = made(server.now_ms, "ada", "click", "click")
    back = made(server.now_ms, "ada", "back", RETRACT, "", retracts="save")
    await server.write([click, back] if late else [click, save])
    await server.write([save] if late else [back])
    ranking = await server.published()
    assert dict(zip(ranking.types, ranking.readers[0].tolist(), strict=True))["save"] == 0
    assert ranking.papers == ["p"]


async def test_what_an_event_hid_is_back_when_it_is_taken_back(server: Server) -> None:
    now_ms = server.now_ms
    events = [
        made(now_ms, "ada", "1", "save", time_ms=now_ms - 5),
        made(now_ms, "ada", "2", "unsave", time_ms=now_ms - 3),
    ]
    await server.write(events)
    assert (await server.published()).papers == []
    await server.write([made(now_ms, "ada", "3", RETRACT, "", retracts="2")])
    assert (await server.published()).papers == ["p"]


async def test_of_many_events_of_one_hour_the_latest_are_kept(server: Server) -> None:
    now_ms = server.now_ms
    begin = now_ms - now_ms % HOUR_MS - HOUR_MS
    events = [made(now_ms, "ada", f"e{n:03}", "click", time_ms=begin + n) for n in range(500)]
    random.Random(1).shuffle(events)  # noqa: S311 - a test needs no secret
    await server.write(events)
    [(_, records)] = [
        each async for each in server.hours.read(partition_of("ada"), [begin // HOUR_MS])
    ]
    [packed] = records.values()
    assert len(packed) < 32 * 30
    expected = trends(events, 30 * DAY_MS, now_ms)
    assert_same(await server.published(), expected)


async def test_rankings_made_anew_from_the_log_are_the_same(server: Server) -> None:
    events = month(server.now_ms, 1_500)
    await server.write(events, 100)
    before = await server.published()
    await server.hours.reset()
    assert await TrendPublisher.behind(server.publisher())
    after = await server.published()
    assert after.pack() == before.pack()
    await assert_ranks(server, events)


async def test_what_is_made_anew_at_a_longer_window_counts_once(server: Server) -> None:
    events = month(server.now_ms, 500)
    old = made(server.now_ms, "ada", "old", "cite", "q", time_ms=server.now_ms - 20 * DAY_MS)
    await server.write([*events, old])
    before = await server.published()
    shorter = TrendPublisher(
        *(server.state.client, server.hours, trending('{"day": 1}'), lambda: server.now_ms)
    )
    assert await shorter.step()
    await shorter.close()
    partition, hour = partition_of("ada"), old.time_ms // HOUR_MS
    assert hour not in await server.hours.changed(partition, 0)
    assert not await server.state.client.exists(f"{trending_prefix(partition)}{hour}")
    await server.hours.reset()
    assert (await server.published()).pack() == before.pack()
    await assert_ranks(server, [*events, old])


async def test_records_that_the_list_of_hours_lacks_count_once(server: Server) -> None:
    events = month(server.now_ms, 500)
    await server.write([*events, made(server.now_ms, "ada", "1", "click", "q")])
    for partition in range(PARTITIONS):
        await server.state.client.delete(trending_hours_key(partition))
    await server.hours.reset()
    await assert_ranks(server, [*events, made(server.now_ms, "ada", "1", "click", "q")])
    [(_, records)] = [
        each async for each in server.hours.read(partition_of("ada"), [server.now_ms // HOUR_MS])
    ]
    field = server.records.fields.field("ada", "click", "q")
    assert msgpack.unpackb(records[field], raw=True)[0] == 1
    await server.write([made(server.now_ms, "ada", "2", RETRACT, "", retracts="1")])
    assert "q" not in (await server.published()).papers


async def test_events_that_were_counted_without_trends_are_caught_up_with(server: Server) -> None:
    events = month(server.now_ms, 2_500)
    older = FeedbackLog(server.state.client)
    await server.state.append(events[:1_200])
    for partition in range(PARTITIONS):
        await older.catch_up(partition, 2_000)
    await server.write(events[1_200:])
    await assert_ranks(server, events)


async def test_only_one_publishes_and_another_goes_on(server: Server) -> None:
    await server.write([made(server.now_ms, "ada", "1", "click")])
    one, other = server.publisher(), server.publisher()
    assert await one.step()
    assert not await other.step()
    await server.write([made(server.now_ms, "bob", "2", "click", "q")])
    await one.close()
    assert await other.step()
    assert (await server.ranking()).papers == ["p", "q"]
    assert not await one.step(), "it lost the lease"


async def test_hours_that_no_window_reaches_go(server: Server) -> None:
    now_ms = server.now_ms
    await server.write(
        [
            made(now_ms, "ada", "1", "click", time_ms=now_ms - 29 * DAY_MS),
            made(now_ms, "ada", "2", "click", time_ms=now_ms - 31 * DAY_MS),
        ]
    )
    partition, hour = partition_of("ada"), (now_ms - 29 * DAY_MS) // HOUR_MS
    key = f"{trending_prefix(partition)}{hour}"
    ends = (hour * HOUR_MS) // 1000 + 30 * 86_400 + 7_200
    assert await server.state.client.expiretime(key) == ends
    assert await server.hours.changed(partition, 0) == [hour]
    server.now_ms += 2 * DAY_MS
    await server.published()
    assert await server.state.client.zcard(trending_hours_key(partition)) == 0
