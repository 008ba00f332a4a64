"""Every error of the service, end to end: its canonical code and exactly one ErrorInfo."""

from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from relatedpapers.v1 import model_service_pb2 as models_pb
from relatedpapers.v1 import paper_service_pb2 as papers_pb
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.errors import CODES, DOMAIN, Reason
from tests.serving import Running

Code = grpc.StatusCode
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


@dataclass
class Case:
    """A call that fails."""

    method: str
    request: Message
    reason: Reason
    field: str | None = None
    says: str = ""

    @property
    def name(self) -> str:
        return f"{self.method.split('/')[1]} {self.reason} {self.field or ''}".strip()


LIST = "RecommendationService/ListRelatedPapers"
BATCH = "RecommendationService/BatchListRelatedPapers"
SEARCH = "RecommendationService/SearchPapers"
GET_PAPER = "PaperService/GetPaper"
GET_PAPERS = "PaperService/BatchGetPapers"
GET_MODEL = "ModelService/GetModel"
LIST_MODELS = "ModelService/ListModels"


def listing(**fields: object) -> pb.ListRelatedPapersRequest:
    return pb.ListRelatedPapersRequest(**{"paper_ids": ["graph-05"], **fields})  # type: ignore[arg-type]


MISSING, INVALID, TOKEN = Reason.FIELD_MISSING, Reason.FIELD_INVALID, Reason.PAGE_TOKEN_INVALID
ERRORS = [
    Case(LIST, listing(paper_ids=[]), MISSING, "paper_ids"),
    Case(LIST, listing(paper_ids=[], negative_paper_ids=["graph-05"]), MISSING, "paper_ids"),
    Case(LIST, listing(paper_ids=["graph-05", ""]), MISSING, "paper_ids[1]"),
    Case(LIST, listing(paper_ids=["x" * 1025]), INVALID, "paper_ids[0]"),
    Case(LIST, listing(paper_ids=["x"] * 101), INVALID, "paper_ids"),
    Case(LIST, listing(paper_ids=["no-such", "nor-this"]), Reason.PAPER_NOT_FOUND, says="no-such"),
    Case(LIST, listing(negative_paper_ids=["x"] * 101), INVALID, "negative_paper_ids"),
    Case(LIST, listing(page_size=-1), INVALID, "page_size"),
    Case(LIST, listing(view=9), INVALID, "view", "PAPER_VIEW_FULL"),
    Case(LIST, listing(diversity=1.5), INVALID, "diversity"),
    Case(LIST, listing(diversity=float("nan")), INVALID, "diversity"),
    Case(LIST, listing(popularity=-0.1), INVALID, "popularity"),
    Case(LIST, listing(negative_weight=float("inf")), INVALID, "negative_weight"),
    Case(LIST, listing(page_token="forged"), TOKEN, "page_token"),
    Case(
        LIST,
        listing(page_token="Zm9yZ2VkIGJ1dCBiYXNlNjQgYW5kIGxvbmcgZW5vdWdo"),
        TOKEN,
        "page_token",
    ),
    Case(LIST, listing(page_token="\x00é"), TOKEN, "page_token"),
    Case(LIST, listing(draft=pb.Draft()), MISSING, "draft"),
    Case(LIST, listing(draft=pb.Draft(title=" ", keywords=[""])), MISSING, "draft"),
    Case(LIST, listing(draft=pb.Draft(title="a", year=0)), INVALID, "draft.year"),
    Case(LIST, listing(draft=pb.Draft(title="a", references=[""])), MISSING, "draft.references[0]"),
    Case(LIST, listing(draft=pb.Draft(abstract="a" * 1_000_001)), INVALID, "draft"),
    Case(LIST, listing(filter=pb.PaperFilter(first_year=0)), INVALID, "filter.first_year"),
    Case(LIST, listing(filter=pb.PaperFilter(last_year=10_000)), INVALID, "filter.last_year"),
    Case(
        LIST,
        listing(filter=pb.PaperFilter(first_year=2010, last_year=2009)),
        INVALID,
        "filter.last_year",
        "2010",
    ),
    Case(LIST, listing(filter=pb.PaperFilter(venues=["x"] * 101)), INVALID, "filter.venues"),
    Case(
        LIST,
        listing(filter=pb.PaperFilter(excluded_paper_ids=["x"] * 1001)),
        INVALID,
        "filter.excluded_paper_ids",
    ),
    Case(SEARCH, pb.SearchPapersRequest(), MISSING, "query"),
    Case(SEARCH, pb.SearchPapersRequest(query="a", page_size=-1), INVALID, "page_size"),
    Case(SEARCH, pb.SearchPapersRequest(query="a", view=9), INVALID, "view"),  # type: ignore[arg-type]
    Case(SEARCH, pb.SearchPapersRequest(query="a", page_token="forged"), TOKEN, "page_token"),
    Case(
        SEARCH,
        pb.SearchPapersRequest(query="a", filter=pb.PaperFilter(first_year=0)),
        INVALID,
        "filter.first_year",
    ),
    Case(BATCH, pb.BatchListRelatedPapersRequest(), MISSING, "requests"),
    Case(BATCH, pb.BatchListRelatedPapersRequest(requests=[listing()] * 101), INVALID, "requests"),
    Case(GET_PAPER, papers_pb.GetPaperRequest(), MISSING, "paper_id"),
    Case(GET_PAPER, papers_pb.GetPaperRequest(paper_id="no-such"), Reason.PAPER_NOT_FOUND),
    Case(GET_PAPER, papers_pb.GetPaperRequest(paper_id="graph-05", view=9), INVALID, "view"),  # type: ignore[arg-type]
    Case(
        GET_PAPERS,
        papers_pb.BatchGetPapersRequest(paper_ids=["a", "x" * 1025]),
        INVALID,
        "paper_ids[1]",
    ),
    Case(GET_PAPERS, papers_pb.BatchGetPapersRequest(), MISSING, "paper_ids"),
    Case(
        GET_PAPERS,
        papers_pb.BatchGetPapersRequest(paper_ids=["x"] * 1001),
        INVALID,
        "paper_ids",
    ),
    Case(GET_MODEL, models_pb.GetModelRequest(version="no-such"), Reason.MODEL_NOT_FOUND),
    Case(GET_MODEL, models_pb.GetModelRequest(version="../.."), Reason.MODEL_NOT_FOUND),
    Case(LIST_MODELS, models_pb.ListModelsRequest(page_size=-1), INVALID, "page_size"),
    Case(LIST_MODELS, models_pb.ListModelsRequest(page_token="forged"), TOKEN, "page_token"),
]


