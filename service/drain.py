"""Learns from all that has arrived: until the counters, the item deltas and the trends hold every
event."""

import asyncio
from collections.abc import Callable

from models.artifact import Artifact
from service.counting_settings import with_left
from service.deltas import reached
from service.feedback_log import START
from service.feedback_state import FeedbackState
from service.item_updates import POLL_SECONDS
from service.settings import Settings
from service.updater import open_trends, open_updater


async def drain(state: FeedbackState, settings: Settings, tell: Callable[[int], None]) -> None:
    """Return when nothing is left to learn, and no event has arrived meanwhile.

    Steps as an updater whenever no other publishes, so it ends with or without one at work.
    tell: called with the number of events that are not learned from yet, when it changes; the last
    time with 0.
    Counts by the settings that `serve` left. Raises ArtifactError, SettingsError (also
    where others are given), SigningKeysError and ServiceError.
    """
    settings = await with_left(state.client, settings)
    artifact = Artifact.open(settings.model)
    learns = artifact.reader_model is not None
    updater, trends = open_updater(state, artifact, settings), open_trends(state, settings)
    told = -1
    try:
        while True:
            lag = await updater.log.lag()
            ends, at = await updater.log.ends(), await reached(state.client, artifact.version)
            done = all(_place(at.get(each, START)) >= _place(end) for each, end in ends.items())
            done = (done or not learns) and not await trends.behind()
            if lag not in {told, 0} or (done and lag == 0):
                tell(told := lag)
            if done and lag == 0:
                await trends.step()
                return
            if not await updater.step() and not (lag == 0 and await trends.step()):
                await asyncio.sleep(POLL_SECONDS)
    finally:
        await updater.close()
        await trends.close()


def _place(entry: str) -> tuple[int, int]:
    milliseconds, _, number = entry.partition("-")
    return int(milliseconds), int(number)
