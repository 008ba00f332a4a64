"""What a request may hold. Each function returns the value to work with, or raises ServiceError."""

from collections.abc import Sequence

from models.first_pages import SIZE
from models.formats import UNPRINTABLE
from models.identifiers import MAX_ID_CHARACTERS
from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    Draft,
    ListRelatedPapersRequest,
    PaperFilter,
)
from service.errors import Reason, ServiceError
from service.filters import LAST_YEAR

DEFAULT_PAGE_SIZE = SIZE
MAX_PAGE_SIZE = 100
"""Of every list of papers."""

MAX_SEEDS = 100
MAX_BATCH = 100
MAX_EXCLUDED = 1_000
MAX_VENUES = 100
MAX_PAPERS = 1_000
MAX_NAME_CHARACTERS = 256
MAX_DRAFT_CHARACTERS = 1_000_000
MAX_DRAFT_REFERENCES = 10_000
_MAX_SHOWN = 200
_VIEWS = frozenset(PaperView.values())


def invalid(field: str, value: object, expected: str) -> ServiceError:
    """The error of a field with a value it cannot have; long values are cut."""
    shown = cut(str(value))
    message = f"`{field}` is {shown!r}: it must be {expected}."
    return ServiceError(Reason.FIELD_INVALID, message, field=field, value=shown)


def cut(text: str) -> str:
    """As much of what a sender wrote as an error repeats."""
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def missing(field: str, expected: str) -> ServiceError:
    """The error of a field that must be set."""
    return ServiceError(Reason.FIELD_MISSING, f"`{field}` is empty: {expected}.", field=field)


def page_size(value: int, default: int = DEFAULT_PAGE_SIZE, maximum: int = MAX_PAGE_SIZE) -> int:
    """Results on a page: 0 is the default, and more than the maximum is the maximum."""
    if value < 0:
        raise invalid("page_size", value, "0 or more")
    return min(value, maximum) or default


def view(value: int, default: int) -> int:
    """A PaperView that says how much of a paper to return."""
    if value not in _VIEWS:
        raise invalid("view", value, f"one of {', '.join(PaperView.keys())}")
    return value or default


def fraction(request: ListRelatedPapersRequest, field: str, default: float) -> float:
    """A number in [0, 1], or the default where it is absent."""
    if not request.HasField(field):
        return default
    value: float = getattr(request, field)
    if not 0.0 <= value <= 1.0:
        raise invalid(field, value, "a number from 0 to 1")
    return value


def is_name(value: str) -> bool:
    """Whether something may be called so: a reader, an event, a place.

    Control characters and lone surrogates are no part of names: they hide in logs and on screens.
    """
    return len(value) <= MAX_NAME_CHARACTERS and not UNPRINTABLE.search(value)


def name(field: str, value: str, expected: str = "") -> str:
    """What senders name things by. expected: what an empty one lacks."""
    if not value:
        raise missing(field, expected)
    if len(value) > MAX_NAME_CHARACTERS:
        raise invalid(field, value, f"at most {MAX_NAME_CHARACTERS} characters long")
    if not is_name(value):
        raise invalid(field, value, "without control characters")
    return value


def paper_id(field: str, value: str) -> str:
    """One paper id in any spelling."""
    if not value:
        raise missing(field, "give the id of a paper")
    if len(value) > MAX_ID_CHARACTERS:
        raise invalid(field, value, f"at most {MAX_ID_CHARACTERS:,} characters long")
    return value


def paper_ids(field: str, values: Sequence[str], maximum: int) -> Sequence[str]:
    """Paper ids in any spelling; there may be none."""
    at_most(field, values, maximum)
    for place, value in enumerate(values):
        if not 0 < len(value) <= MAX_ID_CHARACTERS:
            paper_id(f"{field}[{place}]", value)  # says why not
    return values


def at_most(field: str, values: Sequence[object], maximum: int) -> None:
    """A repeated field has no more than the maximum."""
    if len(values) > maximum:
        raise invalid(field, f"{len(values):,} long", f"at most {maximum:,} long")


def years(wanted: PaperFilter) -> tuple[int | None, int | None]:
    """The bounds of the year of publication, None where absent."""
    first = _year("filter.first_year", wanted.first_year) if wanted.HasField("first_year") else None
    last = _year("filter.last_year", wanted.last_year) if wanted.HasField("last_year") else None
    if first is not None and last is not None and first > last:
        raise invalid("filter.last_year", last, f"{first} or later, as `filter.first_year` says")
    return first, last


def draft(value: Draft) -> Draft:
    """A draft with something to go by."""
    if value.HasField("year"):
        _year("draft.year", value.year)
    paper_ids("draft.references", value.references, MAX_DRAFT_REFERENCES)
    texts = [value.title, value.abstract, *value.keywords]
    if not value.references and not any(text.strip() for text in texts):
        raise missing("draft", "give a title, an abstract, keywords or references")
    length = sum(map(len, [*texts, *value.references, *value.authors]))
    if length > MAX_DRAFT_CHARACTERS:
        raise invalid(
            "draft", f"{length:,} characters", f"at most {MAX_DRAFT_CHARACTERS:,} characters"
        )
    return value


def _year(field: str, value: int) -> int:
    if not 1 <= value <= LAST_YEAR:
        raise invalid(field, value, f"a year from 1 to {LAST_YEAR}")
    return value
