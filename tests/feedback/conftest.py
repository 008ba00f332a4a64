"""The assembled service with readers' state, over a real channel."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.feedback_state import FeedbackState
from service.settings import Settings
from tests.support import PATIENCE_SECONDS


@pytest_asyncio.fixture
async def state(any_state_url: str) -> AsyncIterator[FeedbackState]:
    """The empty state, on the embedded server and on a Redis of the system."""
    found = FeedbackState(any_state_url, timeout_seconds=PATIENCE_SECONDS)
    yield found
    await found.close()


@pytest.fixture
def long_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who publishes in the test may take its time between two signs of life."""
    monkeypatch.setattr("service.deltas.LEASE_MS", 600_000)


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model and an empty state."""
    return settings.model_copy(update={"state_url": state_url})
