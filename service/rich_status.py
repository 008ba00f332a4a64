"""A failed call's `google.rpc.Status` with one `ErrorInfo`, in the bytes that gRPC clients read.

Written by hand after the protobuf encoding: two small messages are no reason for a dependency.

    google.rpc.Status:     int32 code = 1; string message = 2; repeated Any details = 3;
    google.rpc.ErrorInfo:  string reason = 1; string domain = 2; map<string, string> metadata = 3;
"""

from google.protobuf.any_pb2 import Any

from models.wire import varint
from service.errors import DOMAIN, ServiceError

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
"""The type of the one detail of an error."""


def serialized(error: ServiceError) -> bytes:
    """The value of the trailer `grpc-status-details-bin`."""
    detail = Any(type_url=ERROR_INFO, value=error_info(error)).SerializeToString()
    code = bytes([1 << 3, error.code])
    return code + _field(2, error.message.encode()) + _field(3, detail)


def error_info(error: ServiceError) -> bytes:
    """The bytes of its `ErrorInfo`."""
    entries = (
        _field(1, key.encode()) + _field(2, value.encode()) for key, value in error.metadata.items()
    )
    info = _field(1, error.reason.encode()) + _field(2, DOMAIN.encode())
    return info + b"".join(_field(3, entry) for entry in entries)


def _field(number: int, value: bytes) -> bytes:
    """A length-delimited field: its tag, its length as a varint, its bytes."""
    return bytes([number << 3 | 2]) + varint(len(value)) + value
