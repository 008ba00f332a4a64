"""What a failed call raises.

RelatedPapersError
├── InvalidRequestError      the request is wrong; sending it again will not help
├── NotFoundError            no such paper or model, or a subscription that is gone
├── AccessError              no API key, or one that may not do this
├── DeadlineExceededError    no answer in time, retries included
└── UnavailableError         no server, also after the retries

Any other code (an expired page token's FAILED_PRECONDITION) raises RelatedPapersError itself.
"""

from collections.abc import Mapping
from typing import cast

import grpc

from relatedpapers.status import DETAILS_KEY, ErrorInfo, decode
from relatedpapers.v1.status_pb2 import ItemStatus


class RelatedPapersError(Exception):
    """A call, or one item of a batch, failed.

    code: the canonical gRPC code.
    reason: why, in UPPER_SNAKE_CASE; branch on this. Empty if no server of ours answered.
    message: one sentence for a person; its wording may change.
    metadata: details that belong to the reason, such as the field and its value.
    """

    def __init__(
        self, code: grpc.StatusCode, reason: str, message: str, metadata: Mapping[str, str]
    ) -> None:
        super().__init__(f"{reason or code.name}: {message}")
        self.code = code
        self.reason = reason
        self.message = message
        self.metadata = metadata


class InvalidRequestError(RelatedPapersError):
    """The request is wrong; the message says where and what to do."""


class NotFoundError(RelatedPapersError):
    """The serving model knows none of the papers, the server has no such model, or the subscription
    is gone."""


class AccessError(RelatedPapersError):
    """The service wants an API key, or one with another scope."""


class DeadlineExceededError(RelatedPapersError):
    """No answer came within the timeout, retries included."""


class UnavailableError(RelatedPapersError):
    """No server answered, also after the retries."""


_CLASSES: Mapping[grpc.StatusCode, type[RelatedPapersError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidRequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.UNAUTHENTICATED: AccessError,
    grpc.StatusCode.PERMISSION_DENIED: AccessError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
}
_CODES = {code.value[0]: code for code in grpc.StatusCode}


def of_call(error: grpc.RpcError) -> RelatedPapersError:
    """The error of a failed call, sync or asyncio."""
    call = cast("grpc.Call", error)  # every error that grpc raises is also the call that failed
    details = dict(call.trailing_metadata() or ()).get(DETAILS_KEY)
    info = decode(details) if isinstance(details, bytes) else ErrorInfo("", "", {})
    return _error(call.code(), info.reason, call.details() or "", info.metadata)


def of_item(status: ItemStatus) -> RelatedPapersError:
    """The error of one failed item of a batch."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    return _error(code, status.reason, status.message, dict(status.metadata))


def _error(
    code: grpc.StatusCode, reason: str, message: str, metadata: Mapping[str, str]
) -> RelatedPapersError:
    return _CLASSES.get(code, RelatedPapersError)(code, reason, message, metadata)
