"""Counts readers' events for a model that learns nothing from them: an updater without a model.

Many may run at once, also beside updaters: the cursor of the log moves by comparison.
"""

import asyncio
import math
import time

import structlog

from service.feedback_log import FeedbackLog
from service.keys import PARTITIONS
from service.stepping import keep_stepping

ENTRIES = 1_000
"""Log entries of one partition that a step counts."""

POLL_SECONDS = 0.2
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
        await keep_stepping("the updater", self.step, stopping, POLL_SECONDS)

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