async def call(running: Running, method: str, request: bytes) -> grpc.aio.AioRpcError:
    """The error of a call."""
    send: Any = running.channel.unary_unary(f"/relatedpapers.v1.{method}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(request)
    return caught.value


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


@pytest.mark.parametrize("case", ERRORS, ids=[f"{i}-{case.name}" for i, case in enumerate(ERRORS)])
async def test_error(running: Running, case: Case) -> None:
    error = await call(running, case.method, case.request.SerializeToString())
    info = error_info(error)
    assert error.code().value[0] == CODES[case.reason]
    assert info.reason == case.reason
    assert info.domain == DOMAIN
    if case.field is not None:
        assert info.metadata["field"] == case.field
        assert case.field.split("[")[0].split(".")[-1] in (error.details() or "")
    assert case.says in (error.details() or "")
    assert len(error.details() or "") < 1000


async def test_bytes_that_are_no_request(running: Running) -> None:
    error = await call(running, LIST, b"\xff\xff\xff")
    assert error.code() == Code.INVALID_ARGUMENT
    assert error_info(error).reason == Reason.REQUEST_MALFORMED


async def test_a_message_over_the_limit(running: Running) -> None:
    error = await call(running, LIST, listing(paper_ids=["x" * 17_000_000]).SerializeToString())
    assert error.code() == Code.RESOURCE_EXHAUSTED
    assert "16777216" in (error.details() or "")


async def test_a_deadline_that_has_passed(running: Running) -> None:
    send: Any = running.channel.unary_unary(f"/relatedpapers.v1.{LIST}")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await send(
            listing().SerializeToString(), timeout=-1
        )  # a deadline of now may race with the answer
    assert caught.value.code() == Code.DEADLINE_EXCEEDED


async def test_tokens_belong_to_their_request(running: Running) -> None:
    first = await running.recommendations.ListRelatedPapers(listing(page_size=3))
    others = [
        listing(paper_ids=["graph-06"]),
        listing(popularity=1.0),
        listing(diversity=0.1),
        listing(filter=pb.PaperFilter(first_year=2001)),
        listing(negative_paper_ids=["graph-07"]),
    ]
    for token in (first.next_page_token, first.attribution_token):
        for other in others:
            other.page_token = token
            error = await call(running, LIST, other.SerializeToString())
            assert error_info(error).reason == TOKEN
    same = listing(page_token=first.attribution_token)
    assert error_info(await call(running, LIST, same.SerializeToString())).reason == TOKEN
    models = models_pb.ListModelsRequest(page_token=first.next_page_token)
    error = await call(running, LIST_MODELS, models.SerializeToString())
    assert error_info(error).reason == TOKEN


def test_every_reason_has_a_code() -> None:
    assert set(CODES) == set(Reason)
