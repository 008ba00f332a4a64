"""The ledger of mails on a real state server: one sender each, and nothing lost or sent twice."""

from dataclasses import replace

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from service.digest.ledger import Claim, Due, Ledger, State, Undecided, Wanted, paper_print
from service.digest.ledger_scripts import MAX_PAPERS, MAX_UNDECIDED
from service.digest.ledger_view import LedgerView
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import Status
from service.keys import digest_partition
from service.times import present_ms
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription

NOBODY = Held(None, b"")
ADA = subscription("ada@papers.example")
PARTITION = digest_partition(ADA.id)
PAPERS = [paper_print(f"paper-{number}") for number in range(10)]


@pytest_asyncio.fixture
async def subscriptions(client: Redis) -> Subscriptions:
    """With Ada, who is due at DUE_MS."""
    found = Subscriptions(client)
    await found.write(NOBODY, ADA, DUE_MS - 1)
    return found


def sender(
    client: Redis, *, lease_ms: int = 60_000, undecided: Undecided = Undecided.SKIP
) -> Ledger:
    return Ledger(client, lease_ms=lease_ms, undecided=undecided)


async def claim(ledger: Ledger, day: int = 0) -> list[Claim]:
    """Claim Ada's mail of a day; the next one is a day later."""
    at = DUE_MS + day * DAY_MS
    return await ledger.claim(PARTITION, [Wanted(ADA.id, at, at + DAY_MS, at)])


async def handed_over(ledger: Ledger, day: int = 0) -> Claim:
    [mine] = await claim(ledger, day)
    assert await ledger.handing_over(mine, f"<{day}@papers.example>", PAPERS)
    return mine


async def sent(ledger: Ledger) -> frozenset[bytes]:
    [found] = await ledger.sent_papers([ADA.id])
    return found


@pytest.mark.usefixtures("subscriptions")
class TestClaiming:
    async def test_who_is_due(self, client: Redis) -> None:
        ledger = sender(client)
        assert await ledger.due(PARTITION, DUE_MS - 1, 0, 10) == []
        assert await ledger.due(PARTITION, DUE_MS, 0, 10) == [Due(ADA.id, DUE_MS)]
        assert await ledger.due(PARTITION, DUE_MS, 1, 10) == []
        assert await LedgerView(client).overdue(DUE_MS) == 1

    async def test_one_of_two_senders_gets_a_mail(self, client: Redis) -> None:
        one, other = sender(client), sender(client)
        assert await claim(one) == [Claim(ADA.id, DUE_MS)]
        assert await claim(other) == []
        assert await other.due(PARTITION, DUE_MS, 0, 10) == []
        assert await one.due(PARTITION, DUE_MS + DAY_MS, 0, 10) == [Due(ADA.id, DUE_MS + DAY_MS)]
        assert await LedgerView(client).open() == 1

    async def test_the_next_mail_waits_for_the_one_at_hand(self, client: Redis) -> None:
        one, other = sender(client), sender(client)
        mine = await handed_over(one)
        assert await claim(other, day=1) == []
        await one.sent(mine)
        assert await claim(other, day=1) == [Claim(ADA.id, DUE_MS + DAY_MS, sent_ms=DUE_MS)]

    async def test_the_next_mail_takes_the_place_of_one_that_waits(self, client: Redis) -> None:
        ledger = sender(client)
        mine = await handed_over(ledger)
        assert await ledger.settle(mine, State.WAITING, 3_600)
        assert await claim(ledger, day=1) == [Claim(ADA.id, DUE_MS + DAY_MS)]
        assert await LedgerView(client).open() == 1

    async def test_a_claim_lapses(self, client: Redis) -> None:
        lost, other = sender(client, lease_ms=0), sender(client)
        [mine] = await claim(lost)
        taken = await other.take_over(PARTITION, 10)
        assert taken.claims == [Claim(ADA.id, DUE_MS)]
        assert taken.undecided == []
        assert not await lost.handing_over(mine, "<0@papers.example>", PAPERS)
        assert await other.handing_over(taken.claims[0], "<0@papers.example>", PAPERS)

    async def test_a_claim_that_is_kept_does_not_lapse(self, client: Redis) -> None:
        one, other = sender(client, lease_ms=0), sender(client)
        mine = await claim(one)
        await other.keep(mine)  # it is not theirs
        taken = await other.take_over(PARTITION, 10)
        assert taken.claims == mine
        await other.keep(mine)
        assert await one.take_over(PARTITION, 10) == ([], [])

    async def test_a_claim_that_holds_is_not_taken_over(self, client: Redis) -> None:
        one, other = sender(client), sender(client)
        await handed_over(one)
        assert await other.take_over(PARTITION, 10) == ([], [])


