"""Where subscriptions are kept, each with its place among those due and the notices it is owed.

One script writes all of it in one step, and only if the subscription still is as its writer read
it. So of two changes at once the second is made anew upon the first.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from redis.asyncio import Redis

from service.digest.links import CONFIRM_MS, MANAGE_MS
from service.digest.outbox import Notice, Waiting
from service.digest.schedule import next_due
from service.digest.subscriptions import Status, Subscription, pack, unpack
from service.feedback_scripts import Script
from service.feedback_state import run_scripts, state_errors
from service.keys import (
    digest_claims_key,
    digest_due_key,
    digest_going_key,
    digest_mail_prefix,
    digest_notices_prefix,
    digest_outbox_key,
    digest_partition,
    digest_sent_prefix,
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

_SWEPT_AT_ONCE = 10

_KEPT_MS = {
    Status.PENDING: CONFIRM_MS,
    Status.ACTIVE: 0,
    Status.SUPPRESSED: SUPPRESSED_MS,
    Status.ENDED: ENDED_MS,
}
"""How long each is kept after its last change, and 0 for as long as it stays so."""

_FORGET = """
local DUE, CLAIMS, UNDECIDED, GOING = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local call = redis.call
-- Deletes all that is kept of a subscription. Notices that name it are dropped at their turn.
local function forget(id)
  call('ZREM', DUE, id) call('ZREM', CLAIMS, id) call('ZREM', GOING, id)
  call('HDEL', UNDECIDED, id)
  for at = 5, 8 do call('DEL', KEYS[at] .. id) end
end
"""
# KEYS of scripts that begin so: those of service/keys.py in this order, the last four without the
# id that follows: due, claims, undecided, going; subscription, mail, sent, notices.

PUT = Script(
    _FORGET
    + f"""
-- Writes a subscription if it is as its writer read it, and forgets some that have had their time.
-- KEYS: the above, outbox. ARGV: id; the bytes that were read, "" for none; the new ones; when they
--   go and when a digest is due, each Unix ms, 0 for never; a notice to send, or ""; now, Unix ms.
-- Returns whether it was written.
for _, id in ipairs(call('ZRANGEBYSCORE', GOING, '-inf', ARGV[7], 'LIMIT', 0, {_SWEPT_AT_ONCE})) do
  forget(id)
end
local id, subscription = ARGV[1], KEYS[5] .. ARGV[1]
if (call('GET', subscription) or '') ~= ARGV[2] then return 0 end
call('SET', subscription, ARGV[3])
if ARGV[4] == '0' then
  call('ZREM', GOING, id)
else
  call('PEXPIREAT', subscription, ARGV[4])
  call('ZADD', GOING, ARGV[4], id)
end
if ARGV[5] == '0' then call('ZREM', DUE, id) else call('ZADD', DUE, ARGV[5], id) end
if ARGV[6] ~= '' then call('ZADD', KEYS[9], ARGV[7], ARGV[6]) end
return 1
"""
)

ERASE = Script(_FORGET + "-- ARGV: id.\nforget(ARGV[1])\nreturn 1\n")


class Held(NamedTuple):
    """A subscription as it was read, and its bytes, by which a change of it is conditioned."""

    subscription: Subscription | None
    packed: bytes


class Subscriptions:
    """Reads and writes subscriptions. Every method raises ServiceError STATE_AWAY."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def get(self, id: str) -> Subscription | None:
        """A subscription, wherever it stands; None if it is not there, or is gone."""
        return (await self.read(id)).subscription

    async def many(self, ids: Sequence[str]) -> list[Subscription | None]:
        """The same of many at once, in order."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for id in ids:
                pipeline.get(subscription_key(id))
            with state_errors():
                found = await pipeline.execute()
        return [unpack(each) if each else None for each in found]

    async def read(self, id: str) -> Held:
        """A subscription that may be changed; see `write`."""
        with state_errors():
            packed: Any = await self._client.get(subscription_key(id))
        return Held(unpack(packed) if packed else None, packed or b"")

    async def write(
        self, before: Held, after: Subscription, now_ms: int, notice: Notice | None = None
    ) -> bool:
        """Put a subscription in the place of the one that was read; False if that has changed.

        If it is active its next digest is the first one due after now. notice: what is sent to the
        mailbox besides.
        """
        kept_ms = _KEPT_MS[after.status]
        due_ms = next_due(after, now_ms) if after.status is Status.ACTIVE else 0
        waiting = str(Waiting(after.id, notice, after.revision)) if notice else ""
        partition = digest_partition(after.id)
        keys = [*_keys(partition), digest_outbox_key(partition)]
        arguments: list[Any] = [
            *(after.id, before.packed, pack(after), now_ms + kept_ms if kept_ms else 0),
            *(due_ms, waiting, now_ms),
        ]
        [written] = await run_scripts(self._client, PUT, [(keys, arguments)])
        return bool(written)

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

    async def erase(self, id: str) -> None:
        """Delete all that is kept of a subscription; one that is not there, too."""
        await run_scripts(self._client, ERASE, [(_keys(digest_partition(id)), [id])])


def _keys(partition: int) -> list[str]:
    """The keys with which `_FORGET` begins."""
    return [
        *(digest_due_key(partition), digest_claims_key(partition)),
        *(digest_undecided_key(partition), digest_going_key(partition)),
        *(subscriptions_prefix(partition), digest_mail_prefix(partition)),
        *(digest_sent_prefix(partition), digest_notices_prefix(partition)),
    ]
