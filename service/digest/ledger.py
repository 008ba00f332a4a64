"""The ledger of mails: who is due, who makes whose mail, and what became of it.

Many senders share it. What is written is on the state server's disk when a method returns.
"""

import secrets
from collections.abc import Collection, Iterable, Sequence
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple

from redis.asyncio import Redis

from service.digest.ledger_scripts import (
    CLAIM,
    HAND_OVER,
    KEEP,
    PAPER_BYTES,
    SENT,
    SETTLE,
    TAKE_OVER,
)
from service.feedback_state import run_scripts, state_errors
from service.keys import (
    digest_claims_key,
    digest_counts_key,
    digest_due_key,
    digest_mail_prefix,
    digest_partition,
    digest_sent_prefix,
    digest_undecided_key,
)


class State(StrEnum):
    """How a mail stands; see service/digest/ledger_scripts.py."""

    CLAIMED = "claimed"
    HANDING_OVER = "handing over"
    WAITING = "waiting"
    SENT = "sent"
    NOTHING = "nothing"
    LEFT = "left"
    REFUSED = "refused"
    FAILED = "failed"
    UNDECIDED = "undecided"


class Undecided(StrEnum):
    """What becomes of a mail of which nobody can say whether it arrived."""

    SKIP = "skip"
    """It counts as sent: no second copy, and perhaps none at all."""
    RESEND = "resend"
    """It is sent once more under the same Message-ID: perhaps a second copy."""


class Due(NamedTuple):
    """A subscription, and when it was due, Unix ms."""

    id: str
    due_ms: int


class Wanted(NamedTuple):
    """A mail to claim.

    due_ms: as the index had it; next_ms: when the subscription is due after this mail.
    occurrence_ms: when the digest was due that this mail brings: the mail's name with the id.
    """

    id: str
    due_ms: int
    next_ms: int
    occurrence_ms: int


class Claim(NamedTuple):
    """A mail that is ours to make until the lease runs out.

    attempts: that failed for now, or are undecided. sent_ms: the last occurrence that was sent; 0
        if none.
    """

    id: str
    occurrence_ms: int
    attempts: int = 0
    sent_ms: int = 0


class Named(NamedTuple):
    """A mail of which nobody can say whether it arrived; given_up_ms: when that was found."""

    id: str
    occurrence_ms: int
    message_id: str
    given_up_ms: int


class TakenOver(NamedTuple):
    """claims: mails to make. undecided: those found so, which are settled as the setting says."""

    claims: list[Claim]
    undecided: list[Named]


