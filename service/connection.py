"""How the service connects to Redis: short timeouts, no retries behind the caller's back."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

MAX_CONNECTIONS = 64
"""Of one process to one server; who needs another waits for one of them."""


def connect(url: str, *, timeout_seconds: float) -> Redis:
    """A lazily connecting client; nothing is sent before the first command.

    timeout_seconds: the longest that connecting, one command, or waiting for a free connection may
        each take.
    Raises ValueError when the URL is not one of redis://, rediss:// or unix://.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,  # with 3 the client tries commands that Redis 7.0 does not know
        driver_info=None,  # likewise: CLIENT SETINFO came with 7.2
    )
    return Redis.from_pool(pool)
