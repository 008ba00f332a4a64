"""The service over the toy model, over a real channel."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from relatedpapers.v1.recommendation_service_pb2 import SearchPapersRequest, SearchPapersResponse
from service.settings import Settings
from tests.service.conftest import Running, Starting

Search = Callable[..., Awaitable[SearchPapersResponse]]


@pytest.fixture
def settings(toy_model: Path, tmp_path: Path) -> Settings:
    """The toy model on a free port, without Redis."""
    return Settings(model=toy_model, port=0, data_dir=tmp_path / "data")


@pytest_asyncio.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The service over the toy model."""
    async with Starting(settings) as service:
        yield service


@pytest.fixture
def search(running: Running) -> Search:
    """Calls SearchPapers with the fields of its request."""

    async def call(query: str = "", **fields: Any) -> SearchPapersResponse:
        request = SearchPapersRequest(query=query, **fields)
        answer: SearchPapersResponse = await running.recommendations.SearchPapers(request)
        return answer

    return call
