"""Readers' events from files, into the state: existing logs, and exports of another server.

An import may be repeated: nothing counts twice. Its events keep the age that they have, however
old, and arrive now. Two witnesses say that an event is known: for as long as the log is kept, the
log itself, in the step that appends; and without end the reader's history, which holds every event
that says anything about a paper. So what no history holds, impressions, is taken only while the
log would still remember it, with a time inside the window of events.

An event without an id gets one from its content; without a time too, the n-th line of one content
is the n-th such event. Events without times happened in January 1970, in the order of the files,
before all that have times.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from models.artifact import Artifact
from models.event_types import RETRACT, EventType
from models.formats import InputError, Line, read_jsonl
from models.interactions import Event, is_head, read_event
from models.papers import Papers
from models.progress import Report
from service import validation
from service.counting_settings import with_left
from service.event_types import event_types
from service.events import StoredEvent, content_digest
from service.feedback_state import FeedbackState, Outcome
from service.received_events import MAX_FUTURE_MS
from service.settings import Settings
from service.times import DAY_MS, present_ms
from service.tombstones import Tombstones

EVENTS_AT_ONCE = 2_000
READERS_AT_ONCE = 64
KEPT_EVENTS = 200_000
"""So many readers and events of their histories, 360 bytes each, are kept in memory, beside those
of the lines at hand."""

_ID_BYTES = 12
_FORGOTTEN = "events of deleted readers, from before they were deleted"

Refuse = Callable[[InputError], None]
"""Told of each line that was not imported, and why."""


@dataclass
class Imported:
    """What became of the lines. `passed_over`: why, and how many."""

    accepted: int = 0
    known: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    refused: int = 0


class Rules(NamedTuple):
    """What is taken.

    types: of events. window_ms: how old an impression may be. tombstone: of a reader, deleted or
    not; what a reader did before a deletion stays forgotten.
    """

    papers: Papers
    types: Mapping[str, EventType]
    window_ms: int
    tombstone: Callable[[str], str]


async def import_files(
    state: FeedbackState, settings: Settings, paths: Sequence[Path], report: Report, refuse: Refuse
) -> Imported:
    """Import files, by the settings that `serve` left. Raises ArtifactError, InputError,
    ServiceError, SettingsError (also where others are given) and SigningKeysError."""
    settings = await with_left(state.client, settings)
    rules = Rules(
        papers=Artifact.open(settings.model, verify=False).papers,
        types=event_types(settings.event_types),
        window_ms=round(settings.event_window_days * DAY_MS),
        tombstone=Tombstones.open(state.client, settings.data_dir).of,
    )
    return await Importer(state.by(rules.types), rules, present_ms(), refuse).run(paths, report)


class _PassOver(Exception):  # noqa: N818 - no fault: a line that says nothing here
    """Why a line is not imported though it is right."""


class _Read(NamedTuple):
    """An event, where it stands, and whether it has a time there."""

    line: Line
    event: StoredEvent
    timed: bool

    def is_event(self, stored: Event | None) -> bool:
        """Whether a history holds this very event."""
        if stored is None:
            return False
        mine = Event(*(getattr(self.event, name) for name in Event._fields))
        return mine == stored if self.timed else mine == stored._replace(time_ms=mine.time_ms)


class Importer:
    """Writes the events of files into the state."""

    def __init__(self, state: FeedbackState, rules: Rules, now_ms: int, refuse: Refuse) -> None:
        self._state = state
        self._rules = rules
        self._now_ms = now_ms
        self._tell = refuse
        self._result = Imported()
        self._before: dict[str, dict[str, Event]] = {}
        self._met: Counter[bytes] = Counter()

    async def run(self, paths: Sequence[Path], report: Report) -> Imported:
        """Import the files in order. Raises InputError where one can't be read, ServiceError."""
        size = sum(path.stat().st_size for path in paths)
        lines = read_jsonl(paths, report("Importing events", size), self._refuse)
        events = self._events(lines)
        while batch := list(islice(events, EVENTS_AT_ONCE)):
            await self._write(batch)
        return self._result

    def _refuse(self, error: InputError) -> None:
        self._result.refused += 1
        self._tell(error)

    def _events(self, lines: Iterable[Line]) -> Iterator[_Read]:
        for ordinal, line in enumerate(lines, 1):
            try:
                if not is_head(line):
                    yield self._read(line, ordinal)
            except InputError as error:
                self._refuse(error)
            except _PassOver as why:
                self._result.passed_over[str(why)] += 1

    def _read(self, line: Line, ordinal: int) -> _Read:
        """The event of a line. Raises InputError, _PassOver."""
        reader, event = line.name("user"), read_event(line, ordinal)
        timed = line.fields.get("time") is not None
        if timed and not 0 <= event.time_ms <= self._now_ms + MAX_FUTURE_MS:
            raise line.error('"time" is before 1970 or in the future; expected neither')
        self._check_type(line, event, timed)
        paper = event.paper and self._paper(event.paper)
        sent_ms = event.time_ms if timed else None
        content = (event.type, paper, sent_ms, event.value, event.retracts)
        event_id = line.text("id") or self._made_id(reader, content, timed)
        for name, value in (("user", reader), ("id", event_id), ("retracts", event.retracts)):
            if not validation.is_name(value):
                raise line.error(
                    f'"{name}" is {value[:40]!r}; expected at most '
                    f"{validation.MAX_NAME_CHARACTERS} characters, none of them a control character"
                )
        stored = StoredEvent(
            reader=reader,
            id=event_id,
            time_ms=event.time_ms if timed else ordinal,
            arrived_ms=self._now_ms,
            type=event.type,
            paper=paper,
            value=event.value,
            retracts=event.retracts,
            content=content_digest(*content, "", "", 0, ""),  # as if a client had sent no more
        )
        return _Read(line, stored, timed)

    def _check_type(self, line: Line, event: Event, timed: bool) -> None:
        if event.type == RETRACT:
            return
        kind = self._rules.types.get(event.type)
        if kind is None:
            known = ", ".join(sorted([*self._rules.types, RETRACT]))
            raise line.error(f'"type" is {event.type!r}; expected one of {known}')
        kept = bool(kind.sign or kind.undoes)
        if not kept and (not timed or event.time_ms < self._now_ms - self._rules.window_ms):
            raise _PassOver("impressions without a time, or too old: they might count twice")

    def _paper(self, spelling: str) -> str:
        row = self._rules.papers.row(spelling)
        if row is None:
            raise _PassOver("events of papers outside the model")
        return self._rules.papers.id(row)

    def _made_id(self, reader: str, content: tuple[object, ...], timed: bool) -> str:
        """An id that is the same whenever these files are imported."""
        digest = blake2b(repr((reader, content)).encode(), digest_size=_ID_BYTES).digest()
        if timed:
            return f"import-{digest.hex()}"
        self._met[digest] += 1
        return f"import-{digest.hex()}-{self._met[digest]}"

    async def _write(self, batch: list[_Read]) -> None:
        """Append what is new. What is known must be the same event, by what its history holds."""
        if len(self._before) + sum(map(len, self._before.values())) > KEPT_EVENTS:
            self._before.clear()
        await self._look_up({each.event.reader for each in batch} - self._before.keys())
        new: list[_Read] = []
        known: list[_Read] = []
        for each in batch:
            (known if each.event.id in self._before[each.event.reader] else new).append(each)
        outcomes = await self._state.append([each.event for each in new], self._rules.tombstone)
        self._result.accepted += outcomes.count(Outcome.ACCEPTED)
        self._result.known += outcomes.count(Outcome.DUPLICATE)
        if forgotten := outcomes.count(Outcome.FORGOTTEN):
            self._result.passed_over[_FORGOTTEN] += forgotten
        reused = [each for each, what in zip(new, outcomes, strict=True) if what is Outcome.REUSED]
        await self._look_up({each.event.reader for each in reused})
        for each in known + reused:
            event = each.event
            if each.is_event(self._before[event.reader].get(event.id)):
                self._result.known += 1
            else:
                problem = f'"id" {event.id!r} is that of another event of {event.reader!r}'
                self._refuse(each.line.error(problem))

    async def _look_up(self, readers: Iterable[str]) -> None:
        """Learn what these readers' histories hold."""
        names = list(readers)
        while part := names[-READERS_AT_ONCE:]:
            del names[-READERS_AT_ONCE:]
            for reader, history in zip(
                part, await asyncio.gather(*map(self._state.history, part)), strict=True
            ):
                self._before[reader] = {event.id: event for event in history.events}
