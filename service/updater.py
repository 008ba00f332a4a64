"""An updater process: `python -m service.updater`, as the supervisor starts it.

Standard input: the settings as one line of JSON, then nothing until the supervisor is gone. Ends on
SIGTERM, SIGINT, or the end of its input; killing it loses nothing (see service/item_updates.py).
"""

import asyncio
import json
import signal
import sys

import structlog

from models.artifact import Artifact
from service.event_types import event_types
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.item_updates import Updater
from service.logs import configure
from service.settings import Settings
from service.tombstones import Tombstones

DAY_SECONDS = 86_400

log = structlog.get_logger(__name__)


def main() -> int:
    """Run an updater process and return its exit code."""
    configure()
    line = sys.stdin.readline()
    if not line:  # the supervisor ended before it began
        return 0
    asyncio.run(_run(Settings(**json.loads(line))))
    return 0


async def _run(settings: Settings) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    loop.add_reader(sys.stdin.fileno(), stopping.set)
    artifact = Artifact.open(settings.model, verify=False)  # the worker has done so
    if artifact.reader_model is None:
        log.warning("this model knows nothing of readers: it does not learn from their events")
        return
    state = FeedbackState(settings.state_url or "", types=event_types(settings.event_types))
    await open_updater(state, artifact, settings).run(stopping)
    loop.remove_reader(sys.stdin.fileno())
    await state.close()


def open_updater(state: FeedbackState, artifact: Artifact, settings: Settings) -> Updater:
    """An updater as the settings say. Raises SigningKeysError."""
    types = event_types(settings.event_types)
    window_seconds = settings.event_window_days * DAY_SECONDS
    return Updater(
        state,
        FeedbackLog(state.client, window_seconds=window_seconds, types=types),
        Tombstones.open(state.client, settings.data_dir),
        artifact,
        types,
        settings.log_days * DAY_SECONDS,
    )


if __name__ == "__main__":
    sys.exit(main())
