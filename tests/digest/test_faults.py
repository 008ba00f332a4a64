"""Each thing that can go wrong with a mail, one by one, at a real mail server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, Message

import pytest
import pytest_asyncio
import structlog

from service.digest.ledger import State, Wanted
from service.digest.maildir import MaildirTransport
from service.digest.opening import opened
from service.digest.outcomes import MAX_ATTEMPTS
from service.digest.sender import send_due
from service.digest.smtp import SmtpTransport
from service.digest.subscriptions import Status
from service.digest.tools import MailServerAway
from service.digest.transport import MAX_LOST
from service.errors import ServiceError
from service.keys import PARTITIONS
from service.settings import Settings
from tests.digest.mail_server import DROP, Handler, mail_server
from tests.digest.sending import Digests, sending
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription
from tests.servers import SystemRedis

ADA = subscription("ada@papers.example")
BEN = subscription("ben@papers.example")


class Served(Digests):
    """A sender, and the mail server that it sends to."""

    handler: Handler

    def received(self) -> list[Message]:
        return [message_from_bytes(each.original_content or b"") for each in self.handler.mails]

    def recipients(self) -> list[str]:
        return [each.rcpt_tos[0] for each in self.handler.mails]


@asynccontextmanager
async def served(settings: Settings) -> AsyncIterator[Served]:
    """A mail server that does as it is told, and a sender."""
    handler = Handler()
    async with mail_server(handler) as port:
        settings = settings.model_copy(
            update={
                "public_url": "https://papers.example",
                "mail_from": "Papers <digest@papers.example>",
                "smtp_host": "127.0.0.1",
                "smtp_port": port,
                "smtp_security": "none",
                "smtp_mails_per_second": 10_000.0,
            }
        )
        async with sending(settings) as digests:
            found = Served(digests.settings, digests.state)
            found.handler = handler
            yield found


@pytest_asyncio.fixture
async def digests(settings: Settings) -> AsyncIterator[Served]:
    async with served(settings) as found:
        yield found


@pytest.mark.parametrize(
    ("stage", "answer"),
    [
        ("RCPT", "450 4.2.1 Not now"),
        ("RCPT", "421 4.3.2 Closing"),
        ("DATA", "451 4.3.0 Later"),
        ("CONTENT", "452 4.2.2 Full"),
        ("CONTENT", "554 5.7.1 Your network is on a list"),
        ("MAIL", "550 5.7.1 We do not like you"),
        ("RCPT", DROP),
        ("DATA", DROP),
    ],
)
async def test_surely_not_sent_is_sent_later(digests: Served, stage: str, answer: str) -> None:
    await digests.subscribe(ADA)
    digests.handler.answers = {stage: [answer, answer]}
    report = await digests.run()
    assert report.outcomes[State.SENT] == 1
    assert report.undecided == []
    assert digests.recipients() == [ADA.address]
    assert (await digests.run()).outcomes == {}
    found = await digests.subscriptions.get(ADA.id)
    assert found is not None
    assert found.status is Status.ACTIVE


async def test_a_mailbox_that_refuses_for_good_is_left_alone(digests: Served) -> None:
    await digests.subscribe(ADA)
    digests.handler.answers = {"RCPT": ["550 5.1.1 No such mailbox"]}
    assert (await digests.run()).outcomes == {State.REFUSED: 1}
    found = await digests.subscriptions.get(ADA.id)
    assert found is not None
    assert found.status is Status.SUPPRESSED
    assert "5.1.1 No such mailbox" in found.refusal
    assert (await digests.run(DUE_MS + 7 * DAY_MS)).outcomes == {}
    assert digests.handler.mails == []


async def test_a_mail_is_given_up_and_the_next_digest_comes(digests: Served) -> None:
    await digests.subscribe(ADA)
    digests.handler.answers = {"RCPT": ["450 4.2.1 Not now"] * MAX_ATTEMPTS}
    report = await digests.run()
    assert report.outcomes == {State.WAITING: MAX_ATTEMPTS - 1, State.FAILED: 1}
    assert (await digests.run(DUE_MS + DAY_MS)).outcomes == {State.SENT: 1}


async def test_lost_with_the_content_and_skipped(digests: Served) -> None:
    """Nobody can know whether it arrived: no second copy, and it is named."""
    await digests.subscribe(ADA, BEN)
    digests.handler.answers = {"CONTENT": [DROP]}
    report = await digests.run()
    assert report.outcomes == {State.UNDECIDED: 1, State.SENT: 1}
    [named] = report.undecided
    [arrived] = digests.recipients()
    assert {named.id, subscription(arrived).id} == {ADA.id, BEN.id}
    assert await digests.named() == [named.id]
    assert named.message_id.startswith(f"<digest.{named.id}.")
    assert (await digests.run()).outcomes == {}
    assert (await digests.run(DUE_MS + DAY_MS)).outcomes == {State.SENT: 2}
    assert await digests.named() == [named.id], "until somebody has looked"


async def test_lost_with_the_content_and_sent_once_more(settings: Settings) -> None:
    async with served(settings.model_copy(update={"digest_undecided": "resend"})) as digests:
        await digests.subscribe(ADA)
        digests.handler.answers = {"CONTENT": [DROP]}
        report = await digests.run()
        assert report.outcomes == {State.UNDECIDED: 1, State.SENT: 1}
        [named] = report.undecided
        [mail] = digests.received()
        assert mail["Message-ID"] == named.message_id, "so that a second copy can be told"
        assert (await digests.run()).outcomes == {}


async def test_nothing_is_claimed_while_the_mail_server_is_away(digests: Served) -> None:
    await digests.subscribe(ADA)
    nowhere = digests.settings.model_copy(update={"smtp_host": "127.0.0.1", "smtp_port": 9})
    with pytest.raises(MailServerAway):
        await Digests(nowhere, digests.state).run()
    assert await digests.view.overdue(DUE_MS) == 1
    assert await digests.view.open() == 0
    assert (await digests.run()).outcomes == {State.SENT: 1}


async def test_what_is_tried_again_waits_while_the_mail_server_is_away(digests: Served) -> None:
    """However often a run finds nobody: that is no attempt, and leaves no mail undecided."""
    many = [subscription(f"{number}@papers.example") for number in range(40)]
    await digests.subscribe(*many)

    def nobody() -> SmtpTransport:
        return SmtpTransport("127.0.0.1", port=9, security="none", connect_pauses_seconds=(0.0,))

    async with opened(digests.settings, digests.state) as tools:
        for partition in range(PARTITIONS):
            due = await tools.ledger.due(partition, DUE_MS, 0, 100)
            wanted = [Wanted(id, due_ms, due_ms + DAY_MS, due_ms) for id, due_ms in due]
            for claim in await tools.ledger.claim(partition, wanted):
                assert await tools.ledger.settle(claim, State.WAITING)
        for _ in range(2):
            with pytest.raises(MailServerAway):
                await send_due(replace(tools, transport=nobody), DUE_MS)
        left = [await tools.ledger.take_over(each, 100) for each in range(PARTITIONS)]
    assert [each.attempts for taken in left for each in taken.claims] == [1] * len(many)
    assert [each for taken in left for each in taken.undecided] == []
    assert await digests.named() == []


async def test_a_run_ends_when_the_mail_server_goes(digests: Served) -> None:
    many = [subscription(f"{number}@papers.example") for number in range(40)]
    await digests.subscribe(*many)
    # A mail tries a second connection where the first one was cut.
    digests.handler.answers = {"RCPT": [DROP] * 2 * MAX_LOST}
    with pytest.raises(MailServerAway):
        await digests.run()
    assert digests.handler.mails == []
    assert (await digests.run()).outcomes == {State.SENT: len(many)}
    assert len(set(digests.recipients())) == len(digests.recipients()) == len(many)


async def test_the_state_server_goes_while_a_mail_is_handed_over(
    settings: Settings, state_server: SystemRedis
) -> None:
    """The mail is on its way: that is recorded when the server is back, however long it takes."""

    class Going(MaildirTransport):
        async def send(self, message: EmailMessage) -> None:
            await super().send(message)
            state_server.stop()

    def back(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
        if event["event"] == "what became of a mail can't be recorded yet":
            state_server.start()
        return ""

    own = settings.model_copy(update={"state_url": state_server.url})
    async with sending(own) as digests:
        await digests.subscribe(ADA)
        async with opened(own, digests.state) as found:
            tools = replace(found, transport=lambda: Going(own.data_dir / "mail"))
            structlog.configure(processors=[back])
            try:
                report = await send_due(tools, DUE_MS)
            except ServiceError:  # while it looked for more
                report = None
            finally:
                structlog.reset_defaults()
        assert report is None or report.outcomes == {State.SENT: 1}
        assert (await digests.run()).outcomes == {}
        assert len(digests.mails()) == 1
        assert await digests.view.counts() == {"sent": 1}
        assert await digests.named() == []


async def test_a_paused_sender_sends_nothing_that_others_took_over(settings: Settings) -> None:
    """It claimed, fell asleep, and woke up: the ledger tells it that the mail is not its own."""
    own = settings.model_copy(update={"digest_lease_seconds": 0.001})
    async with sending(own) as digests:
        await digests.subscribe(ADA)
        async with opened(own, digests.state) as tools:
            selection = tools.contents.selection
            asleep = True

            class Slow:
                entries = tools.contents.entries

                async def selection(self, content: object) -> object:
                    nonlocal asleep
                    while asleep and not digests.mails():  # its own sign of life may come first
                        await digests.run()
                    asleep = False
                    return await selection(content)  # type: ignore[arg-type]

            report = await send_due(replace(tools, contents=Slow()), DUE_MS)  # type: ignore[arg-type]
        assert report.outcomes == {}
        assert len(digests.mails()) == 1
