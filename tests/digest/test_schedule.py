"""When a digest is due, against an oracle that walks through every minute."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.digest.schedule import latest_due, local_date, next_due
from service.digest.subscriptions import Frequency

MINUTE_MS = 60_000
DAY_MINUTES = 24 * 60


class Schedule(NamedTuple):
    time_zone: str
    hour: int
    frequency: Frequency = Frequency.DAILY
    weekday: int = 1


def ms(text: str) -> int:
    """An instant with its offset, as 2026-03-29T07:00+02:00."""
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def said(at_ms: int, zone: str = "UTC") -> str:
    return datetime.fromtimestamp(at_ms / 1_000, ZoneInfo(zone)).isoformat(timespec="minutes")


@lru_cache(maxsize=4)
def readings(zone: str, begin_ms: int, minutes: int) -> list[tuple[int, datetime]]:
    """Every minute from an instant on, and what the clock on the wall shows then."""
    clock = ZoneInfo(zone)
    instants = (begin_ms + minute * MINUTE_MS for minute in range(minutes))
    return [(at, datetime.fromtimestamp(at / 1_000, clock).replace(tzinfo=None)) for at in instants]


def walked(schedule: Schedule, begin_ms: int, minutes: int) -> Iterator[int]:
    """Every digest from an instant on, by a look at the clock each minute.

    The walk begins two days early, so that it sees each date begin.
    """
    begin = begin_ms - 2 * DAY_MINUTES * MINUTE_MS
    walk = readings(schedule.time_zone, begin, minutes + 4 * DAY_MINUTES)
    existing = {reading.date() for _, reading in walk}
    served: set[date] = set()
    for at, reading in walk:
        for days_ago in (0, 1):  # an hour passed over at the end of a date is due on the next
            day = reading.date() - timedelta(days=days_ago)
            due = datetime(day.year, day.month, day.day, schedule.hour)  # noqa: DTZ001
            if reading >= due and day in existing and day not in served:
                served.add(day)
                if at >= begin_ms and wanted(schedule, day):
                    yield at


def wanted(schedule: Schedule, day: date) -> bool:
    if schedule.frequency is Frequency.DAILY:
        return True
    if schedule.frequency is Frequency.WEEKDAYS:
        return day.strftime("%a") not in {"Sat", "Sun"}
    return day.isoweekday() == schedule.weekday


def dues(schedule: Schedule, begin_ms: int, end_ms: int) -> Iterator[int]:
    at = next_due(schedule, begin_ms - 1)
    while at < end_ms:
        yield at
        at = next_due(schedule, at)


instants = st.datetimes(
    datetime(1990, 1, 1),  # noqa: DTZ001
    datetime(2045, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
).map(lambda each: int(each.timestamp()) // 60 * MINUTE_MS)
schedules = st.builds(
    Schedule,
    time_zone=st.sampled_from(sorted(available_timezones() - {"localtime"})),
    hour=st.integers(0, 23),
    frequency=st.sampled_from(Frequency),
    weekday=st.integers(1, 7),
)


def compare(schedule: Schedule, begin: int, days: int) -> None:
    minutes = days * DAY_MINUTES
    end = begin + minutes * MINUTE_MS
    expected = [each for each in walked(schedule, begin, minutes) if each < end]
    found = list(dues(schedule, begin, end))
    assert list(map(said, found)) == list(map(said, expected))
    for earlier, later in itertools.pairwise(found):
        assert latest_due(schedule, earlier) == earlier
        assert latest_due(schedule, later - 1) == earlier


@settings(max_examples=60)
@given(schedules, instants)
def test_every_zone_against_every_minute(schedule: Schedule, begin: int) -> None:
    compare(schedule, begin, 10)


def changes(zone: str, year: int) -> Iterator[int]:
    """The hours of a year in which the clock is put forward or back."""
    begin = ms(f"{year}-01-01T00:00+00:00")
    clock = ZoneInfo(zone)
    offset = None
    for hour in range(366 * 24):
        at = begin + hour * 60 * MINUTE_MS
        now = datetime.fromtimestamp(at / 1_000, clock).utcoffset()
        if offset is not None and now != offset:
            yield at
        offset = now


ODD_ZONES = [
    ("Europe/Berlin", 2026),
    ("America/New_York", 2026),
    ("America/St_Johns", 2006),  # changes a minute past midnight
    ("America/Nuuk", 2025),  # passes over the last hour of a Saturday
    ("America/Sao_Paulo", 2018),  # passes over the first hour of a Sunday
    ("Australia/Lord_Howe", 2026),  # by half an hour
    ("Africa/Casablanca", 2026),  # back and forth about Ramadan
    ("Antarctica/Troll", 2026),  # by two hours
    ("Pacific/Apia", 2011),  # has no 30 December
    ("Asia/Pyongyang", 2015),
    ("America/Caracas", 2016),
    ("Asia/Gaza", 2026),
]


@pytest.mark.parametrize(("zone", "year"), ODD_ZONES)
def test_where_clocks_change(zone: str, year: int) -> None:
    days = list(changes(zone, year))
    assert days, "the clock changes in that year"
    for change in days:
        for hour in range(24):
            compare(Schedule(zone, hour), change - 2 * DAY_MINUTES * MINUTE_MS, 4)


@pytest.mark.parametrize(
    ("schedule", "after", "due"),
    [
        pytest.param(
            Schedule("Europe/Berlin", 7),
            "2026-03-28T07:00+01:00",
            "2026-03-29T07:00+02:00",
            id="seven stays seven when summer begins",
        ),
        pytest.param(
            Schedule("Europe/Berlin", 2),
            "2026-03-28T12:00+01:00",
            "2026-03-29T03:00+02:00",
            id="two does not exist: the moment that the clock is put forward",
        ),
        pytest.param(
            Schedule("Europe/Berlin", 2),
            "2026-10-24T12:00+02:00",
            "2026-10-25T02:00+02:00",
            id="two comes twice: the first",
        ),
        pytest.param(
            Schedule("Europe/Berlin", 2),
            "2026-10-25T02:00+02:00",
            "2026-10-26T02:00+01:00",
            id="and not the second",
        ),
        pytest.param(
            Schedule("America/Nuuk", 23),
            "2025-03-28T23:00-02:00",
            "2025-03-30T00:00-01:00",
            id="the last hour of a Saturday does not exist: the first moment of Sunday",
        ),
        pytest.param(
            Schedule("Pacific/Apia", 9),
            "2011-12-29T09:00-10:00",
            "2011-12-31T09:00+14:00",
            id="a date that does not exist",
        ),
        pytest.param(
            Schedule("Asia/Kathmandu", 0, Frequency.WEEKDAYS),
            "2026-11-20T00:00+05:45",
            "2026-11-23T00:00+05:45",
            id="no weekend",
        ),
        pytest.param(
            Schedule("Pacific/Kiritimati", 6, Frequency.WEEKLY, weekday=3),
            "2026-11-18T06:00+14:00",
            "2026-11-25T06:00+14:00",
            id="a week later, to the minute",
        ),
    ],
)
def test_known_answers(schedule: Schedule, after: str, due: str) -> None:
    zone = schedule.time_zone
    assert said(next_due(schedule, ms(after)), zone) == said(ms(due), zone)
    assert latest_due(schedule, ms(due)) == ms(due)
    assert latest_due(schedule, ms(due) - 1) <= ms(after)


def test_a_local_date() -> None:
    at = ms("2026-11-20T23:30+00:00")
    assert local_date(Schedule("Pacific/Kiritimati", 7), at) == date(2026, 11, 21)
    assert local_date(Schedule("Pacific/Pago_Pago", 7), at) == date(2026, 11, 20)
