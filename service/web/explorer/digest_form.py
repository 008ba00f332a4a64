"""The form that says what a digest holds and when it comes: filled in, and read."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from starlette.requests import Request

from relatedpapers.v1 import digest_service_pb2 as pb
from service.digest.preferences import time_zones
from service.errors import Reason, ServiceError

TRENDING, SEARCH, SEEDS, READER = "trending", "search", "seeds", "reader"

FREQUENCIES: Mapping[str, int] = MappingProxyType(
    {
        "daily": pb.DIGEST_FREQUENCY_DAILY,
        "weekdays": pb.DIGEST_FREQUENCY_WEEKDAYS,
        "weekly": pb.DIGEST_FREQUENCY_WEEKLY,
    }
)

WRONG: Mapping[str, str] = MappingProxyType(
    {
        "address": "No mail can be sent to this address. One looks like ada@papers.example.",
        "preferences.time_zone": "Choose one of the time zones.",
        "preferences.hour": "Choose one of the hours.",
        "preferences.weekday": "Choose one of the days.",
        "preferences.frequency": "Choose how often.",
        "preferences.content": "Choose what the digest is made of.",
        "preferences.content.trending_window": "Choose one of the windows.",
        "preferences.content.search_query": "Give words to look for, at most 1,000 characters.",
        "preferences.content.seed_papers": "Name at least one paper.",
        "preferences.content.seed_papers.paper_ids": (
            "Name 1 to 100 papers, each on a line of its own."
        ),
        "preferences.content.reader_id": "Give the id of a reader, at most 256 characters.",
    }
)
"""What a person is told of a field of the API that has a value it can't have."""

_UNKNOWN_PAPERS = "None of these papers is here. Copy their ids from the addresses of their pages."
_DEFAULT_HOUR = 7


@dataclass(frozen=True)
class Filled:
    """What a form holds, as its fields have it.

    content: one of TRENDING, SEARCH, SEEDS and READER. seeds: ids, one a line.
    wrong: what is wrong, "" for nothing; about: the field of the API that it is about.
    """

    address: str = ""
    content: str = TRENDING
    window: str = ""
    query: str = ""
    seeds: str = ""
    reader: str = ""
    frequency: str = "daily"
    weekday: int = 1
    hour: int = _DEFAULT_HOUR
    time_zone: str = ""
    wrong: str = ""
    about: str = ""

    def preferences(self) -> pb.DigestPreferences:
        """What it asks for; it may be nothing that a digest can be."""
        weekly = self.frequency == "weekly"
        wanted = pb.DigestPreferences(
            time_zone=self.time_zone,
            hour=self.hour,
        )
        # Numbers that no enum has are for the service to refuse.
        wanted.frequency = FREQUENCIES.get(self.frequency, -1)  # type: ignore[assignment]
        wanted.weekday = self.weekday if weekly else 0  # type: ignore[assignment]
        match self.content:
            case "trending":
                wanted.content.trending_window = self.window
            case "search":
                wanted.content.search_query = self.query
            case "seeds":
                lines = (line.strip() for line in self.seeds.splitlines())
                wanted.content.seed_papers.paper_ids.extend(filter(None, lines))
                wanted.content.seed_papers.SetInParent()
            case "reader":
                wanted.content.reader_id = self.reader
        return wanted


@cache
def zones() -> Mapping[str, list[str]]:
    """The time zones that people choose from, by the part of the world; first UTC."""
    found: dict[str, list[str]] = {"": ["UTC"]}
    for zone in sorted(time_zones()):
        part, slash, _ = zone.partition("/")
        if slash and part not in {"Etc", "SystemV", "US"}:
            found.setdefault(part, []).append(zone)
    return found


def from_address(request: Request, windows: Iterable[str]) -> Filled:
    """What the address of the form asks for: `window`, `q`, `seed` (again and again) or `reader`,
    as other pages link here."""
    query = request.query_params
    default = next(iter(windows))
    if text := query.get("q", "").strip():
        return Filled(content=SEARCH, query=text[:1_000], window=default)
    if seeds := [seed for seed in query.getlist("seed") if seed.strip()]:
        return Filled(content=SEEDS, seeds="\n".join(seeds[:100]), window=default)
    if reader := query.get("reader", "").strip():
        return Filled(content=READER, reader=reader, window=default)
    window = query.get("window", "")
    return Filled(window=window if window in set(windows) else default)


def from_form(form: Mapping[str, str]) -> Filled:
    """What was sent."""
    return Filled(
        address=form.get("address", ""),
        content=form.get("content", ""),
        window=form.get("window", ""),
        query=form.get("query", ""),
        seeds=form.get("seeds", ""),
        reader=form.get("reader", ""),
        frequency=form.get("frequency", ""),
        weekday=_number(form.get("weekday", "")),
        hour=_number(form.get("hour", "")),
        time_zone=form.get("time_zone", ""),
    )


def from_preferences(kept: pb.DigestPreferences, windows: Iterable[str]) -> Filled:
    """What a subscription has."""
    content = kept.content
    kinds = {"trending_window": TRENDING, "search_query": SEARCH, "seed_papers": SEEDS}
    names = {number: name for name, number in FREQUENCIES.items()}
    return Filled(
        content=kinds.get(content.WhichOneof("list") or "", READER),
        window=content.trending_window or next(iter(windows)),
        query=content.search_query,
        seeds="\n".join(content.seed_papers.paper_ids),
        reader=content.reader_id,
        frequency=names[kept.frequency],
        weekday=kept.weekday or 1,
        hour=kept.hour,
        time_zone=kept.time_zone,
    )


def wrong(error: ServiceError) -> tuple[str, str]:
    """What to say of a form that the service refused, and the field that it is about; raises the
    error again if it is about none."""
    if error.reason is Reason.PAPER_NOT_FOUND:
        return _UNKNOWN_PAPERS, "preferences.content.seed_papers"
    name = error.metadata.get("field", "").partition("[")[0]
    if name not in WRONG:
        raise error
    return WRONG[name], name


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else -1
