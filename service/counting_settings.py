"""The settings by which a state's events are counted: the updater of `serve` leaves them with the
state, and commands that count take them from there. So no command drops a type of event, or a part
of the log, because it was not told of it."""

import asyncio
import json
from contextlib import suppress

from redis.asyncio import Redis

from service.errors import ServiceError
from service.feedback_state import state_errors
from service.keys import COUNTING_KEY
from service.settings import PREFIX, Settings, SettingsError

NAMES = ("event_types", "event_window_days", "log_days", "trending_types", "trending_windows")
"""The settings that an updater counts, keeps and ranks by."""

_RETRY_SECONDS = 1.0


async def leave(client: Redis, settings: Settings, stopping: asyncio.Event) -> None:
    """Leave the settings, as soon as the state server is there."""
    packed = json.dumps({name: getattr(settings, name) for name in NAMES})
    while not stopping.is_set():
        with suppress(ServiceError), state_errors():  # the updater beside says so in the log
            await client.set(COUNTING_KEY, packed)
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _RETRY_SECONDS)


async def with_left(client: Redis, settings: Settings) -> Settings:
    """The settings of a command with those that were left; unchanged where none were.

    Raises SettingsError where the command was given one that is another, and ServiceError.
    """
    with state_errors():
        packed = await client.get(COUNTING_KEY)
    if packed is None:
        return settings
    left = json.loads(packed)
    for name in settings.model_fields_set & left.keys():
        if _meaning(given := getattr(settings, name)) != _meaning(left[name]):
            raise SettingsError(
                f"{PREFIX}{name.upper()} is {given!r} here, and {left[name]!r} for the `serve` "
                "that counts. Restart `serve` with the new one first, or give none here."
            )
    return settings.model_copy(update=left)


def _meaning(value: object) -> object:
    """What JSON in a setting says, however it is spaced."""
    with suppress(ValueError):
        return json.loads(value) if isinstance(value, str) else value
    return value
