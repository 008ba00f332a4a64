"""Where subscriptions are kept, each with its place among those due; beside them the requests that
nobody has confirmed yet.

Anybody may send a request, so it changes nothing of a subscription. What is written is written in
one step, and only if the subscription still is as its writer read it. So of two changes at once the
second is made anew upon the first.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from redis.asyncio import Redis

from service.digest.links import CONFIRM_MS, MANAGE_MS
from service.digest.outbox import Notice, Waiting
from service.digest.schedule import next_due
from service.digest.store_scripts import ASK, ERASE, PUT, SWEEP, SWEPT_AT_ONCE
from service.digest.subscriptions import Status, Subscription, Tally, Unreadable, pack, unpack
from service.feedback_state import run_scripts, state_errors
from service.keys import (
    PARTITIONS,
    digest_claims_key,
    digest_due_key,
    digest_going_key,
    digest_mail_prefix,
    digest_notices_prefix,
    digest_outbox_key,
    digest_partition,
    digest_pending_key,
    digest_pending_prefix,
    digest_sent_prefix,
    digest_tallies_key,
    digest_undecided_key,
    subscription_key,
    subscriptions_prefix,
)
from service.times import DAY_MS

ENDED_MS = 30 * DAY_MS
"""How long one that was ended can be taken up again."""

SUPPRESSED_MS = MANAGE_MS
"""How long no mail goes to a mailbox that refused one for good; until then the links in its mails
can take the subscription up again."""

_KEPT_MS = {
    Status.ACTIVE: 0,
    Status.SUPPRESSED: SUPPRESSED_MS,
    Status.ENDED: ENDED_MS,
}
"""How long each is kept after its last change, and 0 for as long as it stays so."""


log = structlog.get_logger(__name__)


class Held(NamedTuple):
    """A subscription as it was read, and its bytes, by which a change of it is conditioned."""

    subscription: Subscription | None
    packed: bytes

    @property
    def status(self) -> Status | None:
        """Where it stands; None if it is not there."""
        return self.subscription.status if self.subscription else None

    @property
    def revision(self) -> int:
        """Its revision; 0 if it is not there."""
        return self.subscription.revision if self.subscription else 0


class Subscriptions:
    """Reads and writes subscriptions. Every method raises ServiceError STATE_AWAY, and those that
    read one raise Unreadable; whose it is stands in the log.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def get(self, id: str) -> Subscription | None:
        """A subscription, wherever it stands; None if it is not there, or is gone."""
        return (await self.read(id)).subscription

    async def many(self, ids: Sequence[str]) -> list[Subscription | None]:
        """The same of many at once, in order; None also of what can't be read."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for id in ids:
                pipeline.get(subscription_key(id))
            with state_errors():
                found = await pipeline.execute()
        subscriptions: list[Subscription | None] = []
        for id, packed in zip(ids, found, strict=True):
            try:
                subscriptions.append(_unpacked(id, packed))
            except Unreadable:
                subscriptions.append(None)
        return subscriptions

    async def read(self, id: str) -> Held:
        """A subscription that may be changed; see `write`."""
        with state_errors():
            packed: Any = await self._client.get(subscription_key(id))
        return Held(_unpacked(id, packed), packed or b"")

    async def write(
        self, before: Held, after: Subscription, now_ms: int, request: Subscription | None = None
    ) -> bool:
        """Put a subscription in the place of the one that was read; False if that has changed.

        If it is active its next digest is the first one due after now. Requests for it wait no
        more.

        request: one that must wait until now: False if it does not.
        """
        kept_ms = _KEPT_MS[after.status]
        due_ms = next_due(after, now_ms) if after.status is Status.ACTIVE else 0
        arguments: list[Any] = [
            *(after.id, before.packed, pack(after), now_ms + kept_ms if kept_ms else 0),
            *(due_ms, request.revision if request else ""),
        ]
        keys = _keys(digest_partition(after.id))
        [written] = await run_scripts(self._client, PUT, [(keys, arguments)])
        return bool(written)

    async def ask(self, before: Held, request: Subscription, now_ms: int) -> bool:
        """Have a request wait, and its mailbox get a notice of it; False if the subscription is not
        as it was read, or another request has that revision.

        One that waited in vain goes by itself; where others came later, with the next or the last.
        """
        id, revision = request.id, request.revision
        keys = [
            subscription_key(id),
            digest_pending_key(id),
            digest_outbox_key(digest_partition(id)),
        ]
        arguments: list[Any] = [
            *(before.packed, revision, pack(request), now_ms + CONFIRM_MS, now_ms - CONFIRM_MS),
            *(str(Waiting(id, Notice.CONFIRM, revision)), now_ms),
        ]
        [kept] = await run_scripts(self._client, ASK, [(keys, arguments)])
        return bool(kept)

    async def request(self, id: str, revision: int) -> Subscription | None:
        """A request that waits; None if it was confirmed, or is gone."""
        with state_errors():
            packed: Any = await self._client.hget(digest_pending_key(id), str(revision))
        return _unpacked(id, packed)

    async def latest_request(self, id: str) -> Subscription | None:
        """Of the requests that wait, the latest."""
        with state_errors():
            revisions: Any = await self._client.hkeys(digest_pending_key(id))
        return await self.request(id, max(map(int, revisions))) if revisions else None

    async def notify(self, id: str, notice: Notice, now_ms: int) -> None:
        """Have a notice sent to a mailbox, and change nothing."""
        outbox = digest_outbox_key(digest_partition(id))
        with state_errors():
            await self._client.zadd(outbox, {str(Waiting(id, notice, now_ms)): now_ms})

    async def next_due_ms(self, id: str) -> int | None:
        """When the next digest is due, Unix ms; None if none is."""
        with state_errors():
            found: Any = await self._client.zscore(digest_due_key(digest_partition(id)), id)
        return None if found is None else int(found)

    async def sweep(self, now_ms: int) -> None:
        """Delete what is left of subscriptions that have had their time."""
        calls: list[tuple[list[str], list[Any]]] = [
            (_keys(partition), [now_ms]) for partition in range(PARTITIONS)
        ]
        while max(await run_scripts(self._client, SWEEP, calls)) == SWEPT_AT_ONCE:
            pass

    async def tally(self, id: str, what: Tally) -> None:
        """Count what happened to one."""
        with state_errors():
            await self._client.hincrby(digest_tallies_key(digest_partition(id)), what, 1)

    async def erase(self, id: str) -> bool:
        """Delete all that is kept of a subscription and of requests for it; whether there was
        anything."""
        keys = _keys(digest_partition(id))
        [found] = await run_scripts(self._client, ERASE, [(keys, [id])])
        return bool(found)


def _unpacked(id: str, packed: bytes | None) -> Subscription | None:
    try:
        return unpack(packed) if packed else None
    except Unreadable:
        log.exception("a subscription can't be read", subscription=id)
        raise


def _keys(partition: int) -> list[str]:
    """The keys with which most scripts begin."""
    return [
        *(digest_due_key(partition), digest_claims_key(partition)),
        *(digest_undecided_key(partition), digest_going_key(partition)),
        *(subscriptions_prefix(partition), digest_mail_prefix(partition)),
        *(digest_sent_prefix(partition), digest_pending_prefix(partition)),
        digest_notices_prefix(partition),
    ]
