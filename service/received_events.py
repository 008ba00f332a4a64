"""Readers' events as clients send them: what is wrong with one, or what it is that will be stored.

A batch has thousands, so an event that is right takes the short way through every check; the long
one words the error.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from models.event_types import RETRACT, EventType
from models.papers import Papers
from relatedpapers.v1.feedback_service_pb2 import Event
from service import messages, tokens, validation
from service.access import Caller
from service.errors import Reason, ServiceError
from service.events import StoredEvent, content_digest
from service.secrets import InvalidToken, SigningKeys
from service.times import rfc3339

MAX_FUTURE_MS = 5 * 60 * 1000
"""How far a sender's clock may be ahead."""

BROWSER_TYPES = frozenset({"impression", "click"})
"""What a browser may write, and only about a list that it was given."""

_MAX_CHARACTERS = validation.MAX_NAME_CHARACTERS
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # the years 1 to 9999
_PAPERS_KEPT = 65_536


class Rules(NamedTuple):
    """What the service is configured to take. window_ms: how old an event may be."""

    types: Mapping[str, EventType]
    window_ms: int
    signing_keys: SigningKeys


class Batch(NamedTuple):
    """accepted: the events to store, in order. refused: why the others are not, by their place."""

    accepted: list[StoredEvent]
    refused: dict[int, ServiceError]


def read_batch(
    events: Iterable[Event],
    rules: Rules,
    papers: Papers,
    caller: Caller,
    now_ms: int,
    first: int = 0,
) -> Batch:
    """Check events that arrived together.

    now_ms: Unix time of their arrival.
    first: the place of the first of them.
    """
    batch = Batch([], {})
    reader = _Reader(rules, papers, caller, now_ms)
    for place, event in enumerate(events, first):
        try:
            batch.accepted.append(reader.read(event))
        except ServiceError as error:
            batch.refused[place] = error
    return batch


