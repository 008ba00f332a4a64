"""What a client can ask about readers' events; `operations` holds the rest, and what they share."""

from collections.abc import Iterable, Iterator

from relatedpapers import events as sending
from relatedpapers.calls import Batch, Call, Listing, itself, listing
from relatedpapers.v1.feedback_service_pb2 import (
    DeleteReaderRequest,
    DeleteReaderResponse,
    Event,
    ExportReaderRequest,
    ExportReaderResponse,
    WriteFeedbackRequest,
    WriteFeedbackResponse,
)

DELETE_SECONDS = 90.0
"""How long deleting a reader may take by default: the service waits a minute for its file."""


def write_feedback(
    events: Iterable[sending.EventLike],
    *,
    validate_only: bool = False,
    timeout_seconds: float | None = None,
) -> Batch[sending.Outcome]:
    """How each event went, in order: durable, or why it was refused.

    Up to a thousand events go out in a call. An event without an id gets one, and a time
    (`EventLike`), so that retries count nothing twice; an outcome says whether a later retry of a
    refused event can help. Where a call fails, those before it have stored their events: write all
    of them again.
    validate_only: check them and store nothing.
    """

    def call(chunk: list[Event]) -> Call[Iterator[sending.Outcome]]:
        return Call(
            "/relatedpapers.v1.FeedbackService/WriteFeedback",
            WriteFeedbackRequest(events=chunk, validate_only=validate_only),
            WriteFeedbackResponse,
            lambda response: map(sending.outcome, chunk, response.results),
            timeout_seconds,
        )

    return Batch(map(call, sending.calls(events)))


def export_reader(
    reader_id: str,
    *,
    page_size: int = 0,
    page_token: str = "",
    timeout_seconds: float | None = None,
) -> Listing[ExportReaderResponse, Event]:
    """The events that are stored of a reader; the first page also has the library they make."""
    return listing(
        "/relatedpapers.v1.FeedbackService/ExportReader",
        ExportReaderRequest(reader_id=reader_id, page_size=page_size, page_token=page_token),
        ExportReaderResponse,
        lambda page: page.events,
        timeout_seconds=timeout_seconds,
    )


def delete_reader(
    reader_id: str, *, timeout_seconds: float | None = DELETE_SECONDS
) -> Call[DeleteReaderResponse]:
    """Delete a reader; the answer says what is gone now and what goes when.

    It takes as long as the state server takes to write its file anew.
    """
    return Call(
        "/relatedpapers.v1.FeedbackService/DeleteReader",
        DeleteReaderRequest(reader_id=reader_id),
        DeleteReaderResponse,
        itself,
        timeout_seconds,
    )
