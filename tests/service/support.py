"""What tests of several parts of the service share: names of methods, errors as gRPC clients read
them, and work that waits."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import Any, Self

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from relatedpapers.v1 import recommendation_service_pb2 as pb
from tests.serving import Running
from tests.support import PATIENCE_SECONDS

LIST = "RecommendationService/ListRelatedPapers"
BATCH = "RecommendationService/BatchListRelatedPapers"
SEARCH = "RecommendationService/SearchPapers"
GET_PAPER = "PaperService/GetPaper"
GET_PAPERS = "PaperService/BatchGetPapers"
GET_MODEL = "ModelService/GetModel"
LIST_MODELS = "ModelService/ListModels"

DRAFT = pb.ListRelatedPapersRequest(draft=pb.Draft(title="Planar graph coloring"))
"""What is never ready made: it takes the background thread."""

FieldType = descriptor_pb2.FieldDescriptorProto


def _google_rpc() -> dict[str, Any]:
    """google.rpc.Status and ErrorInfo, defined here as their documentation says."""
    pool = descriptor_pool.DescriptorPool()
    file = descriptor_pb2.FileDescriptorProto(
        name="rpc.proto", package="google.rpc", syntax="proto3"
    )
    any_ = file.message_type.add(name="Any")
    any_.field.add(name="type_url", number=1, type=FieldType.TYPE_STRING, label=1)
    any_.field.add(name="value", number=2, type=FieldType.TYPE_BYTES, label=1)
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=FieldType.TYPE_INT32, label=1)
    status.field.add(name="message", number=2, type=FieldType.TYPE_STRING, label=1)
    status.field.add(
        name="details", number=3, type=FieldType.TYPE_MESSAGE, type_name=".google.rpc.Any", label=3
    )
    info = file.message_type.add(name="ErrorInfo")
    info.field.add(name="reason", number=1, type=FieldType.TYPE_STRING, label=1)
    info.field.add(name="domain", number=2, type=FieldType.TYPE_STRING, label=1)
    entry = info.nested_type.add(name="MetadataEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=FieldType.TYPE_STRING, label=1)
    entry.field.add(name="value", number=2, type=FieldType.TYPE_STRING, label=1)
    info.field.add(
        name="metadata",
        number=3,
        type=FieldType.TYPE_MESSAGE,
        type_name=".google.rpc.ErrorInfo.MetadataEntry",
        label=3,
    )
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["rpc.proto"], pool)


GOOGLE_RPC = _google_rpc()


def error_info(error: grpc.aio.AioRpcError) -> Any:
    """The one ErrorInfo of an error, whose status repeats its code and message."""
    trailers = error.trailing_metadata()
    [value] = [value for key, value in trailers or () if key == "grpc-status-details-bin"]
    assert isinstance(value, bytes)
    status = GOOGLE_RPC["google.rpc.Status"].FromString(value)
    assert status.code == error.code().value[0]
    assert status.message == error.details()
    [detail] = status.details
    assert detail.type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    return GOOGLE_RPC["google.rpc.ErrorInfo"].FromString(detail.value)


class Busy:
    """Keeps the background thread busy, so that what needs it waits, until `release`."""

    def __init__(self, running: Running) -> None:
        self._background = running.application.core.background
        self._released = Event()
        self._begun = Event()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._background.run(self._work))
        await asyncio.to_thread(self._begun.wait)
        return self

    def _work(self) -> None:
        self._begun.set()
        self._released.wait()

    def release(self) -> None:
        self._released.set()

    async def __aexit__(self, *error: object) -> None:
        self.release()
        await self._task


async def until(condition: Callable[[], bool]) -> None:
    """Let other tasks work until the condition holds."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for sets no event
            await asyncio.sleep(0)
