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


def refusal(error: Exception, method: Method) -> ServiceError:
    """The error that the caller gets; of an unexpected one no inner detail, which the log has."""
    if isinstance(error, ServiceError):
        return error
    log.error(
        "a call failed unexpectedly", method=f"{method.service}/{method.name}", exc_info=error
    )
    return ServiceError(Reason.UNEXPECTED, "The service failed; its log says why.")
