"""What every adapter does with a call: whether to begin it, and what to say of a failure."""

import structlog

from service.errors import Reason, ServiceError
from service.handlers import Method

log = structlog.get_logger(__name__)


def check_deadline(remaining_seconds: float | None) -> None:
    """Do no work for a caller that waits no longer. None: it set no deadline."""
    if remaining_seconds is not None and remaining_seconds <= 0:
        message = "The deadline had passed before the work began: allow more time."
        raise ServiceError(Reason.DEADLINE_PASSED, message)


def malformed(request: str, why: str = "") -> ServiceError:
    """What came is no message of this full name."""
    message = f"The request is not a {request} message{f': {why}' if why else ''}."
    return ServiceError(Reason.REQUEST_MALFORMED, message)


def unknown_method(path: str) -> ServiceError:
    """There is no such method. path: `/relatedpapers.v1.PaperService/GetPaper`, as sent."""
    message = (
        f"There is no method {path.removeprefix('/')[:200]!r}: gRPC reflection, and /api on the "
        "web port, list those that exist."
    )
    return ServiceError(Reason.METHOD_UNKNOWN, message)


def malformed_header(name: str, value: str) -> ServiceError:
    """A header that a protocol defines has a value that it can't have."""
    message = f"The header `{name}` is {value[:100]!r}, which its protocol does not allow."
    return ServiceError(Reason.REQUEST_MALFORMED, message, header=name)


def refusal(error: Exception, method: Method) -> ServiceError:
    """The error that the caller gets; of an unexpected one no inner detail, which the log has."""
    if isinstance(error, ServiceError):
        return error
    return unexpected(error, method=f"{method.service}/{method.name}")


def unexpected(error: Exception, **where: str) -> ServiceError:
    """Log a failure of our own. where: what else the log says of it."""
    log.error("a call failed unexpectedly", **where, exc_info=error)
    return ServiceError(Reason.UNEXPECTED, "The service failed; its log says why.")
