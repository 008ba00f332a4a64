"""Senders in any order, paused, lost and woken at any point, against what they may never do.

Their leases are always run out, so that each may lose any mail to any other at any time.
"""

import asyncio
from collections import Counter
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from service.digest.ledger import Claim, Ledger, State, Undecided, Wanted, paper_print
from service.digest.ledger_view import LedgerView
from service.digest.store import Held, Subscriptions
from service.embedded import Role
from service.keys import digest_partition
from tests.digest.subscribers import DAY_MS, DUE_MS, subscription

ADA = subscription("ada@papers.example")
PARTITION = digest_partition(ADA.id)
SENDERS = 2


class Step(NamedTuple):
    """What a sender does next, with the mail that it believes to have, if it needs one.

    stale: whether it claims the mail that was due before, which somebody has had.
    """

    sender: int
    action: str
    stale: bool = False


COMMON = ["claim", "take over", "hand over", "record"]
RARE = ["refused for now", "nothing", "lost", "die"]

steps = st.builds(
    Step,
    st.integers(0, SENDERS - 1),
    st.sampled_from([*COMMON, *COMMON, *RARE]),
    st.sampled_from([False, False, False, True]),
)


class Sender:
    """A sender that does one thing at a time.

    claim: the mail that it believes to have. handed: whether the mail server has it.
    """

    def __init__(self, client: Redis, policy: Undecided) -> None:
        self.ledger = Ledger(client, lease_ms=0, undecided=policy)
        self.claim: Claim | None = None
        self.handed = False


class World:
    """All senders, the mails that went out, and the days that passed."""

    def __init__(self, client: Redis, policy: Undecided) -> None:
        self.client = client
        self.policy = policy
        self.senders = [Sender(client, policy) for _ in range(SENDERS)]
        self.mails: Counter[int] = Counter()
        self.recorded: set[int] = set()
        self.ended: set[int] = set()
        self.day = 0

    async def step(self, step: Step) -> None:
        sender = self.senders[step.sender]
        match step.action:
            case "claim":
                at = DUE_MS + (self.day - step.stale) * DAY_MS
                claims = await sender.ledger.claim(PARTITION, [Wanted(ADA.id, at, at + DAY_MS, at)])
                if claims:
                    assert not step.stale, "one sender gets a mail"
                    self.day += 1
                    sender.claim, sender.handed = claims[0], False
            case "take over":
                claims = (await sender.ledger.take_over(PARTITION, 10)).claims
                if claims:
                    sender.claim, sender.handed = claims[0], False
            case "die":
                self.senders[step.sender] = Sender(self.client, self.policy)
            case _ if sender.claim is not None:
                await self.act(sender, sender.claim, step.action)

    async def act(self, sender: Sender, claim: Claim, action: str) -> None:
        at = claim.occurrence_ms
        if action == "hand over" and not sender.handed:
            name = f"<{at}@papers.example>"
            if await sender.ledger.handing_over(claim, name, [paper_print(str(at))]):
                self.mails[at] += 1
                sender.handed = True
            else:
                sender.claim = None
        elif action == "record" and sender.handed:
            assert await sender.ledger.sent(claim), "what went out can be recorded"
            self.recorded.add(at)
            sender.claim = None
        elif action == "lost" and sender.handed:
            await sender.ledger.settle(claim, State.UNDECIDED)
            sender.claim = None
        elif action == "refused for now" and sender.handed:
            # The server said so: that mail did not go out.
            self.mails[at] -= 1
            await sender.ledger.settle(claim, State.WAITING)
            sender.claim = None
        elif action == "nothing" and not sender.handed:
            if await sender.ledger.settle(claim, State.NOTHING):
                self.ended.add(at)
            sender.claim = None

    async def finish(self) -> None:
        """One more sender comes, and nobody else does anything any more."""
        last = Sender(self.client, self.policy)
        while claims := (await last.ledger.take_over(PARTITION, 10)).claims:
            for claim in claims:
                await self.act(last, claim, "hand over")
                await self.act(last, claim, "record")
                last.handed = False


async def play(url: str, policy: Undecided, order: list[Step]) -> None:
    client = Redis.from_url(url)
    try:
        await client.flushall()
        await Subscriptions(client).write(Held(None, b""), ADA, DUE_MS - 1)
        world = World(client, policy)
        for step in order:
            await world.step(step)
        await world.finish()
        view = LedgerView(client)
        named = {each.occurrence_ms for each in await view.undecided()}
        [papers] = await world.senders[0].ledger.sent_papers([ADA.id])
        assert await view.open() == 0
        for at, count in world.mails.items():
            if policy is Undecided.SKIP:
                assert count <= 1, "no second copy"
            if count and at not in world.recorded:
                assert at in named, "a mail that nobody recorded has a name"
            if at in world.recorded:
                assert paper_print(str(at)) in papers, "its papers come no more"
        if world.day:
            latest = DUE_MS + (world.day - 1) * DAY_MS
            assert world.mails[latest] or latest in named | world.ended, "nobody is forgotten"
        counts = await view.counts()
        assert counts.get("undecided", 0) == len(await view.undecided())
    finally:
        await client.aclose()


@settings(max_examples=200)
@given(policy=st.sampled_from(Undecided), order=st.lists(steps, min_size=30, max_size=60))
def test_any_order(embedded_urls: dict[Role, str], policy: Undecided, order: list[Step]) -> None:
    asyncio.run(play(embedded_urls[Role.STATE], policy, order))
