"""The same answer over every protocol, and JSON that is protobuf's own."""

import json
import math
from typing import Any

import pytest
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    json_format,
    message_factory,
    text_format,
)
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given
from hypothesis import strategies as st

from relatedpapers.v1 import feedback_service_pb2 as feedback
from relatedpapers.v1 import model_service_pb2 as models
from relatedpapers.v1 import paper_service_pb2 as papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.handlers import SERVICES
from service.web.json_writer import answer_to_json, to_json
from tests.service.support import (
    BATCH,
    DRAFT,
    GET_MODEL,
    GET_PAPER,
    GET_PAPERS,
    LIST,
    LIST_MODELS,
)
from tests.serving import Running
from tests.web.http import Http
from tests.web.wires import WIRES, parsed

CALLS = [
    (LIST, pb.ListRelatedPapersRequest(paper_ids=["graph-05"]), pb.ListRelatedPapersResponse),
    (LIST, DRAFT, pb.ListRelatedPapersResponse),
    (
        LIST,
        pb.ListRelatedPapersRequest(
            paper_ids=["graph-05", "no-such"],
            negative_paper_ids=["graph-07"],
            include_evidence=True,
            diversity=0.3,
            view="PAPER_VIEW_FULL",
        ),
        pb.ListRelatedPapersResponse,
    ),
    (
        BATCH,
        pb.BatchListRelatedPapersRequest(
            requests=[
                pb.ListRelatedPapersRequest(paper_ids=["graph-05"]),
                pb.ListRelatedPapersRequest(paper_ids=["no-such"]),
            ]
        ),
        pb.BatchListRelatedPapersResponse,
    ),
    (GET_PAPER, papers.GetPaperRequest(paper_id="graph-05"), papers.GetPaperResponse),
    (
        GET_PAPERS,
        papers.BatchGetPapersRequest(paper_ids=["graph-05", "", "\N{WINKING FACE} <b>"]),
        papers.BatchGetPapersResponse,
    ),
    (GET_MODEL, models.GetModelRequest(), models.GetModelResponse),
    (LIST_MODELS, models.ListModelsRequest(), models.ListModelsResponse),
]


async def test_every_protocol_gives_the_same_answer(running: Running) -> None:
    application = running.application
    for method, request, response in CALLS:
        told = {}
        for name, make in WIRES.items():
            wire = make(application.port, application.web_port)
            answer = await wire.call(method, request)
            told[name] = parsed(answer, response, json=name in {"connect-json", "connect-get"})
        assert all(each == told["grpc"] for each in told.values()), method
        answered = told["grpc"]
        assert isinstance(answered, Message)
        assert answered.ByteSize()


async def test_equal_requests_are_equal_bytes(http: Http) -> None:
    asked = {"paperIds": ["graph-05"]}
    first, second = await http.post(LIST, asked), await http.post(LIST, asked)
    assert first.content == second.content
    contributions = first.json()["results"][0]["contributions"]
    assert list(contributions) == sorted(contributions)


def messages() -> list[type[Message]]:
    """Every message that a method takes or gives, and every message inside of one."""
    found: dict[str, Any] = {}

    def add(descriptor: Any) -> None:
        if descriptor.full_name not in found:
            found[descriptor.full_name] = descriptor
            for field in descriptor.fields:
                if field.message_type is not None:
                    add(field.message_type)

    for service in SERVICES:
        for method in service.methods:
            add(method.input_type)
            add(method.output_type)
    ours = [each for each in found.values() if not each.GetOptions().map_entry]
    return [GetMessageClass(each) for each in ours]


DOUBLES = st.floats(allow_nan=False) | st.just(math.nan)  # one of its many bit patterns
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


def values(field: Any, depth: int) -> st.SearchStrategy[Any]:
    kind = field.cpp_type
    if field.message_type is not None:
        return filled(GetMessageClass(field.message_type), depth)
    if field.enum_type is not None:
        return st.sampled_from([*(each.number for each in field.enum_type.values), 4711])
    if kind == FieldDescriptor.CPPTYPE_STRING:
        return TEXTS if field.type == FieldDescriptor.TYPE_STRING else st.binary(max_size=20)
    return {
        FieldDescriptor.CPPTYPE_DOUBLE: DOUBLES,
        FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
        FieldDescriptor.CPPTYPE_INT32: st.integers(-(2**31), 2**31 - 1),
        FieldDescriptor.CPPTYPE_UINT32: st.integers(0, 2**32 - 1),
        FieldDescriptor.CPPTYPE_INT64: st.integers(-(2**63), 2**63 - 1),
        FieldDescriptor.CPPTYPE_UINT64: st.integers(0, 2**64 - 1),
    }[kind]


