"""The service over the toy model, over a real channel."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from relatedpapers.v1.recommendation_service_pb2 import SearchPapersRequest, SearchPapersResponse
from tests.serving import Running

Search = Callable[..., Awaitable[SearchPapersResponse]]


@pytest.fixture
def search(running: Running) -> Search:
    """Calls SearchPapers with the fields of its request."""

    async def call(query: str = "", **fields: Any) -> SearchPapersResponse:
        request = SearchPapersRequest(query=query, **fields)
        answer: SearchPapersResponse = await running.recommendations.SearchPapers(request)
        return answer

    return call
