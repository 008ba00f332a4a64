"""Steps until told to stop: what works in the background on the state server, and waits for it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import structlog

from service.errors import ServiceError

RETRY_SECONDS = 1.0
_CANCEL_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def keep_stepping(
    who: str,
    step: Callable[[], Awaitable[bool]],
    stopping: asyncio.Event,
    poll_seconds: float,
    forget: Callable[[], None] = lambda: None,
) -> None:
    """Step at once again as long as a step says that there may be more to do, else after a pause.

    who: for the log. step: raises ServiceError while the state server is away; then `forget` drops
    what may be older than what comes back.
    """
    away = False
    while not stopping.is_set():
        try:
            pause = 0.0 if await step() else poll_seconds
            if away:
                log.info("the state server is back", goes_on=who)
            away = False
        except ServiceError as error:
            if not away:
                log.warning("the state server is away", waits=who, because=str(error))
            away = True
            forget()
            pause = RETRY_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)


async def end(task: "asyncio.Task[Any]") -> None:
    """Cancel a task and see it out. redis can lose a cancellation that meets an answer, so it is
    cancelled again until it has ended. Raises what the task raised."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_CANCEL_SECONDS)
    with suppress(asyncio.CancelledError):
        task.result()
