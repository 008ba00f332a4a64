"""The assembled service with readers' state, over a real channel."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis import Redis

from service.embedded import Role
from service.feedback_state import FeedbackState
from service.settings import Settings
from tests.servers import SystemRedis
from tests.service.conftest import Running, Starting
from tests.support import require_tool


@pytest.fixture
def state_url(embedded_urls: dict[Role, str]) -> str:
    """An empty state server."""
    url = embedded_urls[Role.STATE]
    with Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture(scope="session")
def durable_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a `redis-server` of the system that keeps state, for the whole test session."""
    options = ["--appendonly", "yes", "--appendfsync", "always"]
    folder = tmp_path_factory.mktemp("durable-redis")
    with SystemRedis(require_tool("redis-server"), folder, *options) as server:
        yield server.url


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
def settings(toy_model: Path, state_url: str, tmp_path: Path) -> Settings:
    """The toy model and an empty state, on a free port."""
    return Settings(model=toy_model, port=0, data_dir=tmp_path / "data", state_url=state_url)


@pytest_asyncio.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The service over the toy model and an empty state."""
    async with Starting(settings) as service:
        yield service


@pytest.fixture
def state_server(tmp_path: Path) -> Iterator[SystemRedis]:
    """A state server of its own, which keeps what it is given when it stops and starts."""
    options = ["--appendonly", "yes", "--appendfsync", "always"]
    with SystemRedis(require_tool("redis-server"), tmp_path, *options) as server:
        yield server