@st.composite
def filled(draw: st.DrawFn, kind: type[Message], depth: int = 3) -> Any:
    """A message with any of its fields set to anything."""
    message: Any = kind()
    if kind.DESCRIPTOR.full_name == "google.protobuf.Timestamp":
        message.FromNanoseconds(draw(st.integers(-62_135_596_800, 253_402_300_799)) * 10**9)
        return message
    for field in kind.DESCRIPTOR.fields:
        if not draw(st.booleans()) or (field.message_type is not None and not depth):
            continue
        entry: Any = field.message_type
        if entry is not None and entry.GetOptions().map_entry:
            value = values(entry.fields_by_name["value"], depth - 1)
            getattr(message, field.name).update(draw(st.dictionaries(TEXTS, value, max_size=3)))
        elif field.is_repeated:
            each = values(field, depth - 1)
            getattr(message, field.name).extend(draw(st.lists(each, max_size=3)))
        elif field.message_type is not None:
            getattr(message, field.name).CopyFrom(draw(values(field, depth - 1)))
        else:
            setattr(message, field.name, draw(values(field, depth - 1)))
    return message


@pytest.mark.parametrize("kind", messages(), ids=lambda kind: kind.DESCRIPTOR.name)
@given(data=st.data())
def test_json_is_what_protobuf_writes(kind: type[Message], data: st.DataObject) -> None:
    message = data.draw(filled(kind))
    written = to_json(message)
    assert json.loads(written) == json.loads(json_format.MessageToJson(message))
    again = json_format.Parse(written, kind())
    assert again.SerializeToString(deterministic=True) == message.SerializeToString(
        deterministic=True
    )


@pytest.mark.parametrize("length", [1, 100_000])
def test_the_same_bytes_are_the_same_json(length: int) -> None:
    kinds: list[Any] = [papers.GetPaperRequest, models.GetModelRequest]
    for name in ("a" * length, "b" * length, "a" * length):
        for kind in kinds:  # one answer in bytes may be another message of another kind
            message = kind.FromString(papers.GetPaperRequest(paper_id=name).SerializeToString())
            assert answer_to_json(kind, message.SerializeToString()) == to_json(message)


@pytest.mark.parametrize("value", [math.pi, 5e-324, 1.7976931348623157e308, -0.0, 1e16, 1e22, 0.1])
def test_numbers_are_exact(value: float) -> None:
    written = to_json(pb.ListRelatedPapersRequest(diversity=value))
    assert math.copysign(1, json.loads(written)["diversity"]) == math.copysign(1, value)
    assert json.loads(written)["diversity"] == value


def test_empty_messages() -> None:
    for request in (feedback.WriteFeedbackRequest(), pb.ListRelatedPapersResponse()):
        assert to_json(request) == b"{}"


@pytest.mark.parametrize(
    "fields",
    [
        "name: 'ratio' number: 1 label: LABEL_OPTIONAL type: TYPE_FLOAT",
        "name: 'counts' number: 1 label: LABEL_REPEATED type: TYPE_MESSAGE type_name: 'Counts'",
    ],
    ids=["float", "map by number"],
)
def test_other_kinds_of_fields_are_written_by_protobuf(fields: str) -> None:
    """A new kind of field in a message costs time, and no answer."""
    kind = message_kind(fields)
    message = kind(**({"ratio": 0.1} if "ratio" in fields else {"counts": {2: 3.5}}))
    assert json.loads(to_json(message)) == json.loads(json_format.MessageToJson(message))


def message_kind(fields: str) -> Any:
    """The class of a message with these fields, in the text form of a FieldDescriptorProto."""
    counts = """
        nested_type {
          name: 'CountsEntry' options { map_entry: true }
          field { name: 'key' number: 1 label: LABEL_OPTIONAL type: TYPE_INT32 }
          field { name: 'value' number: 2 label: LABEL_OPTIONAL type: TYPE_DOUBLE }
        }
    """
    fields = fields.replace("'Counts'", "'.example.Other.CountsEntry'")
    file = text_format.Parse(
        f"name: 'example.proto' package: 'example' syntax: 'proto3' "
        f"message_type {{ name: 'Other' field {{ {fields} }} {counts} }}",
        descriptor_pb2.FileDescriptorProto(),
    )
    return message_factory.GetMessages([file], pool=descriptor_pool.DescriptorPool())[
        "example.Other"
    ]
