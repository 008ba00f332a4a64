"""One subscription or mail that nobody foresaw: it is logged by its id, and the others go on."""

from dataclasses import replace
from email.message import EmailMessage

import msgpack
import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from service.digest.ledger import Ledger, State, Undecided, Wanted
from service.digest.lifecycle import Lifecycle
from service.digest.maildir import MaildirTransport
from service.digest.opening import opened
from service.digest.outbox import Notice, Outbox, Waiting
from service.digest.outcomes import MAX_ATTEMPTS
from service.digest.sender import send_due
from service.digest.subscriptions import Subscription, Unreadable, pack
from service.digest.tools import Report
from service.keys import digest_outbox_key, digest_partition, subscription_key
from service.settings import Settings
from tests.digest.sending import Digests, sending
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription

ADA = subscription("ada@papers.example")
BEN = subscription("ben@papers.example")


@pytest.fixture
def client(digests: Digests) -> Redis:
    return digests.state.client


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


UNREADABLE = [
    msgpack.packb([2, "a later format"]),
    msgpack.packb([1, "too", "few"]),
    pack(ADA)[:-1],
    pack(ADA) + b"x",
    b"\xc1",
    b"0",
]


@pytest.mark.parametrize("kept", UNREADABLE)
async def test_what_can_not_be_read_keeps_no_other_back(digests: Digests, kept: bytes) -> None:
    many = [subscription(f"{number}@papers.example") for number in range(40)]
    await digests.subscribe(*many, ADA)
    await digests.state.client.set(subscription_key(ADA.id), kept)
    with capture_logs() as logs:
        assert (await digests.run()).outcomes == {State.SENT: len(many)}
    assert {each["subscription"] for each in logs if each["log_level"] == "error"} == {ADA.id}
    assert await digests.view.overdue(DUE_MS) == 1, "until somebody can read it"
    await Lifecycle(digests.subscriptions).suppress(ADA.id, "550", DUE_MS)
    assert await digests.state.client.get(subscription_key(ADA.id)) == kept
    with pytest.raises(Unreadable):
        await digests.subscriptions.get(ADA.id)


async def test_a_mail_whose_subscription_can_not_be_read_waits(digests: Digests) -> None:
    await digests.subscribe(ADA, BEN)
    lost = Ledger(digests.state.client, lease_ms=0, undecided=Undecided.SKIP)
    for each in (ADA, BEN):
        wanted = Wanted(each.id, DUE_MS, DUE_MS + DAY_MS, DUE_MS)
        assert await lost.claim(digest_partition(each.id), [wanted])
    await digests.state.client.set(subscription_key(ADA.id), UNREADABLE[0])
    async with opened(digests.settings, digests.state, retry_seconds=lambda _: 3_600.0) as tools:
        report = await send_due(tools, DUE_MS)
    assert report.outcomes == {State.SENT: 1, State.WAITING: 1}
    assert await digests.view.open() == 1


async def test_a_notice_that_can_not_be_read_keeps_no_other_back(client: Redis) -> None:
    outbox, wanted = Outbox(client), Waiting(ADA.id, Notice.ALREADY, DUE_MS)
    partition = digest_partition(ADA.id)
    kept = [f"{ADA.id} anniversary 1".encode(), b"\xff", str(wanted).encode()]
    await client.zadd(digest_outbox_key(partition), dict.fromkeys(kept, DUE_MS))
    with capture_logs() as logs:
        assert await outbox.take(partition, DUE_MS) == [wanted]
    assert [each["event"] for each in logs] == ["a notice can't be read"] * 2


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


class Odd(MaildirTransport):
    """Nobody foresaw what happens, so nobody can know whether the mail arrived."""

    async def send(self, message: EmailMessage) -> None:
        if message["To"] == ADA.address:
            raise RuntimeError("unforeseen")
        await super().send(message)


async def oddly(digests: Digests, waits: list[int]) -> Report:
    """A run with that. waits: takes after how many attempts each wait came."""

    def retry_seconds(attempts: int) -> float:
        waits.append(attempts)
        return 0.0

    settings = digests.settings
    async with opened(settings, digests.state, retry_seconds=retry_seconds) as found:
        tools = replace(found, transport=lambda: Odd(settings.data_dir / "mail"))
        return await send_due(tools, DUE_MS)


async def test_a_hand_over_that_always_goes_wrong_is_given_up(settings: Settings) -> None:
    """Also where it is to be sent again: that may bring a second copy, and no hundred."""
    waits: list[int] = []
    async with sending(settings.model_copy(update={"digest_undecided": "resend"})) as digests:
        await digests.subscribe(ADA, BEN)
        report = await oddly(digests, waits)
        expected = {State.SENT: 1, State.UNDECIDED: MAX_ATTEMPTS, State.FAILED: 1}
        assert report.outcomes == expected
        assert waits == list(range(1, MAX_ATTEMPTS + 1))
        assert await digests.named() == [ADA.id]
        assert await digests.view.counts() == {"sent": 1, "undecided": 1, "failed": 1}
        assert await digests.view.open() == 0
        assert (await digests.run()).outcomes == {}
        assert (await digests.run(DUE_MS + DAY_MS)).outcomes == {State.SENT: 2}


async def test_a_mail_that_ends_its_sender_each_time_is_given_up(settings: Settings) -> None:
    async with sending(settings.model_copy(update={"digest_undecided": "resend"})) as digests:
        await digests.subscribe(ADA)
        partition, wanted = digest_partition(ADA.id), Wanted(ADA.id, DUE_MS, DUE_MS + 1, DUE_MS)
        for attempt in range(MAX_ATTEMPTS):
            lost = Ledger(digests.state.client, lease_ms=0, undecided=Undecided.RESEND)
            taken = (await lost.take_over(partition, 1)).claims
            [claim] = taken or await lost.claim(partition, [wanted])
            assert claim.attempts == attempt
            assert await lost.handing_over(claim, "<lost@papers.example>", [])
        assert (await digests.run(DUE_MS)).outcomes == {State.FAILED: 1}
        assert await digests.named()


async def test_a_hand_over_that_goes_wrong_keeps_no_other_back(digests: Digests) -> None:
    await digests.subscribe(ADA, BEN)
    report = await oddly(digests, [])
    assert report.outcomes == {State.SENT: 1, State.UNDECIDED: 1}
    assert [mail["To"] for mail in digests.mails()] == [BEN.address]
    assert await digests.named() == [ADA.id]
