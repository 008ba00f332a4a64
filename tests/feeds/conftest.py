"""Feeds of a service over the sample, and of one over a hostile corpus."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from tests.explorer import hostile
from tests.feeds.asking import Feeds
from tests.serving import Worker

PUBLIC = "https://papers.example"
ELSEWHERE = "https://reader.example"


@pytest.fixture(scope="session")
def sample(sample_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    """The sample, without a state server, behind a public URL."""
    data = tmp_path_factory.mktemp("feeds-data")
    yield from _served(
        Settings(
            model=sample_model,
            port=0,
            web_port=0,
            data_dir=data,
            public_url=PUBLIC,
            cors_origins=ELSEWHERE,
        )
    )


@pytest.fixture(scope="session")
def hostile_feeds(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    """The hostile corpus, without a public URL."""
    data = tmp_path_factory.mktemp("hostile-feeds-data")
    yield from _served(Settings(model=hostile.model(shared), port=0, web_port=0, data_dir=data))


def _served(settings: Settings) -> Iterator[Feeds]:
    worker = Worker(settings)
    try:
        yield Feeds(worker.web_port, worker.port)
    finally:
        worker.kill()
