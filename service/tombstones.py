"""Tombstones: what remains of a deleted reader, so that no artifact brings that reader back.

A tombstone is a keyed BLAKE2b hash (RFC 7693) of the reader's id. The key lies in the data folder
and not on the state server, so that neither alone says who was deleted. It must never change: with
another key no tombstone is recognized any more. Replicas share it.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from service.feedback_state import state_errors
from service.keys import PARTITIONS, partition_of, tombstones_key
from service.secrets import lasting_key

KEY_FILE = "tombstones.key"
"""In the data folder."""

_BYTES = 16


class Tombstones:
    """The deleted readers. Methods that ask the state server raise ServiceError STATE_AWAY."""

    def __init__(self, client: Redis, key: bytes) -> None:
        self._client = client
        self.key = key

    @classmethod
    def open(cls, client: Redis, data_dir: Path) -> "Tombstones":
        """With the key of a data folder, made if absent. Raises SigningKeysError."""
        return cls(client, lasting_key(data_dir / KEY_FILE))

    def of(self, reader: str) -> str:
        """The tombstone of a reader, deleted or not: 32 hexadecimal digits."""
        return blake2b(reader.encode(), digest_size=_BYTES, key=self.key).hexdigest()

    async def is_deleted(self, reader: str) -> bool:
        """Whether the reader was deleted, at whatever time."""
        return await self.deleted_ms(reader) > 0

    async def deleted_ms(self, reader: str) -> int:
        """When the reader was deleted last, Unix ms; 0 if never."""
        key, tombstone = tombstones_key(partition_of(reader)), self.of(reader)
        with state_errors():
            found: Any = await self._client.hget(key, tombstone)
        return int(found or 0)

    async def all(self) -> dict[str, int]:
        """Every tombstone, and when it was set (Unix ms)."""
        async with self._client.pipeline(transaction=False) as pipeline:
            for partition in range(PARTITIONS):
                pipeline.hgetall(tombstones_key(partition))
            with state_errors():
                found = await pipeline.execute()
        return {name.decode(): int(when) for each in found for name, when in each.items()}
