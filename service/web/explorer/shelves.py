"""What a reader has: the papers that the reader's events, and training, speak for or against."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from models.event_types import EventType
from models.interactions import UNTIMED, Event, active_types
from models.papers import Papers
from service.readers import Reader


class Kept(NamedTuple):
    """A paper that a reader has.

    did: the active types of the reader's events on it, the strongest first. time_ms: Unix time of
    the last of its events; None if training alone knows of it. weight: in [-1, 1], never 0.
    """

    paper_id: str
    did: Sequence[str]
    time_ms: int | None
    weight: float


class Shelves(NamedTuple):
    """The latest first. wanted: weights above 0; hidden: below. unknown: how many papers of the
    reader's events the model does not know."""

    wanted: Sequence[Kept]
    hidden: Sequence[Kept]
    unknown: int

    @property
    def did(self) -> Mapping[str, Sequence[str]]:
        """What the reader did with each paper that still counts."""
        return {each.paper_id: each.did for each in (*self.wanted, *self.hidden)}


def shelves(reader: Reader, papers: Papers, types: Mapping[str, EventType]) -> Shelves:
    """A reader's papers, by the rules that make the reader's lists."""
    before = [
        Event("", UNTIMED, "save" if weight > 0 else "hide", papers.id(row))
        for row, weight in reader.trained.items()
    ]
    # Ids as the model spells them: another model may have stored other spellings.
    named = [
        each if row < 0 else each._replace(paper=papers.id(row))
        for each, row in zip(reader.history.events, reader.rows.tolist(), strict=True)
    ]
    did: dict[str, list[tuple[float, str]]] = {}
    for (paper_id, kind), weight in active_types([*before, *named], types).items():
        did.setdefault(paper_id, []).append((-abs(weight), kind))
    times: dict[str, int] = {}
    for each in named:
        times[each.paper] = max(each.time_ms, times.get(each.paper, each.time_ms))
    found = [
        Kept(paper_id, [kind for _, kind in sorted(did.get(paper_id, []))], time, weight)
        for paper_id, time, weight in (
            (papers.id(row), times.get(papers.id(row)), weight)
            for row, weight in reader.library.items()
        )
    ]
    found.sort(key=lambda each: (-(each.time_ms or UNTIMED), each.paper_id))
    unknown = {
        each.paper
        for each, row in zip(reader.history.events, reader.rows.tolist(), strict=True)
        if row < 0 and each.paper
    }
    return Shelves(
        [each for each in found if each.weight > 0],
        [each for each in found if each.weight < 0],
        len(unknown),
    )
