"""How the service connects to Redis: short timeouts, no retries behind the caller's back."""

from collections.abc import Callable

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

MAX_CONNECTIONS = 64
"""Of one process to one server; who needs another waits for one of them."""


def connect(
    url: str, *, timeout_seconds: float, on_connect: Callable[[], None] = lambda: None
) -> Redis:
    """A lazily connecting client; nothing is sent before the first command.

    timeout_seconds: the longest that connecting, one command, or waiting for a free connection may
        each take.
    on_connect: called for each connection that is made, before a command goes over it. The client
        makes a new one for an idle one that has ended, and no command fails of that.
    Raises ValueError when the URL is not one of redis://, rediss:// or unix://.
    """

    async def connected(connection: Connection) -> None:
        on_connect()
        await connection.on_connect()

    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=MAX_CONNECTIONS,
        timeout=timeout_seconds,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        retry=Retry(NoBackoff(), 0),
        redis_connect_func=connected,
        protocol=2,  # with 3 the client tries commands that Redis 7.0 does not know
        driver_info=None,  # likewise: CLIENT SETINFO came with 7.2
    )
    return Redis.from_pool(pool)
