"""A canonical digest of the readers' state: equal for equal libraries, event ids and counters.

Whatever order the events came in, however often, and whoever died on the way: two states that
accepted the same events have the same digest, once everything is counted (lag 0). Take it while
nobody writes.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple

from models.event_types import EVENT_TYPES, EventType
from models.interactions import library
from service.events import CONTENT_BYTES
from service.feedback_state import FeedbackState, state_errors
from service.keys import PARTITIONS, counts_key, events_key

_DIGEST_BYTES = 16
_SCANNED_AT_ONCE = 1_000


class StateDigest(NamedTuple):
    """32 hexadecimal digits each.

    libraries: the readers with a library, with the weights of their papers.
    ids: the event ids that are remembered, with the digests of their contents.
    counters: by paper and type.
    """

    libraries: str
    ids: str
    counters: str


async def state_digest(
    state: FeedbackState, types: Mapping[str, EventType] = EVENT_TYPES
) -> StateDigest:
    """The digest of what the state server holds now. Raises ServiceError STATE_AWAY."""
    libraries = {}
    async for reader in state.readers():
        weights = library((await state.history(reader)).events, types)
        if weights:
            libraries[reader] = _hash([json.dumps([reader, sorted(weights.items())]).encode()])
    ids, counters = [], []
    with state_errors():
        for partition in range(PARTITIONS):
            known: dict[bytes, bytes] = {}  # a scan may name a field twice
            async for identity, event in state.client.hscan_iter(
                events_key(partition), count=_SCANNED_AT_ONCE
            ):
                known[identity] = event[:CONTENT_BYTES]
            ids.append(_hash(identity + known[identity] for identity in sorted(known)))
            counts: Any = await state.client.hgetall(counts_key(partition))
            counters.append(_hash(b"%b\n%b\n" % pair for pair in sorted(counts.items())))
    return StateDigest(
        _hash(libraries[reader] for reader in sorted(libraries)).hex(),
        _hash(ids).hex(),
        _hash(counters).hex(),
    )


def _hash(parts: Iterable[bytes]) -> bytes:
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.digest()
