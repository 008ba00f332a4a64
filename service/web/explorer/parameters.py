"""What a page's address asks for: parameters that people write and share, read strictly."""

from collections.abc import Mapping

from starlette.datastructures import QueryParams

from relatedpapers.v1.recommendation_service_pb2 import PaperFilter
from service.validation import invalid

FILTER = ("first", "last", "venue")
"""The parameters of `paper_filter`."""

_MAX_NUMBER = 1_000_000


def year(query: QueryParams, name: str) -> int | None:
    """A year, or None where it is not given. Raises ServiceError."""
    return _integer(query, name, 9_999, "a year from 1 to 9999")


def place(query: QueryParams, name: str) -> int:
    """The place in a list at which a page begins, from 1. Raises ServiceError."""
    return _integer(query, name, _MAX_NUMBER, "the number of a result, from 1") or 1


def fraction(query: QueryParams, name: str, default: float) -> float:
    """A number from 0 to 1. Raises ServiceError."""
    text = query.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise invalid(name, text, "a number from 0 to 1")
    return value


def paper_filter(query: QueryParams) -> PaperFilter:
    """The years `first` and `last`, and `venue`, which may come again. Raises ServiceError."""
    venues = [venue for venue in query.getlist("venue") if venue.strip()]
    wanted = PaperFilter(venues=venues)
    first, last = year(query, "first"), year(query, "last")
    if first is not None:
        wanted.first_year = first
    if last is not None:
        wanted.last_year = last
    return wanted


def ids(query: QueryParams, name: str) -> list[str]:
    """Paper ids, each once, in the order of the address."""
    found = (value.strip() for value in query.getlist(name))
    return list(dict.fromkeys(value for value in found if value))


def kept(query: QueryParams, *names: str) -> Mapping[str, list[str]]:
    """The parameters of these names as they are, for a link that keeps them."""
    return {name: query.getlist(name) for name in names if name in query}


def _integer(query: QueryParams, name: str, most: int, expected: str) -> int | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    value = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 1 <= value <= most:
        raise invalid(name, text, expected)
    return value
