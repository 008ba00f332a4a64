"""google.rpc.Status with its ErrorInfo: the standard details of a failed call, as bytes.

The two messages are declared here, in a descriptor pool of their own, because their usual package
(googleapis-common-protos) is a large dependency for two messages; beside it they do no harm.
Source: google/rpc/status.proto and google/rpc/error_details.proto, and AIP-193.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from google.protobuf import any_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import DecodeError

DETAILS_KEY = "grpc-status-details-bin"
"""The trailing metadata in which gRPC carries a google.rpc.Status."""


class ErrorInfo(NamedTuple):
    """Why a call failed, for a program to branch on.

    reason: UPPER_SNAKE_CASE, unique within the domain; empty if the server gave none.
    domain: who defines the reason.
    metadata: details that belong to the reason.
    """

    reason: str
    domain: str
    metadata: Mapping[str, str]


def decode(details: bytes) -> ErrorInfo:
    """The first ErrorInfo of a google.rpc.Status; an empty one if there is none or it is broken."""
    try:
        for detail in _STATUS.FromString(details).details:
            info = _ERROR_INFO()
            if detail.Unpack(info):
                return ErrorInfo(info.reason, info.domain, dict(info.metadata))
    except DecodeError:
        pass  # a proxy's answer: the code and the message stand without it
    return ErrorInfo("", "", {})


def _message_classes() -> tuple[Any, Any]:
    file = FileDescriptorProto(name="google/rpc/status.proto", package="google.rpc")
    file.syntax = "proto3"
    file.dependency.append(any_pb2.DESCRIPTOR.name)
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=Field.TYPE_INT32, label=Field.LABEL_OPTIONAL)
    status.field.add(name="message", number=2, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    repeated = {"type": Field.TYPE_MESSAGE, "label": Field.LABEL_REPEATED}
    status.field.add(name="details", number=3, type_name=".google.protobuf.Any", **repeated)
    info = file.message_type.add(name="ErrorInfo")
    info.field.add(name="reason", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    info.field.add(name="domain", number=2, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry = info.nested_type.add(name="MetadataEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=Field.TYPE_STRING, label=Field.LABEL_OPTIONAL)
    entry_name = ".google.rpc.ErrorInfo.MetadataEntry"
    info.field.add(name="metadata", number=3, type_name=entry_name, **repeated)

    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    pool.AddSerializedFile(file.SerializeToString())
    messages = message_factory.GetMessageClassesForFiles([file.name], pool)
    return messages["google.rpc.Status"], messages["google.rpc.ErrorInfo"]


_STATUS, _ERROR_INFO = _message_classes()
