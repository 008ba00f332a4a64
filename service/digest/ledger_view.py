"""What the ledger of mails says to people: how many stand how, and which are undecided."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgpack
from redis.asyncio import Redis

from service.digest.ledger import Named
from service.feedback_state import state_errors
from service.keys import (
    PARTITIONS,
    digest_claims_key,
    digest_counts_key,
    digest_due_key,
    digest_outbox_key,
    digest_tallies_key,
    digest_undecided_key,
)


class LedgerView:
    """Reads the ledger. Every method raises ServiceError STATE_AWAY."""

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def undecided(self) -> list[Named]:
        """Every mail of which nobody can say whether it arrived, the oldest first."""
        found = []
        for each in await self._hashes(digest_undecided_key):
            for id, packed in each.items():
                for occurrence_ms, _, message_id, given_up_ms, _ in msgpack.unpackb(
                    packed, raw=True
                ):
                    named = Named(id.decode(), occurrence_ms, message_id.decode(), given_up_ms)
                    found.append(named)
        return sorted(found, key=lambda each: (each.given_up_ms, each.id))

    async def forget_undecided(self) -> None:
        """Forget their names; how many there were stays counted."""
        await self._each(lambda pipe, partition: pipe.delete(digest_undecided_key(partition)))

    async def counts(self) -> Mapping[str, int]:
        """How many mails ended how, since the state began; `undecided` those never decided."""
        return _summed(await self._hashes(digest_counts_key))

    async def tallies(self) -> Mapping[str, int]:
        """What else happened how often, since the state began; see `Tally`."""
        return _summed(await self._hashes(digest_tallies_key))

    async def open(self) -> int:
        """How many mails are being made, or wait for another attempt."""
        found = await self._each(lambda pipe, partition: pipe.zcard(digest_claims_key(partition)))
        return sum(found)

    async def unsettled(self) -> int:
        """How many subscriptions have undecided mails whose names nobody has forgotten."""
        keys = digest_undecided_key
        return sum(await self._each(lambda pipe, partition: pipe.hlen(keys(partition))))

    async def active(self) -> int:
        """How many subscriptions get digests."""
        return sum(await self._each(lambda pipe, partition: pipe.zcard(digest_due_key(partition))))

    async def oldest_due_ms(self) -> int | None:
        """When the subscription that is due first was, or will be, Unix ms; None without any."""
        found = await self._each(
            lambda pipe, partition: pipe.zrange(digest_due_key(partition), 0, 0, withscores=True)
        )
        return min((int(due_ms) for first in found for _, due_ms in first), default=None)

    async def waiting(self) -> int:
        """How many notices are to be sent."""
        keys = digest_outbox_key
        return sum(await self._each(lambda pipe, partition: pipe.zcard(keys(partition))))

    async def overdue(self, at_ms: int) -> int:
        """How many subscriptions are due at an instant."""
        found = await self._each(
            lambda pipe, partition: pipe.zcount(digest_due_key(partition), "-inf", at_ms)
        )
        return sum(found)

    async def _hashes(self, key: Callable[[int], str]) -> list[dict[bytes, bytes]]:
        return await self._each(lambda pipe, partition: pipe.hgetall(key(partition)))

    async def _each(self, ask: Callable[[Any, int], object]) -> list[Any]:
        """The answers of all partitions to one command each."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                ask(pipeline, partition)
            with state_errors():
                return list(await pipeline.execute())


def _summed(hashes: Iterable[Mapping[bytes, bytes]]) -> Mapping[str, int]:
    sums: dict[str, int] = {}
    for each in hashes:
        for name, count in each.items():
            sums[name.decode()] = sums.get(name.decode(), 0) + int(count)
    return sums
