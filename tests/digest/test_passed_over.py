"""One subscription or mail that nobody foresaw: it is logged by its id, and the others go on."""

from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage

import pytest_asyncio
from structlog.testing import capture_logs

from service.digest.ledger import State
from service.digest.maildir import MaildirTransport
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.subscriptions import Subscription, pack
from service.keys import subscription_key
from service.settings import Settings
from tests.digest.sending import Digests, sending
from tests.digest.subscribers import DUE_MS, subscription

ADA = subscription("ada@papers.example")
BEN = subscription("ben@papers.example")


@pytest_asyncio.fixture
async def digests(settings: Settings) -> AsyncIterator[Digests]:
    async with sending(settings) as found:
        yield found


async def corrupt(digests: Digests, **changes: object) -> Subscription:
    """A subscriber as none is taken any more, but may be kept from before."""
    wrong = subscription("eve@papers.example")
    await digests.subscribe(wrong)
    wrong = replace(wrong, **changes)  # type: ignore[arg-type]
    await digests.state.client.set(subscription_key(wrong.id), pack(wrong))
    return wrong


async def test_a_time_zone_that_is_gone_keeps_no_other_back(digests: Digests) -> None:
    many = [subscription(f"{number}@papers.example") for number in range(40)]
    await digests.subscribe(*many)
    wrong = await corrupt(digests, time_zone="Mars/Olympus")
    with capture_logs() as logs:
        assert (await digests.run()).outcomes == {State.SENT: len(many)}
    passed_over = [each for each in logs if each["log_level"] == "error"]
    assert {each["subscription"] for each in passed_over} == {wrong.id}
    assert await digests.view.overdue(DUE_MS) == 1


async def test_a_mail_that_can_not_be_made_keeps_no_other_back(digests: Digests) -> None:
    many = [subscription(f"{number}@papers.example") for number in range(40)]
    await digests.subscribe(*many)
    wrong = await corrupt(digests, address="=?utf-8?q?eve?=@papers.example")
    with capture_logs() as logs:
        report = await digests.run()
    assert report.outcomes == {State.SENT: len(many), State.FAILED: 1}
    [failed] = [each for each in logs if each["log_level"] == "error"]
    assert failed["subscription"] == wrong.id
    assert (await digests.run()).outcomes == {}


async def test_a_hand_over_that_goes_wrong_keeps_no_other_back(digests: Digests) -> None:
    """Nobody foresaw it, so nobody can know whether the mail arrived."""

    class Odd(MaildirTransport):
        async def send(self, message: EmailMessage) -> None:
            if message["To"] == ADA.address:
                raise RuntimeError("unforeseen")
            await super().send(message)

    await digests.subscribe(ADA, BEN)
    async with opened(digests.settings, digests.state) as found:
        tools = replace(found, transport=lambda: Odd(digests.settings.data_dir / "mail"))
        report = await send_due(tools, DUE_MS)
    assert report.outcomes == {State.SENT: 1, State.UNDECIDED: 1}
    assert [mail["To"] for mail in digests.mails()] == [BEN.address]
    assert await digests.named() == [ADA.id]
