"""Makes the trending hours anew from the log, and publishes what they make."""

from typing import NamedTuple

from service.counting_settings import with_left
from service.feedback_state import FeedbackState
from service.settings import Settings
from service.updater import open_trends


class Rebuilt(NamedTuple):
    """records: of what a reader did with a paper in an hour. published: whether the rankings were
    published here; otherwise the updater that is at work does so."""

    records: int
    published: bool


async def rebuild(state: FeedbackState, settings: Settings) -> Rebuilt:
    """Return when the hours hold all of the log that was counted.

    Beside updaters each event still counts once; the rankings stay as they were meanwhile. If this
    is killed the next updater finishes it.
    Counts by the settings that `serve` left. Raises SettingsError (also where others are
    given), SigningKeysError and ServiceError.
    """
    settings = await with_left(state.client, settings)
    trends = open_trends(state, settings)
    try:
        await trends.hours.reset()
        await trends.caught_up()
        published = await trends.step()
        return Rebuilt(await trends.hours.records(), published)
    finally:
        await trends.close()
