"""An updater process: `python -m service.updater`, as the supervisor starts it. It counts readers'
events, learns from them where the model knows readers, and publishes what trends.

Standard input: the settings as one line of JSON, then nothing until the supervisor is gone. Ends on
SIGTERM, SIGINT, or the end of its input; killing it loses nothing (see service/item_updates.py).
"""

import asyncio
import sys

from models.artifact import Artifact
from service.child import stopping, told
from service.counting import Counting
from service.counting_settings import leave
from service.event_types import event_types
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.item_updates import Updater
from service.logs import configure
from service.settings import Settings
from service.times import DAY_SECONDS
from service.tombstones import Tombstones
from service.trending.hours import Hours
from service.trending.publisher import TrendPublisher
from service.trending.records import Fields, Records
from service.trending.windows import configured_trending


def main() -> int:
    """Run an updater process and return its exit code."""
    configure()
    if settings := told():
        asyncio.run(_run(settings))
    return 0


async def _run(settings: Settings) -> None:
    artifact = Artifact.open(settings.model, verify=False)  # the worker has done so
    state = FeedbackState(settings.state_url or "", types=event_types(settings.event_types))
    trends = open_trends(state, settings)
    updater = open_updater(state, artifact, settings)
    with stopping() as stop:
        await asyncio.gather(
            updater.run(stop), trends.run(stop), leave(state.client, settings, stop)
        )
    await state.close()


def open_updater(
    state: FeedbackState, artifact: Artifact, settings: Settings
) -> Updater | Counting:
    """An updater as the settings say; for a model that knows nothing of readers one that counts
    alone. Raises SigningKeysError and SettingsError."""
    types = event_types(settings.event_types)
    feedback_log = open_log(state, settings)
    keep_seconds = settings.log_days * DAY_SECONDS
    if artifact.reader_model is None:
        return Counting(feedback_log, keep_seconds)
    tombstones = Tombstones.open(state.client, settings.data_dir)
    return Updater(state, feedback_log, tombstones, artifact, types, keep_seconds)


def open_log(state: FeedbackState, settings: Settings) -> FeedbackLog:
    """The log of who counts. Raises SigningKeysError and SettingsError."""
    return FeedbackLog(
        state.client,
        window_seconds=settings.event_window_days * DAY_SECONDS,
        types=event_types(settings.event_types),
        trends=_records(state, settings),
    )


def open_trends(state: FeedbackState, settings: Settings) -> TrendPublisher:
    """What publishes trends, as the settings say.

    Raises SigningKeysError and SettingsError.
    """
    configured = configured_trending(settings, event_types(settings.event_types))
    hours = Hours(state.client, open_log(state, settings), _records(state, settings))
    return TrendPublisher(state.client, hours, configured)


def _records(state: FeedbackState, settings: Settings) -> Records:
    configured = configured_trending(settings, event_types(settings.event_types))
    fields = Fields.of(Tombstones.open(state.client, settings.data_dir))
    return Records(fields, configured.families, configured.longest_ms)


if __name__ == "__main__":
    sys.exit(main())
