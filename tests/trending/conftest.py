"""The state server, and what makes trends of it."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS, RANKINGS_KEY
from service.settings import Settings
from service.tombstones import Tombstones
from service.trending.hours import Hours
from service.trending.publisher import TrendPublisher
from service.trending.ranking import Ranking
from service.trending.records import Fields, Records
from tests.support import PATIENCE_SECONDS
from tests.trending.support import CONFIGURED


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model and an empty state."""
    return settings.model_copy(update={"state_url": state_url})


@dataclass
class Server:
    """A state server with events, and what counts and publishes them at `now_ms`."""

    state: FeedbackState
    data: Path
    now_ms: int = 0

    def __post_init__(self) -> None:
        self.tombstones = Tombstones.open(self.state.client, self.data)
        self.records = Records(
            Fields.of(self.tombstones), CONFIGURED.families, CONFIGURED.longest_ms
        )
        self.log = FeedbackLog(self.state.client, trends=self.records)
        self.hours = Hours(self.state.client, self.log, self.records)

    def publisher(self) -> TrendPublisher:
        return TrendPublisher(self.state.client, self.hours, CONFIGURED, lambda: self.now_ms)

    async def count(self, size: int = 1_000) -> None:
        """Count all that has arrived."""
        for partition in range(PARTITIONS):
            while await self.log.catch_up(partition, size):
                pass

    async def write(self, events: list[StoredEvent], size: int = 1_000) -> None:
        """Accept events, and count them."""
        for begin in range(0, len(events), size):
            await self.state.append(events[begin : begin + size])
        await self.count(size)

    async def ranking(self, window: str = "month") -> Ranking:
        """The ranking that was published."""
        packed = await self.state.client.hget(RANKINGS_KEY, window)
        assert isinstance(packed, bytes), "nothing was published"
        return Ranking.unpack(packed)

    async def published(self, window: str = "month") -> Ranking:
        """The ranking that a new publisher makes."""
        publisher = self.publisher()
        assert await publisher.step()
        await publisher.close()
        return await self.ranking(window)


@pytest_asyncio.fixture
async def server(any_state_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """Empty, the embedded one and a Redis of the system; its time is the present."""
    state = FeedbackState(any_state_url, timeout_seconds=PATIENCE_SECONDS)
    yield Server(state, tmp_path / "data", int(time.time() * 1000))
    await state.close()
