"""Readers' events, and the libraries that they make."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from models.corpus import Corpus
from models.event_types import EVENT_TYPES, RETRACT, EventType, EventTypesError, parse, written
from models.forgotten import Forgotten
from models.formats import Line, read_jsonl
from models.papers import PaperIndex
from models.strings import SortedStrings


class Event(NamedTuple):
    """One of a reader's events. `id` is the reader's own; `time_ms`: Unix time; `value` in (0, 1]
    multiplies the strength; `retracts`: the id of the event that a retraction takes back."""

    id: str
    time_ms: int
    type: str
    paper: str
    value: float = 1.0
    retracts: str = ""


def library(
    events: Iterable[Event], types: Mapping[str, EventType] = EVENT_TYPES
) -> dict[str, float]:
    """The signed weight, in [-1, 1] and never 0, of each paper that one reader's events leave.

    A pure function of the set of events: neither order nor repeats matter. A retracted event counts
    as never sent (a retraction itself can't be retracted). A paper with an active type of sign -1
    weighs minus the greatest strength x value of these; any other the greatest strength x value of
    its active types. Events of unknown types say nothing.
    """
    weights: dict[str, float] = {}
    for (paper, _), weight in active_types(events, types).items():
        before = weights.get(paper, 0.0)
        weights[paper] = (min if min(before, weight) < 0 else max)(before, weight)
    return weights


def active_types(
    events: Iterable[Event], types: Mapping[str, EventType] = EVENT_TYPES
) -> dict[tuple[str, str], float]:
    """The signed weight, never 0, of each paper and type of event that is active: the latest by
    (time, id) of that type and of those that undo it says whether it is."""
    known = list(events)
    retracted = {each.retracts for each in known if each.type == RETRACT}
    latest: dict[tuple[str, str], tuple[int, str, float]] = {}
    for each in known:
        kind = types.get(each.type)
        if kind is None or each.type == RETRACT or each.id in retracted:
            continue
        key = each.paper, kind.undoes or each.type
        weight = 0.0 if kind.undoes else kind.sign * kind.strength * each.value
        this = each.time_ms, each.id, weight
        latest[key] = max(latest.get(key, this), this)
    return {key: weight for key, (_, _, weight) in latest.items() if weight}


@dataclass(frozen=True)
class Interactions:
    """`user_items`: float32 CSR, readers x papers, the signed weights of `library`. `readers`:
    their ids, by row."""

    user_items: sp.csr_matrix
    readers: SortedStrings
    notes: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.readers)


_HEAD = "event_types"
_UNDEFINED = "events of undefined types (passed over; the first line of a file may define types)"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

UNTIMED = -(2**62)
"""Events without a time come before all others, in the order of the files."""


def read_interactions(
    paths: Sequence[Path], corpus: Corpus, forgotten: Forgotten | None = None
) -> Interactions:
    """The libraries that the events of these files leave, without what is forgotten.

    The first line of a file may define types of events, which then count in all the files. Another
    line is {"user", "paper", "type"} ("save" where there is none) and optionally "id", "time"
    (RFC 3339, or milliseconds since 1970), "value" and "retracts". Of lines of equal user and id
    the first counts; lines without times keep their order. Events of papers outside the corpus and
    of types that say nothing about a library are counted and passed over. Raises InputError.
    """
    notes: Counter[str] = Counter()
    types = _types(paths)
    index = PaperIndex.build(corpus.ids)
    ids = corpus.ids
    row_of: dict[str, int] = {}
    histories: dict[str, dict[str, Event]] = {}
    for number, line in enumerate(read_jsonl(paths)):
        if is_head(line):
            continue
        reader, event = line.name("user"), read_event(line, number)
        if forgotten and forgotten.covers(reader, event.time_ms):
            notes["events of deleted readers (passed over)"] += 1
            continue
        history = histories.setdefault(reader, {})
        if event.type == RETRACT:
            history.setdefault(event.id, event)
            continue
        row = index.row(event.paper)
        kind = types.get(event.type)
        if row is None:
            notes["events of papers outside the corpus (passed over)"] += 1
        elif kind is None:
            notes[_UNDEFINED] += 1
        elif not (kind.sign or kind.undoes):
            notes["events of types that are no part of a library (passed over)"] += 1
        else:
            row_of[ids[row]] = row
            history.setdefault(event.id, event._replace(paper=ids[row]))
    readers = SortedStrings.build(histories)
    weights = [
        sorted(
            (row_of[paper], weight) for paper, weight in library(history.values(), types).items()
        )
        for history in (histories[readers[at]] for at in range(len(readers)))
    ]
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in weights], dtype=np.int64)])
    indices = np.fromiter((row for each in weights for row, _ in each), np.int32, int(indptr[-1]))
    values = np.fromiter((w for each in weights for _, w in each), np.float32, int(indptr[-1]))
    user_items = sp.csr_matrix((values, indices, indptr), (len(readers), len(corpus)))
    return Interactions(user_items, readers, dict(notes))


def is_head(line: Line) -> bool:
    """Whether a line defines the types of its file: {"event_types": {...}}, as the setting of the
    service has it. Raises InputError where that is no first line."""
    if _HEAD not in line.fields:
        return False
    if line.number != 1:
        raise line.error(f'"{_HEAD}" stands here; expected it in the first line of a file alone')
    return True


def head(types: Mapping[str, EventType]) -> dict[str, object]:
    """The line that defines these types; empty where they are the built-in ones."""
    changed = written(types)
    return {_HEAD: changed} if changed else {}


def _types(paths: Iterable[Path]) -> Mapping[str, EventType]:
    """The built-in types and those of the first lines, which may not contradict each other."""
    types = dict(EVENT_TYPES)
    line_of: dict[str, Line] = {}
    for path in paths:
        line = next(read_jsonl([path]), None)
        if line is None or not is_head(line):
            continue
        try:
            here = parse(json.dumps(line.fields[_HEAD]))
        except EventTypesError as error:
            raise line.error(str(error)) from error
        for name in written(here):
            before = line_of.setdefault(name, line)
            if before is not line and types[name] != here[name]:
                raise line.error(
                    f"the event type {name!r} is another than in {before.path}; expected one "
                    "definition of it in all files"
                )
            types[name] = here[name]
    return types


def read_event(line: Line, number: int) -> Event:
    """The event of a line, its paper as it is spelled there. Raises InputError.

    `number`: the place of the line, for an event without an id or a time.
    """
    kind = line.fields.get("type", "save")
    if not isinstance(kind, str):
        raise line.error(f'"type" is {kind!r}; expected a string')
    retracts = line.text("retracts") if kind == RETRACT else ""
    if kind == RETRACT and not retracts:
        raise line.error('no "retracts"; expected the id of the event to take back')
    value = line.fields.get("value", 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        raise line.error(f'"value" is {value!r}; expected a number above 0, at most 1')
    return Event(
        id=line.text("id") or f"{number:012d}",
        time_ms=_time_ms(line, number),
        type=kind,
        paper="" if kind == RETRACT else line.identifier("paper"),
        value=float(value),
        retracts=retracts,
    )


def _time_ms(line: Line, number: int) -> int:
    time = line.fields.get("time")
    if time is None:
        return UNTIMED + number
    if isinstance(time, int) and not isinstance(time, bool):
        return time
    try:
        moment = datetime.fromisoformat(time)
        return (moment - EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError) as error:
        raise line.error(
            f'"time" is {time!r} ({error}); expected RFC 3339 or milliseconds since 1970'
        ) from error
