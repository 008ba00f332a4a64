"""Why papers trend, in words: for pages, feeds and mails."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from relatedpapers.v1.recommendation_service_pb2 import ResultSource, TrendingPaper, TrendingReason

DEEDS: Mapping[str, str] = MappingProxyType(
    {
        "save": "saved it",
        "read": "read it",
        "cite": "cited it",
        "share": "shared it",
        "click": "opened it",
    }
)
"""What readers did, by the type of the event."""

FALLBACK = "Too few readers chose papers lately. This one is recent, and gathers citations fast."

_SPANS: Mapping[str, str] = MappingProxyType(
    {"day": "today", "week": "this week", "month": "this month"}
)


def span(window: str) -> str:
    """A window as the end of a sentence: `this week`."""
    return _SPANS.get(window, f"in the window “{window}”")


def readers(count: int) -> str:
    """`1 reader`, `2,000 readers`."""
    return f"{count:,} {'reader' if count == 1 else 'readers'}"


def deed(event_type: str) -> str:
    """What readers did, as `3 readers` goes on; of a type that nobody named here, its name."""
    return DEEDS.get(event_type, f"sent “{event_type}”")


def chosen(reasons: Sequence[TrendingReason]) -> str:
    """Who did what: `5 readers saved it, 3 read it, 1 opened it`; the weightiest first. Readers
    who count: a hundred from one network are no hundred."""
    first, *others = reasons
    parts = [f"{readers(first.counted_readers)} {deed(first.event_type)}"]
    parts += [f"{each.counted_readers:,} {deed(each.event_type)}" for each in others]
    return ", ".join(parts)


def why(result: TrendingPaper, window: str) -> str:
    """One sentence or two: why a paper is in the list of a window."""
    if result.source != ResultSource.RESULT_SOURCE_TRENDING:
        return FALLBACK
    begin = span(window)
    return f"{begin[0].upper()}{begin[1:]}: {chosen(result.reasons)}."
