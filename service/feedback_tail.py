"""The events that arrive, a readable line each."""

from collections.abc import Callable

from models.event_types import RETRACT
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.times import rfc3339


async def tail(state: FeedbackState, show: Callable[[str], None]) -> None:
    """Show each event that is accepted from now on; it never ends. Raises ServiceError."""
    async for _, _, event in FeedbackLog(state.client).tail():
        show(line(event))


def line(event: StoredEvent) -> str:
    """An event as one line: when it arrived, the reader, the type, the paper, and what else is
    worth a look."""
    arrived = rfc3339(event.arrived_ms)
    if not event.reader:
        return f"{arrived}  a reader was deleted"
    about = f"event {event.retracts}" if event.type == RETRACT else event.paper
    parts = [arrived, event.reader, event.type, about]
    if event.value != 1:
        parts.append(f"value={event.value:g}")
    if event.surface:
        parts.append(f"surface={event.surface}")
    if event.rank:
        parts.append(f"rank={event.rank}")
    if event.time_ms != event.arrived_ms:
        parts.append(f"time={rfc3339(event.time_ms)}")
    return "  ".join(parts)
