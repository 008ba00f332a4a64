"""How events went, as messages of relatedpapers.v1, put together as bytes: most are the same."""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from relatedpapers.v1 import feedback_service_pb2 as pb
from relatedpapers.v1.status_pb2 import ItemStatus
from service import messages
from service.errors import CODES, RETRY_HELPS, Reason, ServiceError

MAX_DETAILED_BYTES = 256 * 1024
"""When the refused events of a call that have a message and metadata are this long together, the
next have none: an answer with 100,000 must not outgrow what clients take in (4 MiB, as gRPC has
it)."""


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
    detailed_bytes = 0
    for place, error in sorted(settled.refused.items()):
        if detailed_bytes < MAX_DETAILED_BYTES:
            results[place] = _refused(messages.item_status(error))
            detailed_bytes += len(results[place])
        else:
            results[place] = _bare(error.reason)
    return b"".join(results)


def all_refused(count: int, error: ServiceError) -> bytes:
    """A WriteFeedbackResponse about so many events, 1 or more, that are refused alike: the first
    says why. Behind another it makes one of both."""
    return _refused(messages.item_status(error)) + _bare(error.reason) * (count - 1)


def _refused(status: ItemStatus) -> bytes:
    return _result(pb.EventResult(status=status, retryable=status.reason in RETRY_HELPS))


@cache
def _bare(reason: Reason) -> bytes:
    """A refused event without a message."""
    return _refused(ItemStatus(code=CODES[reason], reason=reason))


def failure(number: int, place: int, event_id: str, error: ServiceError) -> pb.EventFailure:
    """One refused event of a stream. number: the sequence number of its message."""
    return pb.EventFailure(
        sequence_number=number,
        event_index=place,
        event_id=event_id,
        status=messages.item_status(error),
        retryable=error.reason in RETRY_HELPS,
    )
