"""What those who run the service look at, and how the API describes itself."""

import html
import json
import re
import shlex
import subprocess
import time

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from relatedpapers.v1 import paper_service_pb2 as papers
from service.handlers import SERVICES
from service.settings import Settings
from service.web.descriptions import descriptions
from service.web.reference import EXAMPLES
from tests.service.support import (
    DRAFT,
    GET_PAPER,
    LIST,
)
from tests.serving import Running, Starting
from tests.web.http import PACKAGE, Http, samples
from tests.web.wires import WIRES

METHODS = {
    f"/{service.full_name}/{method.name}": method
    for service in SERVICES
    for method in service.methods
}


async def test_calls_are_counted_over_every_protocol(running: Running) -> None:
    application = running.application
    http = Http(application.web_port)
    good, bad = papers.GetPaperRequest(paper_id="graph-05"), papers.GetPaperRequest(paper_id="no")
    began = time.monotonic()
    protocols = ("grpc", "connect-json", "connect-get", "connect-proto", "grpc-web")
    for make in WIRES.values():
        wire = make(application.port, application.web_port)
        for request in (good, good, bad):
            await wire.call(GET_PAPER, request)
    took = time.monotonic() - began
    counted = await samples(http)
    for protocol in protocols:
        calls = counted["related_papers_calls_total"]
        assert calls["OK", "GetPaper", protocol] == 2
        assert calls["NOT_FOUND", "GetPaper", protocol] == 1
        assert counted["related_papers_call_seconds_count"]["GetPaper", protocol] == 3
        assert 0 < counted["related_papers_call_seconds_sum"]["GetPaper", protocol] < took


async def test_callers_make_up_no_label(running: Running) -> None:
    application = running.application
    http = Http(application.web_port)
    for make in WIRES.values():
        wire = make(application.port, application.web_port)
        await wire.call("PaperService/Invented", papers.GetPaperRequest(paper_id="x"))
    await http.get("/no-such-page")
    counted = await samples(http)
    refused = {key for key in counted["related_papers_calls_total"] if key[0] == "UNIMPLEMENTED"}
    assert {method for _, method, _ in refused} == {"unknown"}
    assert len(refused) == 5
    assert counted["related_papers_pages_total"]["404",] == 1


async def test_model_and_caches_are_shown(running: Running) -> None:
    http = Http(running.application.web_port)
    for _ in range(2):
        await running.recommendations.ListRelatedPapers(DRAFT)
    counted = await samples(http)
    version = running.application.core.catalog.serving.artifact.version
    assert counted["related_papers_model_info"] == {(version,): 1}
    assert counted["related_papers_cache_answers_total"]["misses",] == 1
    assert counted["related_papers_cache_answers_total"]["local_hits",] == 1
    assert counted["related_papers_cache_failures_total"]["errors",] == 0


async def test_alive_and_ready(http: Http) -> None:
    for path, said in (("/healthz", b"alive\n"), ("/readyz", b"serving\n")):
        answer = await http.get(path)
        assert (answer.status, answer.body) == (200, said)
        assert answer.headers["cache-control"] == "no-store"
        assert (await http.send("HEAD", path)).status == 200
        refused = await http.send("POST", path)
        assert refused.status == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_openapi_document_is_valid_and_complete(http: Http) -> None:
    answer = await http.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    OpenAPIV31SpecValidator(document).validate()
    unary = {path for path, method in METHODS.items() if not method.client_streaming}
    assert set(document["paths"]) == unary
    for path, operations in document["paths"].items():
        level = METHODS[path].GetOptions().idempotency_level
        assert ("get" in operations) == (level == 1), path
        assert all(len(each["description"]) > 20 for each in operations.values())
        assert all(each["summary"].endswith(".") for each in operations.values())
    for name, schema in document["components"]["schemas"].items():
        assert schema["description"], name
        if name != "Error":
            for field, about in schema.get("properties", {}).items():
                assert about["description"], f"{name}.{field}"


async def test_answers_are_as_the_openapi_document_says(http: Http) -> None:
    document = (await http.get("/openapi.json")).json()

    def check(name: str, value: object) -> None:
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        OAS31Validator(schema).validate(value)

    asked = {"paperIds": ["graph-05"], "includeEvidence": True, "diversity": 0.5}
    check("ListRelatedPapersRequest", asked)
    check("ListRelatedPapersResponse", (await http.post(LIST, asked)).json())
    check("GetModelResponse", (await http.post("ModelService/GetModel", {})).json())
    check("Error", (await http.post(LIST, {})).json())


def test_every_name_of_the_contract_has_a_comment() -> None:
    for service in SERVICES:
        for method in service.methods:
            assert descriptions()[f"{service.full_name}.{method.name}"]
            for message in (method.input_type, method.output_type):
                assert descriptions()[message.full_name]
                assert all(descriptions()[field.full_name] for field in message.fields)
    assert descriptions()["relatedpapers.v1.PaperView.PAPER_VIEW_ID"] == "The id alone."


def test_every_method_has_an_example() -> None:
    unary = {method.name for method in METHODS.values() if not method.client_streaming}
    assert set(EXAMPLES) == unary


async def test_the_examples_of_the_page_work(settings: Settings, state_url: str) -> None:
    stateful = settings.model_copy(update={"state_url": state_url})
    async with Starting(stateful) as running:
        http = Http(running.application.web_port)
        host = {"host": f"localhost:{http.port}"}
        shown = (await http.get("/api", host)).content.decode()
        commands = [html.unescape(each) for each in re.findall(r"<code>(curl.*?)</code>", shown)]
        assert len(commands) == len(EXAMPLES)
        for command in commands:
            words = shlex.split(command)
            assert words[-1].startswith(f"http://localhost:{http.port}{PACKAGE}")
            answer = await http.post(
                words[-1].partition(PACKAGE)[2], json.loads(words[words.index("-d") + 1])
            )
            if "TOKEN-OF-THE-MAIL" in command:  # which nobody has but the mailbox
                assert answer.json()["details"][0]["debug"]["reason"] == "DIGEST_TOKEN_INVALID"
            else:
                assert answer.status == 200, command
        # And one of them as it stands, in a shell.
        import asyncio

        result = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", commands[0]], capture_output=True, check=True
        )
        assert json.loads(result.stdout)["results"]


@pytest.mark.parametrize("host", ["<script>alert(1)</script>", "x'; rm -rf /", "$(id)"])
async def test_a_hostile_host_name_stays_text(settings: Settings, host: str) -> None:
    public = settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104
    async with Starting(public) as running:
        answer = await Http(running.application.web_port).get("/api", {"host": host})
    shown = answer.content.decode()
    assert "<script>alert" not in shown
    for command in re.findall(r"<code>(curl.*?)</code>", shown):
        assert shlex.split(html.unescape(command))[-1].count("relatedpapers.v1") == 1


async def test_a_failed_call_costs_no_series_of_its_own(running: Running) -> None:
    http = Http(running.application.web_port)
    for number in range(20):
        await http.post(LIST, {"paperIds": [f"no-such-{number}"]})
        await http.get(f"/no-such-page-{number}")
    counted = await samples(http)
    assert counted["related_papers_calls_total"]["NOT_FOUND", "ListRelatedPapers", "connect-json"]
    assert len(counted["related_papers_calls_total"]) == 1