class TestSending:
    async def test_what_was_sent_is_known(
        self, client: Redis, subscriptions: Subscriptions
    ) -> None:
        ledger = sender(client)
        mine = await handed_over(ledger)
        assert await sent(ledger) == frozenset()
        assert await ledger.sent(mine)
        assert await sent(ledger) == frozenset(PAPERS)
        assert await LedgerView(client).counts() == {"sent": 1}
        assert await LedgerView(client).open() == 0
        assert not await ledger.sent(mine), "once"
        await subscriptions.erase(ADA.id)
        assert await sent(ledger) == frozenset()
        assert [key async for key in client.scan_iter(f"*{ADA.id}*")] == []

    async def test_who_left_meanwhile_gets_nothing(
        self, client: Redis, subscriptions: Subscriptions
    ) -> None:
        ledger = sender(client)
        [mine] = await claim(ledger)
        held = await subscriptions.read(ADA.id)
        await subscriptions.write(held, replace(ADA, status=Status.ENDED), present_ms())
        assert not await ledger.handing_over(mine, "<0@papers.example>", PAPERS)
        assert await LedgerView(client).open() == 0

    async def test_who_was_erased_meanwhile_gets_nothing(
        self, client: Redis, subscriptions: Subscriptions
    ) -> None:
        ledger = sender(client, lease_ms=0)
        [mine] = await claim(ledger)
        await subscriptions.erase(ADA.id)
        assert not await ledger.handing_over(mine, "<0@papers.example>", PAPERS)
        assert await ledger.take_over(PARTITION, 10) == ([], [])
        assert await LedgerView(client).open() == 0

    @pytest.mark.usefixtures("subscriptions")
    async def test_a_refusal_for_now_is_tried_again(self, client: Redis) -> None:
        ledger = sender(client)
        mine = await handed_over(ledger)
        assert await ledger.settle(mine, State.WAITING, 3_600)
        assert await ledger.take_over(PARTITION, 10) == ([], [])
        assert await LedgerView(client).open() == 1

    @pytest.mark.usefixtures("subscriptions")
    async def test_attempts_are_counted(self, client: Redis) -> None:
        ledger = sender(client)
        mine = await handed_over(ledger)
        for attempts in (1, 2, 3):
            assert await ledger.settle(mine, State.WAITING)
            [mine] = (await ledger.take_over(PARTITION, 10)).claims
            assert mine == Claim(ADA.id, DUE_MS, attempts)
        assert await ledger.settle(mine, State.WAITING, attempts=0), "given back, and not tried"
        [mine] = (await ledger.take_over(PARTITION, 10)).claims
        assert mine == Claim(ADA.id, DUE_MS, 3)
        assert await ledger.settle(mine, State.FAILED)
        assert await LedgerView(client).open() == 0
        assert await LedgerView(client).counts() == {"failed": 1}

    @pytest.mark.usefixtures("subscriptions")
    async def test_the_newest_papers_are_remembered(self, client: Redis) -> None:
        ledger = sender(client)
        for day in range(7):
            [mine] = await claim(ledger, day)
            papers = [paper_print(f"{day}-{number}") for number in range(1_000)]
            assert await ledger.handing_over(mine, f"<{day}@papers.example>", papers)
            assert await ledger.sent(mine)
        found = await sent(ledger)
        assert MAX_PAPERS <= len(found) <= MAX_PAPERS * 11 // 10
        assert paper_print("6-999") in found
        assert paper_print("0-0") not in found


