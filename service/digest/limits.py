"""How often anybody may ask for a digest: by the mailbox that is written to, and by the network
that asks. Counted by the state server, so for all processes together."""

from redis.asyncio import Redis

from service.errors import Reason, ServiceError
from service.feedback_state import state_errors
from service.keys import digest_notices_prefix, digest_partition, digest_requests_key
from service.times import DAY_SECONDS

MAX_NOTICES = 3
"""To one mailbox in a day: enough for one who mistypes, and too few to annoy somebody else.

A stranger who uses them up harms nobody: a request changes no subscription and replaces no other
request, the link of each of these mails begins one, and its page shows what and can change it.
"""

_HOUR_SECONDS = 3_600


class Limits:
    """Counts requests. Both methods raise ServiceError STATE_AWAY.

    requests_per_hour: from one network.
    """

    def __init__(self, client: Redis, requests_per_hour: int) -> None:
        self._client = client
        self._requests_per_hour = requests_per_hour

    async def admit_origin(self, origin: str) -> None:
        """Count a request from a network. Raises ServiceError TOO_MANY_REQUESTS.

        The hour begins with the first request; so at its turn twice as many may come in an hour.
        """
        count = await self._count(digest_requests_key(origin), _HOUR_SECONDS)
        if count > self._requests_per_hour:
            message = (
                f"Your network has asked for a digest {self._requests_per_hour} times within an "
                "hour: try again later."
            )
            raise ServiceError(Reason.TOO_MANY_REQUESTS, message)

    async def admit_mailbox(self, id: str) -> bool:
        """Count a notice to a mailbox: whether it may be sent. id: of its subscription."""
        key = digest_notices_prefix(digest_partition(id)) + id
        return await self._count(key, DAY_SECONDS) <= MAX_NOTICES

    async def _count(self, key: str, seconds: int) -> int:
        """How often this was asked of a key within so many seconds of the first time."""
        async with self._client.pipeline() as pipeline:
            pipeline.set(key, 0, ex=seconds, nx=True)
            pipeline.incr(key)
            with state_errors():
                _, count = await pipeline.execute()
        return int(count)
