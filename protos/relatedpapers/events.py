"""Events on their way to the service, and how they went.

Every event has an id before it is first sent, so that sending it again counts nothing twice. One
whose id is made here gets its time too: the service forgets an id some day, and tells by the time
that the event is older.
"""

import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from relatedpapers import errors
from relatedpapers.v1.feedback_service_pb2 import Event, EventResult

MAX_CALL_EVENTS = 1000
"""Events of one message: large enough to be fast, and a tenth of what the service takes."""

MAX_CALL_BYTES = 1 << 20
"""Bytes of one message, unless one event alone is longer: well within what the service takes."""

EventLike = Event | Mapping[str, object]
"""An event as a message, or as a dictionary of its fields. `event_time` may be a `datetime` in it.

A message without an id is given a random one in place, and the present time if it has none, so that
the caller too may send it again; a dictionary is not changed: a caller who may send one again puts
an `id` and an `event_time` in it.
"""


class Outcome(NamedTuple):
    """How one event went.

    event: the event as it was sent, with its id.
    error: why it was refused; None if it is durable.
    retryable: whether the same event, sent again later, may succeed.
    duplicate: whether the service had it already, and did not count it again.
    """

    event: Event
    error: errors.RelatedPapersError | None = None
    retryable: bool = False
    duplicate: bool = False


def as_event(event: EventLike) -> Event:
    """The message to send, which has an id."""
    message = event if isinstance(event, Event) else Event(**event)  # type: ignore[arg-type]
    if not message.id:
        message.id = str(uuid.uuid4())
        if not message.HasField("event_time"):
            message.event_time.GetCurrentTime()
    return message


def calls(events: Iterable[EventLike]) -> Iterator[list[Event]]:
    """The events in order, as many together as one message holds, read no further than that."""
    waiting: deque[Event] = deque()
    for event in events:
        waiting.append(as_event(event))
        if len(waiting) == MAX_CALL_EVENTS:
            yield take_call(waiting)
    while waiting:
        yield take_call(waiting)


def take_call(waiting: deque[Event]) -> list[Event]:
    """Take from the front as many events as one message holds: one at least, if there are any."""
    taken: list[Event] = []
    size = 0
    while waiting and len(taken) < MAX_CALL_EVENTS:
        size += waiting[0].ByteSize()
        if taken and size > MAX_CALL_BYTES:
            break
        taken.append(waiting.popleft())
    return taken


def outcome(event: Event, result: EventResult) -> Outcome:
    """How one event of WriteFeedback went."""
    if result.status.code:
        return Outcome(event, errors.of_item(result.status), result.retryable)
    return Outcome(event, duplicate=result.duplicate)