class _Reader:
    """Reads the events of one caller and one moment."""

    def __init__(self, rules: Rules, papers: Papers, caller: Caller, now_ms: int) -> None:
        self._types, window_ms, self._keys = rules
        self._papers = papers
        self._browser, self._origin = caller
        self._now_ms = now_ms
        self._earliest_ms = now_ms - window_ms
        self._latest_ms = now_ms + MAX_FUTURE_MS
        self._valid_tokens: set[str] = set()

    def read(self, event: Event) -> StoredEvent:
        """The event as it is stored. Raises ServiceError."""
        event_id, reader, kind, spelling = event.id, event.reader_id, event.type, event.paper_id
        if not (0 < len(event_id) <= _MAX_CHARACTERS and event_id.isprintable()):
            validation.name("id", event_id, "give each event an id of its own")
        if not (0 < len(reader) <= _MAX_CHARACTERS and reader.isprintable()):
            validation.name("reader_id", reader, "say who the reader is")
        retracts = event.retracted_event_id
        paper = self._paper(event_id, kind, spelling, retracts)
        sent_ms = self._time_ms(event) if event.HasField("event_time") else None
        value = event.value
        if not 0.0 < value <= 1.0:
            if event.HasField("value"):
                raise validation.invalid("value", value, "more than 0 and at most 1")
            value = 1.0
        rank = event.rank
        if rank < 1 and event.HasField("rank"):
            raise validation.invalid("rank", rank, "1 or more, or absent")
        surface, origin, token = event.surface, event.origin, event.attribution_token
        if surface and not (len(surface) <= _MAX_CHARACTERS and surface.isprintable()):
            validation.name("surface", surface)
        if self._browser:
            self._check_browser(kind, token)
            origin = ""
        elif origin and not (len(origin) <= _MAX_CHARACTERS and origin.isprintable()):
            validation.name("origin", origin)
        if token and token not in self._valid_tokens:
            self._check_token(token)
        return StoredEvent(
            reader,
            event_id,
            self._now_ms if sent_ms is None else sent_ms,
            self._now_ms,
            kind,
            paper,
            value,
            retracts,
            token,
            surface,
            rank,
            origin or self._origin,
            content_digest(kind, spelling, sent_ms, value, retracts, token, surface, rank, origin),
        )

    def _paper(self, event_id: str, kind: str, spelling: str, retracts: str) -> str:
        """The corpus's own id of the paper; "" for a retraction, which has none."""
        if kind == RETRACT:
            validation.name("retracted_event_id", retracts, "name the event to take back")
            if retracts == event_id:
                raise validation.invalid("retracted_event_id", retracts, "the id of another event")
            return ""
        if kind not in self._types:
            raise self._unknown_type(kind)
        if retracts:
            raise validation.invalid("retracted_event_id", retracts, f"empty but for {RETRACT!r}")
        return _corpus_id(self._papers, spelling)

    def _time_ms(self, event: Event) -> int:
        time = event.event_time
        seconds, nanos = time.seconds, time.nanos
        if not (_FIRST_SECOND <= seconds <= _LAST_SECOND and 0 <= nanos < 1_000_000_000):
            raise validation.invalid("event_time", f"{seconds} s, {nanos} ns", "a timestamp")
        time_ms = seconds * 1000 + nanos // 1_000_000
        if self._earliest_ms <= time_ms <= self._latest_ms:
            return time_ms
        shown = rfc3339(time_ms)
        if time_ms > self._latest_ms:
            message = (
                f"`event_time` is {shown}, more than {MAX_FUTURE_MS // 60_000} minutes in the "
                "future: set the sender's clock, or send the event when its time has come."
            )
            raise ServiceError(Reason.EVENT_IN_FUTURE, message, field="event_time", value=shown)
        earliest = rfc3339(self._earliest_ms)
        message = (
            f"`event_time` is {shown}, and events from before {earliest} are not taken any more: "
            "their ids are forgotten, so they could count twice. Import old events instead."
        )
        raise ServiceError(
            Reason.EVENT_TOO_OLD, message, field="event_time", value=shown, earliest=earliest
        )

    def _unknown_type(self, kind: str) -> ServiceError:
        if not kind:
            return validation.missing("type", "say what the reader did")
        names = ", ".join(sorted([*self._types, RETRACT]))
        error = validation.invalid("type", kind, f"one of {names}")
        shown = error.metadata["value"]
        return ServiceError(
            Reason.EVENT_TYPE_UNKNOWN, error.message, field="type", value=shown, known=names
        )

    @staticmethod
    def _check_browser(kind: str, token: str) -> None:
        if kind not in BROWSER_TYPES:
            allowed = ", ".join(sorted(BROWSER_TYPES))
            message = f"A browser may write {allowed}, and not {kind!r}: send it from your server."
            raise ServiceError(Reason.BROWSER_FORBIDDEN, message, field="type", value=kind)
        if not token:
            message = (
                "A browser must quote the `attribution_token` of the list that showed the paper."
            )
            raise ServiceError(Reason.BROWSER_FORBIDDEN, message, field="attribution_token")

    def _check_token(self, token: str) -> None:
        try:
            tokens.read(self._keys, tokens.ATTRIBUTION, token)
        except InvalidToken as error:
            reason = Reason.ATTRIBUTION_TOKEN_INVALID
            if self._browser:
                reason = Reason.BROWSER_FORBIDDEN
            message = f"`attribution_token` is not one that this service gave out: {error}."
            raise ServiceError(reason, message, field="attribution_token") from error
        self._valid_tokens.add(token)


@lru_cache(maxsize=_PAPERS_KEPT)
def _corpus_id(papers: Papers, spelling: str) -> str:
    """The corpus's own id of a paper. What is unknown is not kept, since it raises."""
    row = papers.row(validation.paper_id("paper_id", spelling))
    if row is None:
        raise messages.unknown_papers([spelling])
    return papers.id(row)
