"""The one error type of the service, and the one table of its reasons."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

DOMAIN = "relatedpapers.v1"
"""The domain in which the reasons below are unique (`google.rpc.ErrorInfo.domain`)."""


class Code(IntEnum):
    """The canonical gRPC codes that the service answers with itself."""

    OK = 0
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    FAILED_PRECONDITION = 9
    INTERNAL = 13


class Reason(StrEnum):
    """Why a call failed. Clients branch on these: never rename one, and never reuse a name."""

    FIELD_MISSING = "FIELD_MISSING"
    FIELD_INVALID = "FIELD_INVALID"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, not a password
    REQUEST_MALFORMED = "REQUEST_MALFORMED"
    PAPER_NOT_FOUND = "PAPER_NOT_FOUND"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_VERSION_GONE = "MODEL_VERSION_GONE"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    UNEXPECTED = "UNEXPECTED"


CODES: Mapping[Reason, Code] = MappingProxyType(
    {
        Reason.FIELD_MISSING: Code.INVALID_ARGUMENT,
        Reason.FIELD_INVALID: Code.INVALID_ARGUMENT,
        Reason.PAGE_TOKEN_INVALID: Code.INVALID_ARGUMENT,
        Reason.REQUEST_MALFORMED: Code.INVALID_ARGUMENT,
        Reason.PAPER_NOT_FOUND: Code.NOT_FOUND,
        Reason.MODEL_NOT_FOUND: Code.NOT_FOUND,
        Reason.MODEL_VERSION_GONE: Code.FAILED_PRECONDITION,
        Reason.DEADLINE_PASSED: Code.DEADLINE_EXCEEDED,
        Reason.UNEXPECTED: Code.INTERNAL,
    }
)


class ServiceError(Exception):
    """A call, or one item of a batch, failed.

    reason: one of the table above, which gives the canonical code.
    message: one sentence for a person: what was wrong, where, and what to do.
    metadata: details for a program, such as the field and its value.
    """

    def __init__(self, reason: Reason, message: str, **metadata: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.code = CODES[reason]
        self.message = message
        self.metadata = metadata
