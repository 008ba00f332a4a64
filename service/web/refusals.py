"""Errors of the web port, each with its one `ErrorInfo`, in the words of the caller's protocol."""

import json
from base64 import b64encode
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import quote

from connectrpc.code import Code as ConnectCode
from connectrpc.errors import ConnectError, ErrorDetail
from protobuf import message_from_json_value
from protobuf.wkt import Any as AnyMessage
from protobuf.wkt import Struct
from starlette.responses import Response

from service import rich_status
from service.calls import unexpected
from service.errors import DOMAIN, Reason, ServiceError

GRPC_WEB = "application/grpc-web"


class _Detail(ErrorDetail):
    """The `ErrorInfo` of an error, and the same as JSON for people who read the answer."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(
            AnyMessage(type_url=rich_status.ERROR_INFO, value=rich_status.error_info(error))
        )
        self._error = error

    def value(self, desc_or_registry: Any = None) -> Any:
        """What Connect shows as `debug`."""
        return None if desc_or_registry else message_from_json_value(Struct, debug(self._error))


class RefusedError(ConnectError):
    """An error of ours as connectrpc writes it."""

    def __init__(self, error: ServiceError) -> None:
        super().__init__(ConnectCode(error.code.name.lower()), error.message, [_Detail(error)])
        self.error = error


_REASONS = {
    ConnectCode.INVALID_ARGUMENT: Reason.REQUEST_MALFORMED,
    ConnectCode.INTERNAL: Reason.REQUEST_MALFORMED,  # a frame that contradicts its header
    ConnectCode.UNIMPLEMENTED: Reason.PROTOCOL_UNSUPPORTED,
    ConnectCode.RESOURCE_EXHAUSTED: Reason.MESSAGE_TOO_LARGE,
    ConnectCode.DEADLINE_EXCEEDED: Reason.DEADLINE_PASSED,
}
"""What connectrpc itself refuses, before and after the handler's turn."""


def ours(error: Exception) -> RefusedError:
    """An error as one of ours; those of connectrpc itself get the reason that fits."""
    if isinstance(error, RefusedError):
        return error
    if isinstance(error, ConnectError) and error.code in _REASONS:
        return RefusedError(ServiceError(_REASONS[error.code], _sentence(error.message)))
    return RefusedError(unexpected(error))


def _sentence(message: str) -> str:
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."


def protocol(http_method: str, content_type: str) -> str:
    """The name of the protocol that a request speaks, for the metrics."""
    if content_type.startswith(GRPC_WEB):
        return "grpc-web"
    if http_method == "GET":
        return "connect-get"
    return "connect-json" if "json" in content_type else "connect-proto"


def debug(error: ServiceError) -> dict[str, Any]:
    """The `ErrorInfo` of an error as JSON."""
    info: dict[str, Any] = {"reason": error.reason.value, "domain": DOMAIN}
    return {**info, "metadata": error.metadata} if error.metadata else info


class Refusal(NamedTuple):
    """A request that reaches no method. status: what Connect and plain HTTP clients are told."""

    status: HTTPStatus
    error: ServiceError
    headers: dict[str, str]

    def response(self, content_type: str) -> Response:
        """The answer to a request of this content type."""
        web = content_type.startswith(GRPC_WEB)
        response = _trailers_only(self.error) if web else json_error(self.error, self.status)
        response.headers.update(self.headers)
        return response


def json_error(error: ServiceError, status: int) -> Response:
    """An error as Connect has it, which plain JSON clients read as well."""
    value = b64encode(rich_status.error_info(error)).decode().rstrip("=")
    detail = {
        "type": rich_status.ERROR_INFO.rpartition("/")[2],
        "value": value,
        "debug": debug(error),
    }
    body = {"code": error.code.name.lower(), "message": error.message, "details": [detail]}
    content = json.dumps(body, ensure_ascii=False)
    headers = {"cache-control": "no-store"}
    return Response(content, status, headers, media_type="application/json")


def _trailers_only(error: ServiceError) -> Response:
    details = b64encode(rich_status.serialized(error)).decode().rstrip("=")
    headers = {
        "grpc-status": str(error.code.value),
        "grpc-message": quote(error.message, safe=" "),
        "grpc-status-details-bin": details,
    }
    return Response(b"", HTTPStatus.OK, headers, media_type=f"{GRPC_WEB}+proto")
