"""What a subscriber chooses, as the API says it and as it is kept."""

from collections.abc import Collection
from functools import cache
from importlib.resources import files

from models.papers import Papers
from models.search_query import parse
from relatedpapers.v1 import digest_service_pb2 as pb
from service import messages, requests, validation
from service.digest.addresses import InvalidAddress, kept
from service.digest.lifecycle import Wishes
from service.digest.subscriptions import Content, ContentKind, Frequency, Subscription

MAX_QUERY_CHARACTERS = 1_000

_FREQUENCIES = {each.value for each in Frequency}
_LAST_HOUR, _SUNDAY = 23, 7


@cache
def time_zones() -> frozenset[str]:
    """The names of all time zones: those of the package `tzdata`, which every sender has.

    A system may know others, such as `localtime`, which another machine does not, or takes for
    another zone.
    """
    names = files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}  # the zone of nobody


def address(given: str) -> str:
    """An address as it is kept. Raises ServiceError."""
    if not given.strip():
        raise validation.missing("address", "give the address of a mailbox")
    try:
        return kept(given)
    except InvalidAddress as error:
        raise validation.invalid("address", given, str(error)) from error


def wishes(given: pb.DigestPreferences, papers: Papers, windows: Collection[str]) -> Wishes:
    """What is chosen. windows: the names of those of trending papers. Raises ServiceError."""
    if not given.time_zone:
        raise validation.missing("preferences.time_zone", "name one, such as Europe/Berlin")
    if given.time_zone not in time_zones():
        expected = "a name of the IANA time zone database, such as Europe/Berlin"
        raise validation.invalid("preferences.time_zone", given.time_zone, expected)
    if not 0 <= given.hour <= _LAST_HOUR:
        raise validation.invalid("preferences.hour", given.hour, f"from 0 to {_LAST_HOUR}")
    frequency = given.frequency or Frequency.DAILY
    if frequency not in _FREQUENCIES:
        expected = f"one of {', '.join(pb.DigestFrequency.keys())}"
        raise validation.invalid("preferences.frequency", frequency, expected)
    return Wishes(
        time_zone=given.time_zone,
        frequency=Frequency(frequency),
        weekday=_weekday(given, Frequency(frequency)),
        hour=given.hour,
        content=_content(given.content, papers, windows),
    )


def preferences(subscription: Subscription) -> pb.DigestPreferences:
    """What was chosen, as a message."""
    chosen = pb.DigestPreferences(
        time_zone=subscription.time_zone,
        frequency=pb.DigestFrequency.Name(subscription.frequency),
        weekday=pb.Weekday.Name(subscription.weekday),
        hour=subscription.hour,
    )
    content = subscription.content
    match content.kind:
        case ContentKind.TRENDING:
            chosen.content.trending_window = content.window
        case ContentKind.SEARCH:
            chosen.content.search_query = content.query
        case ContentKind.SEEDS:
            chosen.content.seed_papers.paper_ids.extend(content.paper_ids)
        case ContentKind.READER:
            chosen.content.reader_id = content.reader_id
    return chosen


def stated(given: pb.DigestPreferences) -> Wishes:
    """What a message of our own says, which was checked before."""
    content = given.content
    kinds = {
        "trending_window": ContentKind.TRENDING,
        "search_query": ContentKind.SEARCH,
        "seed_papers": ContentKind.SEEDS,
        "reader_id": ContentKind.READER,
    }
    return Wishes(
        time_zone=given.time_zone,
        frequency=Frequency(given.frequency),
        weekday=given.weekday,
        hour=given.hour,
        content=Content(
            kinds[content.WhichOneof("list") or ""],
            window=content.trending_window,
            query=content.search_query,
            paper_ids=tuple(content.seed_papers.paper_ids),
            reader_id=content.reader_id,
        ),
    )


def _weekday(given: pb.DigestPreferences, frequency: Frequency) -> int:
    if frequency is not Frequency.WEEKLY:
        if given.weekday:
            expected = "unspecified, since only a weekly digest has a day of its own"
            raise validation.invalid("preferences.weekday", given.weekday, expected)
        return 0
    if not 0 <= given.weekday <= _SUNDAY:
        expected = f"one of {', '.join(pb.Weekday.keys())}"
        raise validation.invalid("preferences.weekday", given.weekday, expected)
    return given.weekday or 1


def _content(given: pb.DigestContent, papers: Papers, windows: Collection[str]) -> Content:
    field = "preferences.content"
    match given.WhichOneof("list"):
        case "trending_window":
            window = given.trending_window
            if window not in windows:
                expected = f"one of {', '.join(windows)}"
                raise validation.invalid(f"{field}.trending_window", window, expected)
            return Content(ContentKind.TRENDING, window=window)
        case "search_query":
            return Content(ContentKind.SEARCH, query=_query(given.search_query))
        case "seed_papers":
            rows = requests.Rows(papers)
            ids = given.seed_papers.paper_ids
            if not ids:
                raise validation.missing(f"{field}.seed_papers", "give at least one paper id")
            if not rows.find(f"{field}.seed_papers.paper_ids", ids, validation.MAX_SEEDS):
                raise messages.unknown_papers(ids)
            return Content(ContentKind.SEEDS, paper_ids=tuple(dict.fromkeys(ids)))
        case "reader_id":
            expected = "say who the reader is"
            reader = validation.name(f"{field}.reader_id", given.reader_id, expected)
            return Content(ContentKind.READER, reader_id=reader)
        case _:
            expected = "choose trending papers, a search, seed papers or a reader"
            raise validation.missing(field, expected)


def _query(given: str) -> str:
    field = "preferences.content.search_query"
    query = given.strip()
    if len(query) > MAX_QUERY_CHARACTERS:
        expected = f"at most {MAX_QUERY_CHARACTERS:,} characters long"
        raise validation.invalid(field, query, expected)
    if not parse(query).text:
        raise validation.missing(field, "give words to look for")
    return query
