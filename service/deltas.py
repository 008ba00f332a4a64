"""Item deltas on the state server: what readers' live events change of a model's items.

A delta is a pure function of the artifact and of every live library (models/live.py), so it can be
computed again at any time, and publishing it twice changes nothing. Of one model, under one tag:

    items      hash: row (decimal) -> packed Delta; a row that no live reader touches is absent
    log        stream: one entry a publication, `rows`: int32 of the rows that changed. A replica
               notes the last entry, loads the hash once, then follows the log from that entry
    status     hash: `version`: number of publications; `at:<partition>`: the log entry up to which
               every event is in `items`
    publisher  string: the lease of the one updater that may publish

A stale updater never overwrites a newer delta. Only the holder of the lease can publish, since the
script that writes compares the lease in the same step; an updater that was paused past its lease is
refused, whatever it computed. Whoever takes the lease and finds that `version` is not the one that
it left itself reads the whole state anew, so it knows at least what its predecessor knew, and then
computes every row again. Between two publications of one holder, a row that an event touches is
computed again after the event was read.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Self, cast

import msgpack
import numpy as np
from numpy.typing import NDArray
from redis.asyncio import Redis

from service.feedback_state import state_errors
from service.keys import delta_keys
from service.times import DAY_MS

LEASE_MS = 3_000
"""How long after its last sign of life a publisher is taken for dead."""

KEEP_MS = 7 * DAY_MS
LOG_ENTRIES = 10_000
"""About how many publications the log keeps; a replica further behind loads the hash again."""

# KEYS: items, log, status, publisher. ARGV: token, lease in ms, keep in ms. Returns whether it
# holds, and the version. Asked many times a second, it seldom writes: each write is synced.
_HOLD = """
local holder = redis.call('GET', KEYS[4])
local ours = not holder or holder == ARGV[1]
if ours and redis.call('PTTL', KEYS[4]) < ARGV[2] / 2 then
  redis.call('SET', KEYS[4], ARGV[1], 'PX', ARGV[2])
end
for key = 1, 3 do
  local left = redis.call('PTTL', KEYS[key])
  if ours and left >= 0 and left < ARGV[3] / 2 then redis.call('PEXPIRE', KEYS[key], ARGV[3]) end
end
return {ours and 1 or 0, tonumber(redis.call('HGET', KEYS[3], 'version') or 0)}
"""

# KEYS: items, log, status, publisher. ARGV: token, rows (int32), keep in ms, length of the log,
# number of status fields, these with their values, then a row and its delta ('' removes it) by
# turns. Returns the version, or -1 when it does not hold the lease.
_PUBLISH = """
if redis.call('GET', KEYS[4]) ~= ARGV[1] then return -1 end
local first = 6 + 2 * ARGV[5]
for at = first, #ARGV, 2 do
  if ARGV[at + 1] == '' then redis.call('HDEL', KEYS[1], ARGV[at])
  else redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1]) end
end
if first <= #ARGV then
  redis.call('HINCRBY', KEYS[3], 'version', 1)
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'rows', ARGV[2])
end
if first > 6 then redis.call('HSET', KEYS[3], unpack(ARGV, 6, first - 1)) end
for key = 1, 3 do redis.call('PEXPIRE', KEYS[key], ARGV[3]) end
return tonumber(redis.call('HGET', KEYS[3], 'version') or 0)
"""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"


class Delta(NamedTuple):
    """What live events make of one item.

    `version`: of the publication, which grows. `item_factors`: float32, factors; `smoothed_text`:
    float32, dimensions. `readers`: who has it, weighted. `co_read`: int32, rows of the papers that
    its readers also have; `similarities`: float32, theirs.
    """

    version: int
    item_factors: NDArray[np.float32]
    smoothed_text: NDArray[np.float32]
    readers: float
    co_read: NDArray[np.int32]
    similarities: NDArray[np.float32]

    def pack(self) -> bytes:
        """As `items` holds it: msgpack, arrays as little-endian bytes."""
        packed: bytes = msgpack.packb(
            [
                self.version,
                self.item_factors.astype("<f4").tobytes(),
                self.smoothed_text.astype("<f4").tobytes(),
                self.readers,
                self.co_read.astype("<i4").tobytes(),
                self.similarities.astype("<f4").tobytes(),
            ]
        )
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `pack` packed."""
        version, factors, smoothed, readers, co_read, similarities = msgpack.unpackb(packed)
        return cls(
            version,
            np.frombuffer(factors, "<f4"),
            np.frombuffer(smoothed, "<f4"),
            readers,
            np.frombuffer(co_read, "<i4"),
            np.frombuffer(similarities, "<f4"),
        )

    def same(self, other: "Delta") -> bool:
        """Whether both say the same of the item, whenever they were published."""
        return self._replace(version=0).pack() == other._replace(version=0).pack()


