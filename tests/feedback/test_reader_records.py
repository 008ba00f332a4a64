"""ExportReader and DeleteReader over a real channel."""

from pathlib import Path

import grpc
import pytest
from google.protobuf.message import Message

from relatedpapers.v1 import feedback_service_pb2 as pb
from service.api_keys import Scope, create
from service.errors import Reason
from service.settings import Settings
from tests.feedback.support import attribution_token, event, logged, reasons, write
from tests.service.support import error_info
from tests.service.toy import DOI
from tests.serving import Running, Starting


async def export(running: Running, reader: str, **fields: object) -> pb.ExportReaderResponse:
    request = pb.ExportReaderRequest(reader_id=reader, **fields)  # type: ignore[arg-type]
    response: pb.ExportReaderResponse = await running.feedback.ExportReader(request)
    return response


async def test_everything_that_was_sent_comes_back(running: Running) -> None:
    token = await attribution_token(running)
    sent = [
        event(days_ago=3, type="impression", attribution_token=token, surface="home", rank=2),
        event(days_ago=2, type="save", value=0.5, paper_id=f"doi:{DOI}", origin="site"),
        event(days_ago=1, type="hide", paper_id="graph-07"),
        event(days_ago=0.5, type="read", id="undone"),
        event(days_ago=0.1, type="retract", paper_id="", retracted_event_id="undone"),
    ]
    assert set(reasons(await write(running, [*reversed(sent), event(reader_id="other")]))) == {""}
    answer = await export(running, "ada")
    for each in sent:  # as it is stored: milliseconds, the corpus's spelling
        each.event_time.FromMilliseconds(each.event_time.ToMilliseconds())
    sent[1].paper_id = DOI
    assert list(answer.events) == sent
    assert [(each.paper_id, each.weight, each.trained) for each in answer.library] == [
        (DOI, 0.5, False),
        ("graph-07", -1.0, False),
    ]
    assert answer.reader_revision
    assert not answer.next_page_token


async def test_pages(running: Running) -> None:
    events = [event(days_ago=day, type="read") for day in range(1, 8)]
    same_time = [event(event_time=events[0].event_time, type="click") for _ in range(5)]
    await write(running, [*events, *same_time])
    pages = [await export(running, "ada", page_size=5)]
    while token := pages[-1].next_page_token:
        pages.append(await export(running, "ada", page_size=5, page_token=token))
    assert [len(page.events) for page in pages] == [5, 5, 2]
    assert [bool(page.library) for page in pages] == [True, False, False]
    assert [bool(page.reader_revision) for page in pages] == [True, False, False]
    found = [each for page in pages for each in page.events]
    assert {each.id for each in found} == {each.id for each in (*events, *same_time)}
    order = [(each.event_time.ToMilliseconds(), each.id) for each in found]
    assert order == sorted(order)


async def test_an_unknown_reader_has_nothing(running: Running) -> None:
    assert await export(running, "nobody") == pb.ExportReaderResponse()
    answer = await running.feedback.DeleteReader(pb.DeleteReaderRequest(reader_id="nobody"))
    assert answer.deleted_event_count == 0


async def test_a_page_token_belongs_to_its_reader(running: Running) -> None:
    await write(running, [event(), event(), event(reader_id="eve")])
    token = (await export(running, "ada", page_size=1)).next_page_token
    for reader, page_token in (("eve", token), ("ada", "forged")):
        error = await fails(
            running,
            "ExportReader",
            pb.ExportReaderRequest(reader_id=reader, page_token=page_token),
        )
        assert error_info(error).reason == Reason.PAGE_TOKEN_INVALID


async def test_deletion(running: Running) -> None:
    token = await attribution_token(running)
    seen = event(type="impression", attribution_token=token)
    await write(running, [event(), event(type="save"), seen, event(reader_id="grace")])
    answer = await running.feedback.DeleteReader(pb.DeleteReaderRequest(reader_id="ada"))
    assert answer.deleted_event_count == 3
    assert [trace.name for trace in answer.gone] == ["library", "log", "trends", "append-only-file"]
    assert {"tombstone", "counters", "exports"} <= {trace.name for trace in answer.remaining}
    assert all(trace.description for trace in (*answer.gone, *answer.remaining))
    assert await export(running, "ada") == pb.ExportReaderResponse()
    assert "ada" not in {each.reader for each in await logged(running)}
    assert len((await export(running, "grace")).events) == 1
    # A new event of that reader begins a new history
    await write(running, [event(id="new")])
    assert [each.id for each in (await export(running, "ada")).events] == ["new"]


