"""Every error on both ports: the same code, sentence and one ErrorInfo over every protocol."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from relatedpapers.v1 import feedback_service_pb2 as feedback
from relatedpapers.v1 import paper_service_pb2 as papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.api_keys import Scope, create
from service.cache import CacheCounters
from service.errors import CODES, DOMAIN, Code, Reason, ServiceError
from service.grpc_server import GrpcServer
from service.handlers import Method
from service.metrics import Metrics
from service.settings import Settings
from service.web.caching import Freshness
from service.web.connect import ConnectApplication
from service.web.finishing import Finishing
from service.web.gateway import Gateway
from service.web.server import WebServer, listen
from tests.service.failing_calls import ERRORS, listing
from tests.service.support import (
    DRAFT,
    GET_PAPER,
    LIST,
    Busy,
    until,
)
from tests.serving import Running, Starting
from tests.web.http import NOTHING, Http, query
from tests.web.wires import WIRES, ConnectGet, ConnectJson, Failure, Wire, connect_failure

MESSAGE = 'Straße %41 is 100 % «wrong»: 論文 \N{WINKING FACE} at `x`, says "he".'
METADATA = {"field": "paper_ids[0]", "was": "naïve: 論文", "empty": ""}
WRITE = "FeedbackService/WriteFeedback"


def wires(running: Running) -> dict[str, Wire]:
    application = running.application
    return {name: make(application.port, application.web_port) for name, make in WIRES.items()}


async def everywhere(
    running: Running,
    method: str,
    request: papers.GetPaperRequest | object,
    headers: Mapping[str, str] = NOTHING,
    *,
    get: bool = True,
) -> Failure:
    """The one failure that every protocol tells of a call."""
    found = {
        name: await wire.call(method, request, headers)  # type: ignore[arg-type]
        for name, wire in wires(running).items()
        if get or name != "connect-get"
    }
    first = found["grpc"]
    assert isinstance(first, Failure), method
    assert all(each == first for each in found.values()), found
    return first


async def _raise(request: papers.GetPaperRequest) -> bytes:
    """A handler that fails as it is asked to."""
    reason = Reason(request.paper_id)
    if reason is Reason.UNEXPECTED:
        raise ZeroDivisionError("a secret of the inside")
    raise ServiceError(reason, MESSAGE, **METADATA)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def failing() -> AsyncIterator[dict[str, Wire]]:
    """Both adapters over one method that fails as it is asked to."""
    method = Method(
        "relatedpapers.v1.PaperService",
        "GetPaper",
        papers.GetPaperRequest,
        papers.GetPaperResponse,
        _raise,
        streaming=False,
        safe=True,
    )
    metrics = Metrics(CacheCounters(), lambda: "1a2b")
    server = GrpcServer([method], metrics, "127.0.0.1:0", 1 << 20)
    connect = ConnectApplication([method], Freshness(lambda: "1a2b"), metrics, 1 << 20)
    gateway = Gateway([method], connect, metrics, server.port)

    async def application(scope: object, receive: object, send: object) -> None:
        await gateway(scope, receive, Finishing(scope, send))  # type: ignore[arg-type]

    web = WebServer(application, listen("127.0.0.1", 0))
    await server.start()
    await web.start()
    yield {name: make(server.port, web.port) for name, make in WIRES.items()}
    await server.stop(0)
    await web.stop()


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize("reason", Reason)
async def test_every_reason(failing: dict[str, Wire], wire: str, reason: Reason) -> None:
    request = papers.GetPaperRequest(paper_id=reason.value)
    failure = await failing[wire].call("PaperService/GetPaper", request)
    assert isinstance(failure, Failure)
    if reason is Reason.UNEXPECTED:
        assert failure == Failure(
            Code.INTERNAL, "The service failed; its log says why.", reason, DOMAIN, {}
        )
    else:
        assert failure == Failure(CODES[reason], MESSAGE, reason, DOMAIN, METADATA)


async def test_what_requests_really_provoke(running: Running) -> None:
    for case in ERRORS:
        failure = await everywhere(running, case.method, case.request, get=False)
        assert failure.reason == case.reason, case.name
        assert failure.code == CODES[case.reason], case.name
        assert failure.metadata.get("field") == case.field, case.name


async def test_an_unknown_method(running: Running) -> None:
    for method in ("PaperService/GetPapers", "NoService/GetPaper", "PaperService/"):
        failure = await everywhere(running, method, papers.GetPaperRequest(paper_id="x"))
        assert (failure.code, failure.reason) == (Code.UNIMPLEMENTED, Reason.METHOD_UNKNOWN)
        assert method in failure.message


async def test_without_an_api_key(settings: Settings, tmp_path: Path) -> None:
    keys = tmp_path / "api-keys"
    key = create(keys, [Scope.READ])
    public = settings.model_copy(update={"host": "0.0.0.0", "api_key_file": keys})  # noqa: S104
    request = feedback.WriteFeedbackRequest(events=[feedback.Event(id="1")])
    async with Starting(public) as running:
        told = [
            await everywhere(running, WRITE, request, headers, get=False)
            for headers in (NOTHING, {"x-api-key": "rp_guess"}, {"authorization": f"Bearer {key}"})
        ]
    assert [failure.reason for failure in told] == [
        Reason.API_KEY_REQUIRED,
        Reason.API_KEY_INVALID,
        Reason.SCOPE_MISSING,
    ]


async def test_without_a_state_server(running: Running) -> None:
    request = pb.RecommendPapersRequest(reader_id="ada")
    failure = await everywhere(running, "RecommendationService/RecommendPapers", request)
    assert (failure.code, failure.reason) == (Code.UNAVAILABLE, Reason.STATE_AWAY)


async def test_a_deadline_that_has_passed(running: Running) -> None:
    headers = {"connect-timeout-ms": "0", "grpc-timeout": "0n"}
    for name, wire in wires(running).items():
        if name == "grpc":  # its client would not even send it
            continue
        failure = await wire.call(LIST, listing(), headers)
        assert isinstance(failure, Failure), name
        assert (failure.code, failure.reason) == (Code.DEADLINE_EXCEEDED, Reason.DEADLINE_PASSED)


async def test_a_deadline_that_passes_meanwhile(running: Running) -> None:
    headers = {"connect-timeout-ms": "50", "grpc-timeout": "50m"}
    async with Busy(running):
        for name, wire in wires(running).items():
            if name == "grpc":
                continue
            failure = await wire.call(LIST, DRAFT, headers)
            assert isinstance(failure, Failure), name
            assert failure.reason == Reason.DEADLINE_PASSED
            await until(lambda: running.application.core.background.waiting == 0)


async def test_bytes_that_are_no_message(running: Running) -> None:
    for name, wire in wires(running).items():
        if name == "connect-get":
            continue
        failure = await wire.call(LIST, b"\xff\xff\xff")
        assert isinstance(failure, Failure), name
        assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, Reason.REQUEST_MALFORMED)
        assert "relatedpapers.v1.ListRelatedPapersRequest" in failure.message


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"paper_ids": ', "line 1"),
        ('{"paper_id": ["graph-05"]}', "paper_id"),
        ('{"paperIds": "graph-05"}', "paperIds"),
        ('{"page_size": "many"}', "page"),
        ('{"diversity": {}}', "diversity"),
        ("[]", ""),
        ('"text"', ""),
        ("null", ""),
        ('{"paperIds": ["\\ud800"]}', ""),
        ("[" * 100_000, ""),
        ('{"draft": ' * 1_000, ""),
    ],
)
async def test_json_that_is_no_request(running: Running, body: str, says: str) -> None:
    wire = ConnectJson(running.application.web_port)
    failure = await wire.call(LIST, body.encode())
    assert isinstance(failure, Failure)
    assert (failure.code, failure.reason) == (Code.INVALID_ARGUMENT, Reason.REQUEST_MALFORMED)
    assert says in failure.message
    assert "\n" not in failure.message
    assert len(failure.message) < 1_000


async def test_a_message_that_is_too_large(settings: Settings) -> None:
    small = settings.model_copy(update={"max_message_bytes": 1024})
    async with Starting(small) as running:
        for name, wire in wires(running).items():
            if name == "grpc":  # gRPC's core refuses it before we are asked; see test_errors there
                continue
            failure = await wire.call(LIST, listing(paper_ids=["x" * 2_000]))
            assert isinstance(failure, Failure), name
            expected = (Code.RESOURCE_EXHAUSTED, Reason.MESSAGE_TOO_LARGE)
            assert (failure.code, failure.reason) == expected, name
            assert "1024" in failure.message


async def test_a_service_that_stops(settings: Settings) -> None:
    patient = settings.model_copy(update={"drain_seconds": 600.0})
    async with Starting(patient) as running:
        port = running.application.web_port
        async with Busy(running) as busy:
            call = asyncio.create_task(ConnectJson(port).call(LIST, DRAFT))
            await until(lambda: running.application.core.background.waiting == 1)
            stopping = asyncio.create_task(running.application.stop())
            await until(lambda: running.application._gateway.stopping)
            for wire in (ConnectJson(port), ConnectGet(port), WIRES["grpc-web"](0, port)):
                failure = await wire.call(GET_PAPER, papers.GetPaperRequest(paper_id="graph-05"))
                assert isinstance(failure, Failure)
                expected = (Code.UNAVAILABLE, Reason.SERVICE_STOPPING)
                assert (failure.code, failure.reason) == expected
            ready = await Http(port).get("/readyz")
            assert (ready.status, ready.body) == (503, b"stopping\n")
            assert (await Http(port).get("/healthz")).status == 200
            assert not stopping.done()
            busy.release()
        assert not isinstance(await call, Failure)
        await stopping


async def test_get_refuses_what_post_refuses(running: Running) -> None:
    http = Http(running.application.web_port)
    failure = connect_failure(await http.get(query(LIST, listing(paper_ids=["no-such"]))))
    assert failure is not None
    assert (failure.code, failure.reason) == (Code.NOT_FOUND, Reason.PAPER_NOT_FOUND)
