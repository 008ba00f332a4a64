"""When a digest is due, by the clock on the subscriber's wall. Pure functions.

A subscriber has at most one digest a local date: at the first instant at which the wall clock there
shows that date's hour, or has passed it. So an hour that does not exist, since the clock is put
forward over it, is due the moment the clock is put forward; an hour that comes twice is due the
first time. A date that does not exist at all, as where the date line moved, has no digest.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from service.digest.subscriptions import Frequency

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FRIDAY = 5

_zone = lru_cache(maxsize=1_024)(ZoneInfo)


class Schedule(Protocol):
    """What a subscriber chose: a Subscription is one."""

    @property
    def time_zone(self) -> str:
        """A name of the IANA time zone database, such as `Europe/Berlin`."""

    @property
    def frequency(self) -> Frequency:
        """On which dates."""

    @property
    def weekday(self) -> int:
        """For weekly digests, 1 (Monday) to 7; for others without meaning."""

    @property
    def hour(self) -> int:
        """0 to 23, of the local clock."""


def next_due(schedule: Schedule, after_ms: int) -> int:
    """The first digest after an instant: both in ms since 1970, and never equal.

    Raises ZoneInfoNotFoundError where the time zone is unknown.
    """
    zone = _zone(schedule.time_zone)
    first = _local_date(zone, after_ms) - _DAY  # a clock put back may show that date again
    return next(due for due in _dues(schedule, zone, first, _DAY) if due > after_ms)


def latest_due(schedule: Schedule, at_ms: int) -> int:
    """The last digest at or before an instant: both in ms since 1970.

    Raises ZoneInfoNotFoundError where the time zone is unknown.
    """
    zone = _zone(schedule.time_zone)
    last = _local_date(zone, at_ms) + _DAY
    return next(due for due in _dues(schedule, zone, last, -_DAY) if due <= at_ms)


def local_date(schedule: Schedule, at_ms: int) -> date:
    """The date there at an instant, in ms since 1970."""
    return _local_date(_zone(schedule.time_zone), at_ms)


def _dues(schedule: Schedule, zone: tzinfo, begin: date, step: timedelta) -> Iterator[int]:
    """The digests of date after date, or of date before date."""
    local = begin
    while True:
        if _has_digest(schedule, local):
            due = _due(zone, local, schedule.hour)
            if due is not None:
                yield due
        local += step


def _has_digest(schedule: Schedule, local: date) -> bool:
    match schedule.frequency:
        case Frequency.DAILY:
            return True
        case Frequency.WEEKDAYS:
            return local.isoweekday() <= _FRIDAY
        case _:
            return local.isoweekday() == schedule.weekday


def _due(zone: tzinfo, local: date, hour: int) -> int | None:
    """The first instant at which the clock shows the hour of a date, or later; in ms since 1970.

    Of two instants with one reading, `fold=0` is the earlier (PEP 495). Of a reading that the clock
    passes over, `fold=0` and `fold=1` are instants after and before the clock is put forward.
    """
    reading = datetime(local.year, local.month, local.day, hour)  # noqa: DTZ001 - a wall clock's
    first = reading.replace(tzinfo=zone).astimezone(UTC)
    if _reading(zone, first) != reading:
        before = reading.replace(tzinfo=zone, fold=1).astimezone(UTC)
        first = _put_forward(zone, before, first)
        if _passes_over(zone, first, local):
            return None
    return round(first.timestamp() * 1_000)


def _put_forward(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second between two instants (UTC) at which the clock is put forward."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _passes_over(zone: tzinfo, put_forward: datetime, local: date) -> bool:
    """Whether the clock, put forward at this instant, passes over the whole of a date."""
    before, after = _reading(zone, put_forward - _SECOND), _reading(zone, put_forward)
    return before.date() < local < after.date()


def _reading(zone: tzinfo, instant: datetime) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


def _local_date(zone: tzinfo, at_ms: int) -> date:
    return datetime.fromtimestamp(at_ms / 1_000, zone).date()
