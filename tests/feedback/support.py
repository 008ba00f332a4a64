"""What tests of feedback share."""

import itertools
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from relatedpapers.v1 import feedback_service_pb2 as pb
from relatedpapers.v1 import recommendation_service_pb2 as recommendations
from service.errors import Code, Reason
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.keys import PARTITIONS
from tests.serving import Running

_numbers = itertools.count()


def event(*, days_ago: float | None = None, **fields: object) -> pb.Event:
    """A good event with an id of its own, but for the fields that are given.

    days_ago: when it happened; None: no time, negative: in the future.
    """
    given = {"id": f"e{next(_numbers)}", "reader_id": "ada", "paper_id": "graph-05", **fields}
    made = pb.Event(**{"type": "click", **given})  # type: ignore[arg-type]
    if days_ago is not None:
        made.event_time.FromDatetime(datetime.now(UTC) - timedelta(days=days_ago))
    return made


async def write(
    running: Running,
    events: Iterable[pb.Event],
    metadata: Mapping[str, str] = MappingProxyType({}),
    *,
    validate_only: bool = False,
) -> list[pb.EventResult]:
    """The results of one call."""
    request = pb.WriteFeedbackRequest(events=events, validate_only=validate_only)
    response = await running.feedback.WriteFeedback(request, metadata=tuple(metadata.items()))
    assert len(response.results) == len(request.events)
    return list(response.results)


def reasons(results: Iterable[pb.EventResult]) -> list[str]:
    """Why each was refused; "DUPLICATE" or "" for those that are stored."""
    return [each.status.reason or "DUPLICATE" * each.duplicate for each in results]


async def attribution_token(running: Running) -> str:
    """The token of a list that was shown."""
    request = recommendations.ListRelatedPapersRequest(paper_ids=["graph-05"])
    response = await running.recommendations.ListRelatedPapers(request)
    return str(response.attribution_token)


def assert_refused(result: pb.EventResult, reason: Reason, code: Code, *, retryable: bool) -> None:
    """The result of a refused event is whole: code, reason, a sentence, and whether to retry."""
    assert result.status.reason == reason
    assert result.status.code == code
    assert result.retryable is retryable
    assert not result.duplicate
    assert 10 < len(result.status.message) < 1_500


async def logged(running: Running) -> list[StoredEvent]:
    """Every event of the log."""
    assert running.application.core.state is not None
    log = FeedbackLog(running.application.core.state.client)
    return [
        event._replace(content=b"")
        for partition in range(PARTITIONS)
        for _, event in await log.read(partition, "0", 1_000)
    ]


async def stored_ids(running: Running, reader: str) -> set[str]:
    """The events of the reader's history."""
    assert running.application.core.state is not None
    return {each.id for each in (await running.application.core.state.history(reader)).events}
