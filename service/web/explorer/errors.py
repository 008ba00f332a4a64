"""Pages that say what went wrong."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.errors import Code, Reason, ServiceError
from service.web.pages import page

log = structlog.get_logger(__name__)

STATUS: Mapping[Code, HTTPStatus] = MappingProxyType(
    {
        Code.INVALID_ARGUMENT: HTTPStatus.BAD_REQUEST,
        Code.DEADLINE_EXCEEDED: HTTPStatus.GATEWAY_TIMEOUT,
        Code.NOT_FOUND: HTTPStatus.NOT_FOUND,
        Code.ALREADY_EXISTS: HTTPStatus.CONFLICT,
        Code.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
        Code.RESOURCE_EXHAUSTED: HTTPStatus.TOO_MANY_REQUESTS,
        Code.FAILED_PRECONDITION: HTTPStatus.CONFLICT,
        Code.INTERNAL: HTTPStatus.INTERNAL_SERVER_ERROR,
        Code.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
        Code.UNAUTHENTICATED: HTTPStatus.FORBIDDEN,  # a page has no way to ask for a key
    }
)

_TITLES: Mapping[int, str] = MappingProxyType(
    {
        400: "This can't be answered as asked",
        403: "Not from here",
        404: "There is no such page",
        405: "Not that way",
        409: "This has changed meanwhile",
        429: "Too much at once",
        500: "Something went wrong here",
        503: "Away for a moment",
        504: "This took too long",
    }
)


_REASON_TITLES: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.PAPER_NOT_FOUND: "There is no such paper",
        Reason.SUBSCRIPTION_NOT_FOUND: "There is no such digest",
        Reason.DIGEST_TOKEN_INVALID: "This link does not work",
        Reason.DIGEST_TOKEN_EXPIRED: "This link is too old",
    }
)
"""Where a title says more than that of the status."""


def error_page(request: Request, status: int, message: str, title: str = "") -> Response:
    """A page for an error. message: one sentence or two for a person."""
    title = title or _TITLES.get(status, HTTPStatus(status).phrase)
    return page(request, "error.html", status=status, title=title, code=status, message=message)


async def _service_error(request: Request, error: ServiceError) -> Response:
    title = _REASON_TITLES.get(error.reason, "")
    return error_page(request, STATUS[error.code], error.message, title)


async def _http_error(request: Request, error: HTTPException) -> Response:
    message = {
        404: "Nothing is at this address. Search for a paper, or begin at the start.",
        405: f"This address does not take {request.method}.",
    }.get(error.status_code, error.detail)
    response = error_page(request, error.status_code, message)
    response.headers.update(error.headers or {})
    return response


async def _unexpected(request: Request, error: Exception) -> Response:
    log.error("a page failed", path=request.url.path, exc_info=error)
    message = "The service failed at this page, and has written down why. Others may work."
    return error_page(request, HTTPStatus.INTERNAL_SERVER_ERROR, message)


handlers: Mapping[Any, Any] = MappingProxyType(
    {ServiceError: _service_error, HTTPException: _http_error, Exception: _unexpected}
)
"""What answers each kind of exception, for Starlette's `exception_handlers`."""
