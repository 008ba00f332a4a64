"""The notices that wait to be sent: mails that are no digest.

A notice is sent at least once: whoever takes one has it for some minutes, and when it was not
recorded by then as sent, another sender takes it, and sends it with the same Message-ID. A second
copy of one is a small thing beside a reader who can't subscribe.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import structlog
from redis.asyncio import Redis

from service.feedback_scripts import Script
from service.feedback_state import run_scripts, state_errors
from service.keys import PARTITIONS, digest_outbox_key, digest_partition

LEASE_MS = 300_000
_AT_ONCE = 20

log = structlog.get_logger(__name__)

TAKE = Script("""
-- KEYS: outbox. ARGV: now; until when they are taken, both Unix ms; how many at most.
-- Returns notices that may be sent, which nobody else takes until then.
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, notice in ipairs(found) do redis.call('ZADD', KEYS[1], ARGV[2], notice) end
return found
""")


class Notice(StrEnum):
    """What a notice says."""

    CONFIRM = "confirm"
    """The link that confirms a request."""
    ALREADY = "already"
    """There is a subscription already."""


class Waiting(NamedTuple):
    """A notice in the outbox.

    id: of the subscription.
    number: of one to confirm the revision of the request; of another when it was asked for. Both
        are Unix ms.
    """

    id: str
    notice: Notice
    number: int

    def __str__(self) -> str:
        """As it is kept."""
        return f"{self.id} {self.notice} {self.number}"

    @classmethod
    def parse(cls, kept: bytes) -> "Waiting":
        """What `str` made. Raises ValueError."""
        id, notice, number = kept.decode().split(" ")
        return cls(id, Notice(notice), int(number))


class Outbox:
    """Takes notices out. Every method raises ServiceError STATE_AWAY; times are Unix ms."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def waits(self, now_ms: int) -> bool:
        """Whether there is a notice that may be sent now."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.zcount(digest_outbox_key(partition), "-inf", now_ms)
            with state_errors():
                return any(await pipeline.execute())

    async def take(self, partition: int, now_ms: int) -> Sequence[Waiting]:
        """Some of the notices that may be sent now."""
        arguments = [now_ms, now_ms + LEASE_MS, _AT_ONCE]
        [found] = await run_scripts(
            self._client, TAKE, [([digest_outbox_key(partition)], arguments)]
        )
        waiting = []
        for each in found:
            try:
                waiting.append(Waiting.parse(each))
            except ValueError:  # a newer release wrote it: it keeps no other back
                log.exception("a notice can't be read", notice=each.decode(errors="replace"))
        return waiting

    async def done(self, waiting: Waiting) -> None:
        """It was sent, or nobody wants it any more."""
        with state_errors():
            await self._client.zrem(_key(waiting), str(waiting))

    async def later(self, waiting: Waiting, at_ms: int) -> None:
        """Send it not before that time."""
        with state_errors():
            await self._client.zadd(_key(waiting), {str(waiting): at_ms}, xx=True)


def _key(waiting: Waiting) -> str:
    return digest_outbox_key(digest_partition(waiting.id))
