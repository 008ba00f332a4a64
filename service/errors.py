"""The one error type of the service, and the one table of its reasons."""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from types import MappingProxyType

DOMAIN = "relatedpapers.v1"
"""The domain in which the reasons below are unique (`google.rpc.ErrorInfo.domain`)."""


class Code(IntEnum):
    """The canonical gRPC codes that the service answers with itself."""

    OK = 0
    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class Reason(StrEnum):
    """Why a call failed. Clients branch on these: never rename one, and never reuse a name."""

    FIELD_MISSING = "FIELD_MISSING"
    FIELD_INVALID = "FIELD_INVALID"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"  # noqa: S105 - a reason, not a password
    REQUEST_MALFORMED = "REQUEST_MALFORMED"
    MESSAGE_TOO_LARGE = "MESSAGE_TOO_LARGE"
    METHOD_UNKNOWN = "METHOD_UNKNOWN"
    PROTOCOL_UNSUPPORTED = "PROTOCOL_UNSUPPORTED"
    PAPER_NOT_FOUND = "PAPER_NOT_FOUND"
    MODEL_NOT_FOUND = "MODEL_NOT_FOUND"
    MODEL_VERSION_GONE = "MODEL_VERSION_GONE"
    API_KEY_REQUIRED = "API_KEY_REQUIRED"
    API_KEY_INVALID = "API_KEY_INVALID"
    SCOPE_MISSING = "SCOPE_MISSING"
    BROWSER_FORBIDDEN = "BROWSER_FORBIDDEN"
    ATTRIBUTION_TOKEN_INVALID = "ATTRIBUTION_TOKEN_INVALID"  # noqa: S105 - likewise
    EVENT_TYPE_UNKNOWN = "EVENT_TYPE_UNKNOWN"
    EVENT_TOO_OLD = "EVENT_TOO_OLD"
    EVENT_IN_FUTURE = "EVENT_IN_FUTURE"
    EVENT_ID_REUSED = "EVENT_ID_REUSED"
    TOO_MANY_EVENTS = "TOO_MANY_EVENTS"
    DIGEST_TOKEN_INVALID = "DIGEST_TOKEN_INVALID"  # noqa: S105 - likewise
    DIGEST_TOKEN_EXPIRED = "DIGEST_TOKEN_EXPIRED"  # noqa: S105 - likewise
    SUBSCRIPTION_NOT_FOUND = "SUBSCRIPTION_NOT_FOUND"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    STATE_AWAY = "STATE_AWAY"
    STATE_UNSAFE = "STATE_UNSAFE"
    OVERLOADED = "OVERLOADED"
    SERVICE_STOPPING = "SERVICE_STOPPING"
    DEADLINE_PASSED = "DEADLINE_PASSED"
    UNEXPECTED = "UNEXPECTED"


CODES: Mapping[Reason, Code] = MappingProxyType(
    {
        Reason.FIELD_MISSING: Code.INVALID_ARGUMENT,
        Reason.FIELD_INVALID: Code.INVALID_ARGUMENT,
        Reason.PAGE_TOKEN_INVALID: Code.INVALID_ARGUMENT,
        Reason.REQUEST_MALFORMED: Code.INVALID_ARGUMENT,
        Reason.MESSAGE_TOO_LARGE: Code.RESOURCE_EXHAUSTED,
        Reason.METHOD_UNKNOWN: Code.UNIMPLEMENTED,
        Reason.PROTOCOL_UNSUPPORTED: Code.UNIMPLEMENTED,
        Reason.PAPER_NOT_FOUND: Code.NOT_FOUND,
        Reason.MODEL_NOT_FOUND: Code.NOT_FOUND,
        Reason.MODEL_VERSION_GONE: Code.FAILED_PRECONDITION,
        Reason.API_KEY_REQUIRED: Code.UNAUTHENTICATED,
        Reason.API_KEY_INVALID: Code.UNAUTHENTICATED,
        Reason.SCOPE_MISSING: Code.PERMISSION_DENIED,
        Reason.BROWSER_FORBIDDEN: Code.PERMISSION_DENIED,
        Reason.ATTRIBUTION_TOKEN_INVALID: Code.INVALID_ARGUMENT,
        Reason.EVENT_TYPE_UNKNOWN: Code.INVALID_ARGUMENT,
        Reason.EVENT_TOO_OLD: Code.FAILED_PRECONDITION,
        Reason.EVENT_IN_FUTURE: Code.FAILED_PRECONDITION,
        Reason.EVENT_ID_REUSED: Code.ALREADY_EXISTS,
        Reason.TOO_MANY_EVENTS: Code.RESOURCE_EXHAUSTED,
        Reason.DIGEST_TOKEN_INVALID: Code.INVALID_ARGUMENT,
        Reason.DIGEST_TOKEN_EXPIRED: Code.FAILED_PRECONDITION,
        Reason.SUBSCRIPTION_NOT_FOUND: Code.NOT_FOUND,
        Reason.TOO_MANY_REQUESTS: Code.RESOURCE_EXHAUSTED,
        Reason.STATE_AWAY: Code.UNAVAILABLE,
        Reason.STATE_UNSAFE: Code.FAILED_PRECONDITION,
        Reason.OVERLOADED: Code.RESOURCE_EXHAUSTED,
        Reason.SERVICE_STOPPING: Code.UNAVAILABLE,
        Reason.DEADLINE_PASSED: Code.DEADLINE_EXCEEDED,
        Reason.UNEXPECTED: Code.INTERNAL,
    }
)


RETRY_HELPS = frozenset(
    {
        Reason.EVENT_IN_FUTURE,
        Reason.TOO_MANY_EVENTS,
        Reason.TOO_MANY_REQUESTS,
        Reason.STATE_AWAY,
        Reason.OVERLOADED,
        Reason.SERVICE_STOPPING,
        Reason.DEADLINE_PASSED,
    }
)
"""The reasons that pass by themselves: the same request, sent again later, may succeed."""


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
