"""A sender that tests kill: `python -m tests.digest.sender_process TIME_MS`, settings on standard
input as one line of JSON.

It runs until nothing is due at that time and no mail waits, as a scheduler would have it run again
and again, and what the server refused for now is tried again almost at once.
"""

import asyncio
import json
import sys

from service.digest.ledger_view import LedgerView
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.tools import MailServerAway
from service.errors import ServiceError
from service.feedback_state import FeedbackState
from service.logs import configure
from service.settings import Settings

RETRY_SECONDS = 0.05


async def run(settings: Settings, at_ms: int) -> None:
    state = FeedbackState(settings.state_url or "")
    view = LedgerView(state.client)
    async with opened(settings, state, retry_seconds=lambda _: RETRY_SECONDS) as tools:
        while await view.open() or await view.overdue(at_ms):
            try:
                await send_due(tools, at_ms)
            except (MailServerAway, ServiceError):
                continue
            await asyncio.sleep(RETRY_SECONDS)  # until what waits may be tried again
    await state.close()


if __name__ == "__main__":
    configure()
    asyncio.run(run(Settings(**json.loads(sys.stdin.readline())), int(sys.argv[1])))
