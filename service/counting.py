"""Counts readers' events for a model that learns nothing from them: an updater without a model.

Many may run at once, also beside updaters: the cursor of the log moves by comparison.
"""

import asyncio
import math
import time
from contextlib import suppress

import structlog

from service.errors import ServiceError
from service.feedback_log import FeedbackLog
from service.keys import PARTITIONS

ENTRIES = 1_000
"""Log entries of one partition that a step counts."""

POLL_SECONDS = 0.2
RETRY_SECONDS = 1.0
TRIM_SECONDS = 600.0

logger = structlog.get_logger(__name__)


class Counting:
    """Follows the logs of all partitions and counts.

    keep_seconds: how long the logs keep what was counted.
    `step` and `run` are those of `service.item_updates.Updater`.
    """

    def __init__(self, log: FeedbackLog, keep_seconds: float) -> None:
        self.log = log
        self._keep_seconds = keep_seconds
        self._trimmed = -math.inf

    async def run(self, stopping: asyncio.Event) -> None:
        """Step until told to stop."""
        logger.warning("this model knows nothing of readers: their events are counted alone")
        away = False
        while not stopping.is_set():
            try:
                pause = 0.0 if await self.step() else POLL_SECONDS
                if away:
                    logger.info("the state server is back: the updater goes on")
                away = False
            except ServiceError as error:
                if not away:
                    logger.warning("the updater waits for the state server", because=str(error))
                away = True
                pause = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)

    async def step(self) -> bool:
        """Count a little of everything; False when there was nothing to count."""
        counted = await asyncio.gather(
            *(self.log.catch_up(partition, ENTRIES) for partition in range(PARTITIONS))
        )
        if time.monotonic() - self._trimmed > TRIM_SECONDS:
            self._trimmed = time.monotonic()
            await self.log.trim(self._keep_seconds)
        return any(counted)

    async def close(self) -> None:
        """Nothing is held."""
