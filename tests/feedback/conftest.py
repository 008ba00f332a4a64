"""The assembled service with readers' state, over a real channel."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from service.feedback_state import FeedbackState
from service.settings import Settings


@pytest_asyncio.fixture(params=["embedded", "system"])
async def state(request: pytest.FixtureRequest) -> AsyncIterator[FeedbackState]:
    """The empty state, on the embedded server and on a Redis of the system."""
    embedded = request.param == "embedded"
    url = request.getfixturevalue("state_url" if embedded else "durable_redis")
    found = FeedbackState(url)
    await found.client.flushall()
    yield found
    await found.close()


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model and an empty state."""
    return settings.model_copy(update={"state_url": state_url})
