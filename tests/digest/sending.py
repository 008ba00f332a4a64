"""A sender in the test's own process, over an empty state."""

import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from service.digest.ledger_view import LedgerView
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.store import Subscriptions
from service.digest.subscriptions import Status, Subscription
from service.digest.tools import Report
from service.feedback_state import FeedbackState
from service.settings import Settings
from service.times import present_ms
from tests.digest.subscribers import DUE_MS
from tests.support import PATIENCE_SECONDS


class Digests:
    """A sender, and its Maildir."""

    def __init__(self, settings: Settings, state: FeedbackState) -> None:
        self.settings = settings
        self.state = state
        self.subscriptions = Subscriptions(state.client)
        self.view = LedgerView(state.client)

    async def subscribe(self, *subscribed: Subscription, now_ms: int = DUE_MS - 1) -> None:
        for each in subscribed:
            held = await self.subscriptions.read(each.id)
            # Others than the active ones are kept for some time only.
            at_ms = now_ms if each.status is Status.ACTIVE else present_ms()
            await self.subscriptions.write(held, each, at_ms)

    async def run(self, at_ms: int = DUE_MS) -> Report:
        """What is due then; what was refused for now may be tried again at once."""
        async with opened(self.settings, self.state, retry_seconds=lambda _: 0.0) as tools:
            return await send_due(tools, at_ms)

    def mails(self) -> list[EmailMessage]:
        """All so far, in the order of the days that they are for."""
        folder = mailbox.Maildir(self.settings.data_dir / "mail", create=True)
        found = [
            message_from_bytes(folder.get_bytes(key), _class=EmailMessage, policy=policy.default)
            for key in folder.iterkeys()
        ]
        return sorted(found, key=lambda each: str(each["Message-ID"]))

    async def named(self) -> list[str]:
        """The subscriptions whose mails are undecided."""
        return [each.id for each in await self.view.undecided()]


@asynccontextmanager
async def sending(settings: Settings) -> AsyncIterator[Digests]:
    """A sender over an empty state."""
    state = FeedbackState(settings.state_url or "", timeout_seconds=PATIENCE_SECONDS)
    await state.client.flushall()
    yield Digests(settings, state)
    await state.close()


def papers(mail: EmailMessage) -> list[str]:
    """Which papers a mail links to."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = [
        line.rpartition("/papers/")[2].strip()
        for line in body.get_content().splitlines()
        if "/papers/" in line
    ]
    return list(dict.fromkeys(found))