class Ledger:
    """One sender's view of the ledger.

    lease_ms: how long a sender may be silent before others take its mails over; see `keep`.
    undecided: how a mail is settled that its sender left while handing it over.
    Every method raises ServiceError STATE_AWAY when the state server does not answer or refuses.
    """

    def __init__(self, client: Redis, *, lease_ms: int, undecided: Undecided) -> None:
        self._client = client
        self._lease_ms = lease_ms
        self._undecided = undecided
        self._token = secrets.token_hex(8)

    async def due(self, partition: int, at_ms: int, offset: int, count: int) -> list[Due]:
        """A stretch of those that are due at an instant, the longest due first."""
        with state_errors():
            found: Any = await self._client.zrange(
                digest_due_key(partition),
                "-inf",
                at_ms,
                byscore=True,
                offset=offset,
                num=count,
                withscores=True,
            )
        return [Due(id.decode(), int(score)) for id, score in found]

    async def claim(self, partition: int, wanted: Sequence[Wanted]) -> list[Claim]:
        """Those of the mails that are now ours; all of one partition."""
        if not wanted:
            return []
        keys = [
            digest_due_key(partition),
            digest_mail_prefix(partition),
            digest_claims_key(partition),
        ]
        values = [
            value
            for each in wanted
            for value in (each.id, each.due_ms, each.next_ms, each.occurrence_ms)
        ]
        [answers] = await run_scripts(
            self._client, CLAIM, [(keys, [self._token, self._lease_ms, *values])]
        )
        return [
            Claim(each.id, each.occurrence_ms, sent_ms=int(answer))
            for each, answer in zip(wanted, answers, strict=True)
            if answer is not None
        ]

    async def take_over(self, partition: int, count: int) -> TakenOver:
        """Mails whose senders were lost, and mails to be tried again by now."""
        arguments = [self._token, self._lease_ms, count, self._undecided]
        [flat] = await run_scripts(
            self._client, TAKE_OVER, [(_settling_keys(partition), arguments)]
        )
        taken = TakenOver([], [])
        for at in range(0, len(flat), 6):
            id, left, message_id = (each.decode() for each in (flat[at], *flat[at + 4 : at + 6]))
            occurrence_ms, attempts, sent_ms = map(int, flat[at + 1 : at + 4])
            was_undecided = left == State.HANDING_OVER
            if was_undecided:
                taken.undecided.append(Named(id, occurrence_ms, message_id, 0))
            if not was_undecided or self._undecided is Undecided.RESEND:
                taken.claims.append(Claim(id, occurrence_ms, attempts, sent_ms))
        return taken

    async def keep(self, claims: Iterable[Claim]) -> None:
        """Say that we are still at these mails."""
        calls = [
            (
                [digest_claims_key(partition), digest_mail_prefix(partition)],
                [self._token, self._lease_ms, *ids],
            )
            for partition, ids in _by_partition(each.id for each in claims).items()
        ]
        if calls:
            await run_scripts(self._client, KEEP, calls)

    async def sent_papers(self, ids: Iterable[str]) -> list[frozenset[bytes]]:
        """What was sent to each subscription: the prints of papers, see `paper_print`."""
        keys = [digest_sent_prefix(digest_partition(id)) + id for id in ids]
        async with self._client.pipeline(transaction=False) as pipeline:
            for key in keys:
                pipeline.get(key)
            with state_errors():
                found = await pipeline.execute()
        return [
            frozenset(
                packed[at : at + PAPER_BYTES] for at in range(0, len(packed or b""), PAPER_BYTES)
            )
            for packed in found
        ]

    async def handing_over(self, claim: Claim, message_id: str, papers: Collection[bytes]) -> bool:
        """Record that a mail is about to be handed over; whether it still may be.

        It may not be where another sender took it over, or its subscriber left.
        papers: prints of what is in it.
        """
        partition = digest_partition(claim.id)
        keys = [
            digest_due_key(partition),
            digest_mail_prefix(partition) + claim.id,
            digest_claims_key(partition),
        ]
        arguments = [claim.id, self._token, self._lease_ms, message_id, b"".join(papers)]
        [allowed] = await run_scripts(self._client, HAND_OVER, [(keys, arguments)])
        return bool(allowed)

    async def sent(self, claim: Claim) -> bool:
        """Record that a mail was handed over; False if the ledger knows of no such mail."""
        mails, *keys, papers = _settling_keys(digest_partition(claim.id))
        keys = [mails + claim.id, *keys, papers + claim.id]
        arguments = [claim.id, self._token, claim.occurrence_ms]
        [known] = await run_scripts(self._client, SENT, [(keys, arguments)])
        return bool(known)

    async def settle(
        self, claim: Claim, state: State, wait_seconds: float = 0.0, *, attempts: int = 1
    ) -> bool:
        """Record how a mail ended that was not sent; False if it is no longer ours.

        state: NOTHING, REFUSED, FAILED, WAITING or UNDECIDED. wait_seconds: until it is tried
            again; of an undecided mail only where it is to be sent again. attempts: 0 if a mail
            that waits was given back and not tried.
        """
        mails, *keys = _settling_keys(digest_partition(claim.id))
        wait_ms = round(wait_seconds * 1_000)
        arguments = [claim.id, self._token, state, wait_ms, self._undecided, attempts]
        [ours] = await run_scripts(self._client, SETTLE, [([mails + claim.id, *keys], arguments)])
        return bool(ours)

    @property
    def lease_seconds(self) -> float:
        """How long a sender may be silent."""
        return self._lease_ms / 1_000


def paper_print(paper_id: str) -> bytes:
    """What is kept of a paper that was sent. Two papers in 10^9 share one with odds of 1 in 37."""
    return blake2b(paper_id.encode(), digest_size=PAPER_BYTES).digest()


def _by_partition(ids: Iterable[str]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for id in ids:
        found.setdefault(digest_partition(id), []).append(id)
    return found


def _settling_keys(partition: int) -> list[str]:
    return [
        *(digest_mail_prefix(partition), digest_claims_key(partition)),
        *(digest_undecided_key(partition), digest_counts_key(partition)),
        digest_sent_prefix(partition),
    ]