@pytest.mark.usefixtures("subscriptions")
class TestUndecided:
    """The sender was lost after the mail was recorded as handing over, and before as sent."""

    async def test_skipped(self, client: Redis) -> None:
        lost, other = sender(client, lease_ms=0), sender(client)
        await handed_over(lost)
        taken = await other.take_over(PARTITION, 10)
        assert taken.claims == []
        assert [(each.id, each.message_id) for each in taken.undecided] == [
            (ADA.id, "<0@papers.example>")
        ]
        [named] = await LedgerView(client).undecided()
        assert (named.id, named.occurrence_ms) == (ADA.id, DUE_MS)
        assert await LedgerView(client).counts() == {"undecided": 1}
        assert await sent(other) == frozenset(PAPERS), "no paper twice, whatever arrived"
        assert await LedgerView(client).open() == 0

    async def test_sent_once_more(self, client: Redis) -> None:
        lost = sender(client, lease_ms=0)
        other = sender(client, undecided=Undecided.RESEND)
        await handed_over(lost)
        taken = await other.take_over(PARTITION, 10)
        again = Claim(ADA.id, DUE_MS, attempts=1)
        assert taken.claims == [again], "the occurrence that makes the Message-ID"
        assert len(taken.undecided) == 1
        assert await sent(other) == frozenset()
        assert await other.handing_over(taken.claims[0], "<0@papers.example>", PAPERS)
        assert await other.sent(taken.claims[0])
        assert await LedgerView(client).counts() == {"undecided": 1, "sent": 1}
        assert len(await LedgerView(client).undecided()) == 1

    @pytest.mark.parametrize("policy", list(Undecided))
    async def test_decided_after_all(self, client: Redis, policy: Undecided) -> None:
        slow, other = sender(client, lease_ms=0), sender(client, undecided=policy)
        mine = await handed_over(slow)
        taken = await other.take_over(PARTITION, 10)
        assert await slow.sent(mine), "it was not dead"
        assert await LedgerView(client).undecided() == []
        assert await LedgerView(client).counts() == {"undecided": 0, "sent": 1}
        assert await sent(other) == frozenset(PAPERS)
        assert await LedgerView(client).open() == 0
        for again in taken.claims:
            assert not await other.handing_over(again, "<0@papers.example>", PAPERS)

    async def test_decided_while_it_is_sent_once_more(self, client: Redis) -> None:
        slow = sender(client, lease_ms=0)
        other = sender(client, undecided=Undecided.RESEND)
        mine = await handed_over(slow)
        [again] = (await other.take_over(PARTITION, 10)).claims
        assert await other.handing_over(again, "<0@papers.example>", PAPERS[:3])
        assert await slow.sent(mine)
        assert await other.sent(again)
        assert await LedgerView(client).counts() == {"undecided": 0, "sent": 2}
        assert await sent(other) == frozenset(PAPERS)

    @pytest.mark.parametrize("policy", list(Undecided))
    async def test_found_by_the_sender_itself(self, client: Redis, policy: Undecided) -> None:
        ledger = sender(client, undecided=policy)
        mine = await handed_over(ledger)
        assert await ledger.settle(mine, State.UNDECIDED)
        assert len(await LedgerView(client).undecided()) == 1
        again = await ledger.take_over(PARTITION, 10)
        expected = [Claim(ADA.id, DUE_MS, 1)] if policy is Undecided.RESEND else []
        assert again == (expected, [])

    async def test_the_next_digest_does_not_wait_for_a_decision(self, client: Redis) -> None:
        lost, other = sender(client, lease_ms=0), sender(client)
        await handed_over(lost)
        await other.take_over(PARTITION, 10)
        assert await claim(other, day=1) == [Claim(ADA.id, DUE_MS + DAY_MS, sent_ms=DUE_MS)]

    async def test_their_names_are_bounded_and_forgotten(self, client: Redis) -> None:
        lost, other = sender(client, lease_ms=0), sender(client)
        for day in range(MAX_UNDECIDED + 2):
            await handed_over(lost, day)
            await other.take_over(PARTITION, 10)
        named = await LedgerView(client).undecided()
        assert len(named) == MAX_UNDECIDED
        assert named[-1].occurrence_ms == DUE_MS + (MAX_UNDECIDED + 1) * DAY_MS
        await LedgerView(client).forget_undecided()
        assert await LedgerView(client).undecided() == []
        assert await LedgerView(client).counts() == {"undecided": MAX_UNDECIDED + 2}