async def test_a_reader_whom_the_model_was_trained_on(
    settings: Settings, toy_reader_model: Path
) -> None:
    reader = "graph-reader-00"
    async with Starting(settings.model_copy(update={"model": toy_reader_model})) as running:
        trained = (await export(running, reader)).library
        assert trained
        assert all(each.trained and each.weight == 1.0 for each in trained)
        first, second = trained[0].paper_id, trained[1].paper_id
        await write(
            running,
            [
                event(reader_id=reader, type="unsave", paper_id=first),
                event(reader_id=reader, type="cite", paper_id=second),
                event(reader_id=reader, type="read", paper_id="market-05"),
            ],
        )
        library = {each.paper_id: each for each in (await export(running, reader)).library}
        assert first not in library
        assert (library[second].weight, library[second].trained) == (1.0, False)
        assert (library["market-05"].weight, library["market-05"].trained) == (0.5, False)
        assert all(library[each.paper_id] == each for each in trained[2:])
        # The model keeps what it was trained on, and the tombstone hides it
        request = pb.DeleteReaderRequest(reader_id=reader)
        answer = await running.feedback.DeleteReader(request)
        [model] = [trace for trace in answer.remaining if trace.name == "model"]
        assert running.application.core.catalog.serving.artifact.version in model.description
        assert await export(running, reader) == pb.ExportReaderResponse()


BAD: list[tuple[str, Message, Reason, str]] = [
    ("ExportReader", pb.ExportReaderRequest(), Reason.FIELD_MISSING, "reader_id"),
    (
        "ExportReader",
        pb.ExportReaderRequest(reader_id="r" * 257),
        Reason.FIELD_INVALID,
        "reader_id",
    ),
    (
        "ExportReader",
        pb.ExportReaderRequest(reader_id="r", page_size=-1),
        Reason.FIELD_INVALID,
        "page_size",
    ),
    ("DeleteReader", pb.DeleteReaderRequest(), Reason.FIELD_MISSING, "reader_id"),
    (
        "DeleteReader",
        pb.DeleteReaderRequest(reader_id="a\x00"),
        Reason.FIELD_INVALID,
        "reader_id",
    ),
]


async def fails(
    running: Running, method: str, request: Message, **metadata: str
) -> grpc.aio.AioRpcError:
    """The error of a call."""
    pairs = [(name.replace("_", "-"), value) for name, value in metadata.items()]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await getattr(running.feedback, method)(request, metadata=pairs)
    return caught.value


@pytest.mark.parametrize(
    ("method", "request_", "reason", "field"), BAD, ids=[f"{i}-{c[0]}" for i, c in enumerate(BAD)]
)
async def test_bad_request(
    running: Running, method: str, request_: Message, reason: Reason, field: str
) -> None:
    info = error_info(await fails(running, method, request_))
    assert (info.reason, info.metadata["field"]) == (reason, field)


async def test_both_need_the_scope_admin(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "api-keys"
    writer, admin = (create(keys, [scope]) for scope in (Scope.FEEDBACK, Scope.ADMIN))
    public = settings.model_copy(update={"host": "0.0.0.0", "api_key_file": keys})  # noqa: S104
    requests: dict[str, Message] = {
        "ExportReader": pb.ExportReaderRequest(reader_id="ada"),
        "DeleteReader": pb.DeleteReaderRequest(reader_id="ada"),
    }
    async with Starting(public) as running:
        for method, request in requests.items():
            for metadata in ({}, {"origin": "https://papers.example"}):
                error = await fails(running, method, request, **metadata)
                assert error.code() == grpc.StatusCode.UNAUTHENTICATED
            error = await fails(running, method, request, x_api_key=writer)
            assert error_info(error).reason == Reason.SCOPE_MISSING
            await getattr(running.feedback, method)(request, metadata=[("x-api-key", admin)])


async def test_without_a_state_server(settings: Settings) -> None:
    async with Starting(settings.model_copy(update={"state_url": None})) as running:
        for method, request in (
            ("ExportReader", pb.ExportReaderRequest(reader_id="ada")),
            ("DeleteReader", pb.DeleteReaderRequest(reader_id="ada")),
        ):
            error = await fails(running, method, request)
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            assert error_info(error).reason == Reason.STATE_AWAY
