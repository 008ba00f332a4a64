"""How events went, as messages of relatedpapers.v1, put together as bytes: most are the same."""

from collections.abc import Mapping
from typing import NamedTuple

from relatedpapers.v1 import feedback_service_pb2 as pb
from relatedpapers.v1.status_pb2 import ItemStatus
from service import messages
from service.errors import RETRY_HELPS, ServiceError

MAX_DETAILED = 500
"""How many refused events of a call have a message and metadata: an answer with 100,000 must not
outgrow what clients take in (4 MiB, as gRPC has it)."""


class Settled(NamedTuple):
    """What became of events, by their place: refused, with why, or stored already; else stored."""

    refused: Mapping[int, ServiceError]
    duplicates: frozenset[int] = frozenset()


def _result(result: pb.EventResult) -> bytes:
    return pb.WriteFeedbackResponse(results=[result]).SerializeToString()


_STORED = _result(pb.EventResult(status=ItemStatus()))
_DUPLICATE = _result(pb.EventResult(status=ItemStatus(), duplicate=True))


def response(size: int, settled: Settled) -> bytes:
    """A WriteFeedbackResponse about so many events."""
    results = [_STORED] * size
    for place in settled.duplicates:
        results[place] = _DUPLICATE
    for number, place in enumerate(sorted(settled.refused)):
        error = settled.refused[place]
        status = messages.item_status(error)
        if number >= MAX_DETAILED:
            status = ItemStatus(code=error.code, reason=error.reason)
        results[place] = _result(
            pb.EventResult(status=status, retryable=error.reason in RETRY_HELPS)
        )
    return b"".join(results)


def failure(number: int, place: int, event_id: str, error: ServiceError) -> pb.EventFailure:
    """One refused event of a stream. number: the sequence number of its message."""
    return pb.EventFailure(
        sequence_number=number,
        event_index=place,
        event_id=event_id,
        status=messages.item_status(error),
        retryable=error.reason in RETRY_HELPS,
    )
