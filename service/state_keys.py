"""The keys of a data folder that belong to a state, and whether they are the ones it was made with.

Readers that were deleted and mailboxes with a digest stand in the state under keyed hashes. With
another key none of them would be recognized: readers come back, and every mailbox gets a second
digest. So the state holds a print of each key, which does not give the key away.
"""

from hashlib import blake2b
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from service import tombstones
from service.digest import subscriptions
from service.feedback_state import state_errors
from service.keys import STATE_KEYS_KEY
from service.secrets import SigningKeysError, lasting_key

FILES = (tombstones.KEY_FILE, subscriptions.KEY_FILE)
"""In the data folder, which replicas share."""


async def match(client: Redis, data_dir: Path) -> None:
    """Compare the keys that the folder has; those that the state has no print of yet are its own
    from now on.

    Raises SigningKeysError where one is another, and ServiceError STATE_AWAY.
    """
    for name in FILES:
        file = data_dir / name
        if not file.exists():
            continue
        mark = blake2b(b"", digest_size=8, key=lasting_key(file)).hexdigest()
        with state_errors():
            await client.hsetnx(STATE_KEYS_KEY, name, mark)
            known: Any = await client.hget(STATE_KEYS_KEY, name)
        if known is not None and known.decode() != mark:
            raise SigningKeysError(
                f"{file} is not the key that this state was made with: give the data folder of the "
                "service that made it by --data-dir, or restore the file. If it is lost for good, "
                f"delete the field {name} of {STATE_KEYS_KEY} on the state server, and what was "
                "made with it is known no more."
            )
