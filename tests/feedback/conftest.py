"""The assembled service with readers' state, over a real channel."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.feedback_state import FeedbackState
from service.settings import Settings


@pytest_asyncio.fixture
async def state(any_state_url: str) -> AsyncIterator[FeedbackState]:
    """The empty state, on the embedded server and on a Redis of the system."""
    found = FeedbackState(any_state_url)
    yield found
    await found.close()


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model and an empty state."""
    return settings.model_copy(update={"state_url": state_url})
