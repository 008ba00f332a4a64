"""A client of the Related Papers service, which needs grpcio and protobuf alone.

    with Client("127.0.0.1:50051") as client:
        for result in client.list_related_papers(paper_ids=["10.1145/3292500.3330701"], limit=10):
            print(f"{result.score:.2f}  {result.paper.title}")

        found = list(client.search_papers('"attention is all" year:2015..', limit=10))
        events = [{"reader_id": "ada", "paper_id": "10.1145/3292500.3330701", "type": "save"}]
        refused = [outcome for outcome in client.write_feedback(events) if outcome.error]
        suits_ada = list(client.recommend_papers("ada", limit=10))

`AsyncClient` is the same for asyncio; `relatedpapers.v1` holds the messages and generated stubs.
"""

from relatedpapers.aio import AsyncClient
from relatedpapers.client import Client
from relatedpapers.errors import (
    AccessError,
    DeadlineExceededError,
    InvalidRequestError,
    NotFoundError,
    RelatedPapersError,
    UnavailableError,
)
from relatedpapers.events import Outcome
from relatedpapers.operations import (
    RecommendationQuery,
    RelatedPapersQuery,
    SearchQuery,
    TrendingQuery,
)
from relatedpapers.v1.feedback_service_pb2 import Event
from relatedpapers.window import Acknowledgement

__all__ = [
    "AccessError",
    "Acknowledgement",
    "AsyncClient",
    "Client",
    "DeadlineExceededError",
    "Event",
    "InvalidRequestError",
    "NotFoundError",
    "Outcome",
    "RecommendationQuery",
    "RelatedPapersError",
    "RelatedPapersQuery",
    "SearchQuery",
    "TrendingQuery",
    "UnavailableError",
]
