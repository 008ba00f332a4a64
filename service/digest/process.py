"""A sender process: `python -m service.digest.process`, as the supervisor of `serve --with-digest`
starts it.

Standard input: the settings as one line of JSON, then nothing until the supervisor is gone. Ends on
SIGTERM, SIGINT, or the end of its input, after the mail at hand; killing it loses nothing, and the
mail at hand may become undecided (see service/digest/ledger_scripts.py).
"""

import asyncio
import sys
from contextlib import suppress
from functools import partial

import structlog

from service.child import stopping, told
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.tools import MailServerAway, Tools
from service.errors import ServiceError
from service.event_types import event_types
from service.feedback_state import FeedbackState
from service.logs import configure
from service.settings import Settings
from service.state_keys import match

PERIOD_SECONDS = 60.0
"""How long after a run the next one begins."""

log = structlog.get_logger(__name__)


def main() -> int:
    """Run a sender process and return its exit code."""
    configure()
    if settings := told():
        asyncio.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    state = FeedbackState(
        settings.state_url or "",
        types=event_types(settings.event_types),
        allow_unsafe=settings.allow_unsafe_state,
        prepare=partial(match, data_dir=settings.data_dir),
    )
    with stopping() as stop:
        async with opened(settings, state) as tools:
            while not stop.is_set():
                await _send(tools, stop)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), PERIOD_SECONDS)
    await state.close()


async def _send(tools: Tools, stop: asyncio.Event) -> None:
    try:
        report = await send_due(tools, stopping=stop)
    except (MailServerAway, ServiceError) as error:
        log.warning("digests wait", because=str(error))
    else:
        if report.outcomes or report.undecided:
            log.info("digests", outcomes=str(report), undecided=len(report.undecided))


if __name__ == "__main__":
    sys.exit(main())