class LeaseLost(RuntimeError):  # noqa: N818 - no fault: another updater is at work
    """Another updater publishes now."""


class DeltaPublisher:
    """Writes the deltas of one model while it holds the lease.

    Every method raises ServiceError STATE_AWAY when the state server does not answer or refuses.
    """

    def __init__(self, client: Redis, model_version: str) -> None:
        self._client = client
        self._keys = delta_keys(model_version)
        self._token = secrets.token_hex(16)
        self._hold = client.register_script(_HOLD)
        self._publish = client.register_script(_PUBLISH)
        self._release = client.register_script(_RELEASE)
        self.version = 0
        """Of the latest publication, as of the last call."""

    async def hold(self) -> bool:
        """Take the lease, or prolong it; whether it is ours. Sets `version`."""
        with state_errors():
            ours, self.version = await self._hold(
                keys=list(self._keys), args=[self._token, LEASE_MS, KEEP_MS]
            )
        return bool(ours)

    async def release(self) -> None:
        """Let another publish at once."""
        with state_errors():
            await self._release(keys=[self._keys.publisher], args=[self._token])

    async def rows(self) -> set[int]:
        """The rows that have a delta."""
        with state_errors():
            return {int(row) for row in await self._client.hkeys(self._keys.items)}

    async def publish(
        self, deltas: Mapping[int, Delta | None], reached: Mapping[int, str] | None = None
    ) -> int:
        """Write the deltas of rows that differ from what stands there (None: the artifact holds).

        Their `version` is set here. reached: for each partition the log entry up to which no event
        waits any more. Returns how many rows changed. Raises LeaseLost.
        """
        changed = await self._changed(deltas)
        status = [part for each, at in (reached or {}).items() for part in (f"at:{each}", at)]
        arguments = [
            self._token,
            np.fromiter(changed, "<i4").tobytes(),
            KEEP_MS,
            LOG_ENTRIES,
            len(status) // 2,
            *status,
            *(part for row, packed in changed.items() for part in (row, packed)),
        ]
        with state_errors():
            version = await self._publish(keys=list(self._keys), args=arguments)
        if version < 0:
            raise LeaseLost
        self.version = version
        return len(changed)

    async def _changed(self, deltas: Mapping[int, Delta | None]) -> dict[int, bytes]:
        if not deltas:
            return {}
        rows = list(deltas)
        with state_errors():
            stored = await self._client.hmget(self._keys.items, [str(row) for row in rows])
        changed = {}
        for row, packed in zip(rows, stored, strict=True):
            delta = deltas[row]
            if delta is None:
                if packed is not None:
                    changed[row] = b""
            elif packed is None or not delta.same(Delta.unpack(cast(bytes, packed))):
                changed[row] = delta._replace(version=self.version + 1).pack()
        return changed


async def reached(client: Redis, model_version: str) -> dict[int, str]:
    """For each partition the log entry up to which every event is in the deltas of a model.

    Raises ServiceError STATE_AWAY.
    """
    with state_errors():
        status = await client.hgetall(delta_keys(model_version).status)
    fields = cast("dict[bytes, bytes]", status)
    return {int(name[3:]): at.decode() for name, at in fields.items() if name.startswith(b"at:")}


def changed_rows(entries: Iterable[tuple[bytes, Mapping[bytes, bytes]]]) -> NDArray[np.int32]:
    """The rows that entries of the log name, sorted, each once."""
    rows = [np.frombuffer(fields[b"rows"], "<i4") for _, fields in entries]
    return np.unique(np.concatenate([*rows, np.zeros(0, np.int32)]).astype(np.int32))
