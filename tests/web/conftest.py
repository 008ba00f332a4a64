"""The service on both ports, and one way to call it over each protocol."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.settings import Settings
from tests.service.conftest import Running, Starting
from tests.web.http import Http


@pytest.fixture
def settings(toy_model: Path, tmp_path: Path) -> Settings:
    """The toy model on free ports, without Redis."""
    return Settings(model=toy_model, port=0, web_port=0, data_dir=tmp_path / "data")


@pytest_asyncio.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The service over the toy model."""
    async with Starting(settings) as service:
        yield service


@pytest.fixture
def http(running: Running) -> Http:
    """The web port of that service."""
    return Http(running.application.web_port)
