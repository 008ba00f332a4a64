"""What the processes that the supervisor starts have in common: their settings, and when to end."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from service.settings import Settings


def told() -> Settings | None:
    """The settings, a line of JSON on standard input; None if the supervisor ended before it."""
    line = sys.stdin.readline()
    return Settings(**json.loads(line)) if line else None


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """Set by SIGTERM, SIGINT, or the end of standard input, which says that the supervisor is gone.

    Needs a running event loop.
    """
    event, loop, told_by = asyncio.Event(), asyncio.get_running_loop(), sys.stdin.fileno()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, event.set)
    loop.add_reader(told_by, event.set)
    try:
        yield event
    finally:
        loop.remove_reader(told_by)
