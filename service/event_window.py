"""The longest window in which events were ever taken into a state: how long it remembers their ids.

Several `serve`s may share a state, and each takes events as old as its own settings say. Whoever
trims the log must spare the ids that another still needs, or an event would count twice.
"""

from redis.asyncio import Redis

from service.feedback_state import state_errors
from service.keys import WINDOW_KEY

_LONGEST = "longest"


async def leave(client: Redis, window_seconds: float) -> None:
    """Have ids remembered as long as this, from now on. Raises ServiceError STATE_AWAY."""
    with state_errors():
        await client.zadd(WINDOW_KEY, {_LONGEST: window_seconds}, gt=True)


async def longest(client: Redis) -> float:
    """The longest window that was left, in seconds; 0 if none was. Raises ServiceError
    STATE_AWAY."""
    with state_errors():
        found = await client.zscore(WINDOW_KEY, _LONGEST)
    return float(found or 0)
