"""The slow twin of the readers' state: a few sets, in plain Python, one event after the other."""

import time
from collections import Counter, defaultdict

from models.event_types import RETRACT
from models.interactions import Event
from service.events import StoredEvent, content_digest
from service.feedback_state import Outcome

NOW_MS = int(time.time() * 1000)


def stored(
    reader: str,
    event_id: str,
    event_type: str = "save",
    paper: str = "p1",
    *,
    retracts: str = "",
    time_ms: int = NOW_MS,
    value: float = 1.0,
) -> StoredEvent:
    """An event as the door lets it in."""
    event = StoredEvent(reader, event_id, time_ms, NOW_MS, event_type, paper, value, retracts)
    return event._replace(content=content_digest(*event[:12]))


def retraction(reader: str, event_id: str, retracts: str) -> StoredEvent:
    return stored(reader, event_id, RETRACT, "", retracts=retracts)


class Oracle:
    """Accepts events as the state must."""

    def __init__(self) -> None:
        self.accepted: dict[tuple[str, str], StoredEvent] = {}

    def append(self, event: StoredEvent) -> Outcome:
        known = self.accepted.setdefault((event.reader, event.id), event)
        if known is event:
            return Outcome.ACCEPTED
        return Outcome.DUPLICATE if known.content == event.content else Outcome.REUSED

    def histories(self) -> dict[str, set[Event]]:
        found = defaultdict(set)
        for event in self.accepted.values():
            if event.type != "impression":
                found[event.reader].add(
                    Event(
                        *(event.id, event.time_ms, event.type, event.paper),
                        *(event.value, event.retracts),
                    )
                )
        return dict(found)

    def counts(self) -> dict[tuple[str, str], int]:
        """By paper and type: the events that no accepted retraction names."""
        events = self.accepted.values()
        retracted = {(each.reader, each.retracts) for each in events if each.type == RETRACT}
        return Counter(
            (each.paper, each.type)
            for each in events
            if each.type != RETRACT and (each.reader, each.id) not in retracted
        )
