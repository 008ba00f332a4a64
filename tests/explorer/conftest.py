"""The explorer over a hostile corpus, asked without a browser."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis import Redis

from service.embedded import Role
from service.settings import Settings
from service.urls import paper_url
from tests.explorer import hostile
from tests.explorer.reading import Service
from tests.explorer.site import Site
from tests.serving import Worker


@pytest.fixture(scope="session")
def hostile_model(shared: Path) -> Path:
    """A model of the hostile corpus."""
    return hostile.model(shared)


@pytest.fixture(scope="session")
def site(hostile_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over it."""
    data = tmp_path_factory.mktemp("hostile-data")
    worker = Worker(Settings(model=hostile_model, port=0, web_port=0, data_dir=data))
    try:
        yield Site(worker.web_port)
    finally:
        worker.kill()


@pytest.fixture(scope="module")
def service(
    toy_reader_model: Path, embedded_urls: dict[Role, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """A service with readers and no events."""
    state = embedded_urls[Role.STATE]
    with Redis.from_url(state) as client:
        client.flushall()
    data = tmp_path_factory.mktemp("reader-data")
    worker = Worker(
        Settings(model=toy_reader_model, port=0, web_port=0, data_dir=data, state_url=state)
    )
    found = Service(worker)
    yield found
    found.client.close()
    worker.kill()


@pytest.fixture
def reader() -> str:
    """A reader of the test's own."""
    return f"reader/{uuid4()}"


@pytest.fixture
def path(reader: str) -> str:
    """Where that reader's page is."""
    return paper_url(reader, "readers")
