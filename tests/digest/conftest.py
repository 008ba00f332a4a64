"""A service with digests over a real channel and real pages, and an empty state."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import redis.asyncio
from redis import Redis

from service.digest.links import Tokens
from service.embedded import Role
from service.secrets import SigningKeys
from service.settings import Settings
from tests.digest.client import Service
from tests.digest.pages import Pages
from tests.digest.sending import Digests, sending
from tests.serving import Running, Worker
from tests.support import PATIENCE_SECONDS


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model and an empty state; mails go to a Maildir."""
    return settings.model_copy(update={"state_url": state_url})


@pytest_asyncio.fixture
async def client(any_state_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    """An empty state, on the embedded server and on a Redis of the system."""
    async with redis.asyncio.Redis.from_url(
        any_state_url, socket_timeout=PATIENCE_SECONDS
    ) as client:
        yield client


@pytest_asyncio.fixture
async def digests(settings: Settings) -> AsyncIterator[Digests]:
    """The sender, with nobody subscribed."""
    async with sending(settings) as found:
        yield found


@pytest.fixture
def service(running: Running, settings: Settings) -> Service:
    """Over gRPC."""
    return Service(running, settings)


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    """What the service signs with."""
    keys = SigningKeys.open(settings.data_dir / "signing.keys")
    return Tokens.of(keys, settings.data_dir)


@pytest.fixture(scope="module")
def pages_worker(
    toy_model: Path, embedded_urls: dict[Role, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Worker, Path]]:
    """A service, for all tests of this file."""
    with Redis.from_url(embedded_urls[Role.STATE]) as client:
        client.flushall()
    data = tmp_path_factory.mktemp("digest-pages")
    settings = Settings(
        model=toy_model,
        port=0,
        web_port=0,
        data_dir=data,
        state_url=embedded_urls[Role.STATE],
        digest_requests_per_hour=100_000,
    )
    found = Worker(settings)
    yield found, data
    found.kill()


@pytest.fixture
def pages(pages_worker: tuple[Worker, Path], embedded_urls: dict[Role, str]) -> Pages:
    """Its pages, with nobody subscribed and no mail."""
    with Redis.from_url(embedded_urls[Role.STATE]) as client:
        for key in client.keys("rp:*digest*"):
            client.delete(key)
    found = Pages(*pages_worker, embedded_urls[Role.STATE])
    for mail in (found.data / "mail" / "new").glob("*"):
        mail.unlink()
    return found
