"""What tests of trends share."""

import random
from collections.abc import Iterable

import msgpack

from models.event_types import RETRACT
from service.events import StoredEvent, content_digest
from service.times import DAY_MS
from service.trending.layout import HOUR_MS
from service.trending.ranking import Ranking
from service.trending.records import Fields, Records
from service.trending.table import Table
from service.trending.windows import TYPE_WEIGHTS, Trending, trending
from tests.trending.oracle import Trend

FIELDS = Fields(b"a key of the tests alone")
LENGTHS = {"day": DAY_MS, "week": 7 * DAY_MS, "month": 30 * DAY_MS}
CONFIGURED: Trending = trending('{"week": 7, "day": 1, "month": 30}')
RECORDS = Records(FIELDS, CONFIGURED.families, CONFIGURED.longest_ms)


def made(
    now_ms: int, reader: str, event_id: str, kind: str, paper: str = "p", **fields: object
) -> StoredEvent:
    """An event as the door lets it in."""
    event = StoredEvent(reader, event_id, now_ms, now_ms, kind, paper)
    event = event._replace(**fields)  # type: ignore[arg-type]
    return event._replace(content=content_digest(*event[:12]))


def month(now_ms: int, size: int, seed: int = 3) -> list[StoredEvent]:
    """Random events in random order: retractions may come before what they take back."""
    draw = random.Random(seed)  # noqa: S311 - a test needs no secret
    events: list[StoredEvent] = []
    for number in range(size):
        time_ms = now_ms - draw.choice([0, HOUR_MS, draw.randrange(40 * DAY_MS)])
        reader = f"reader-{draw.randrange(60)}"
        kind = draw.choice("impression impression click click read save unsave cite hide".split())
        paper, origin = f"paper-{draw.randrange(40)}", draw.choice(["", "a", "b", "c"])
        events.append(
            made(now_ms, reader, f"e{number}", kind, paper, time_ms=time_ms, origin=origin)
        )
        if draw.random() < 0.1:
            taken = draw.choice(events)
            retraction = made(now_ms, taken.reader, f"r{number}", RETRACT, "", retracts=taken.id)
            events.append(retraction)
    draw.shuffle(events)
    return events


def hours(events: Iterable[StoredEvent], now_ms: int) -> dict[int, dict[bytes, bytes]]:
    """What the hours hold after these events, none of which comes twice, without a server."""
    known = list(events)
    taken_back = {(each.reader, each.retracts) for each in known if each.type == RETRACT}
    valid = [("0-1", each) for each in known if (each.reader, each.id) not in taken_back]
    found: dict[int, dict[bytes, list[object]]] = {}
    flat = RECORDS.of(valid, now_ms)
    for at in range(0, len(flat), 4):
        _, hour, field, packed = flat[at : at + 4]
        assert isinstance(hour, int)
        assert isinstance(field, bytes)
        assert isinstance(packed, bytes)
        record = found.setdefault(hour, {}).setdefault(field, [0])
        record[0] += 1  # type: ignore[operator]
        record += msgpack.unpackb(packed, raw=True)[1:]
    return {
        hour: {field: msgpack.packb(each) for field, each in records.items()}
        for hour, records in found.items()
    }


def table(events: Iterable[StoredEvent], now_ms: int) -> Table:
    """A table of these events."""
    made = Table(TYPE_WEIGHTS)
    hold(made, 0, events, now_ms)
    return made


def hold(held: Table, partition: int, events: Iterable[StoredEvent], now_ms: int) -> list[int]:
    """Hold events as those of a partition of readers; the hours that they are in."""
    found = hours(events, now_ms)
    for hour, records in found.items():
        held.replace(partition, hour, records)
    return list(found)


def assert_same(ranking: Ranking, expected: list[Trend]) -> None:
    """The same papers in the same order, with the same reasons; floats to 1e-9."""
    assert ranking.papers == [each.paper for each in expected]
    for at, trend in enumerate(expected):
        assert abs(ranking.scores[at] - trend.score) <= 1e-9 * max(1.0, trend.score)
        assert ranking.shown[at] == trend.shown
        assert ranking.latest[at] == trend.latest
        for number, kind in enumerate(ranking.types):
            assert ranking.readers[at, number] == trend.readers[kind]
            assert ranking.counted[at, number] == trend.counted[kind]
            assert abs(ranking.decayed[at, number] - trend.decayed[kind]) < 1e-6
            assert abs(ranking.contributions[at, number] - trend.contributions[kind]) < 1e-6
    assert (abs(ranking.contributions.sum(axis=1) - ranking.scores) < 1e-9).all()
