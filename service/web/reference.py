"""The API for those who call it: /openapi.json for programs, /api for people."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.handlers import Method
from service.web.api import Api
from service.web.descriptions import descriptions
from service.web.openapi import document
from service.web.pages import page

KEPT_SECONDS = 300
"""How long anybody may keep these answers: they change with a release alone."""

_PAPER = "PAPER"
"""Stands for a paper of the corpus in the examples."""

_READER: Mapping[str, Any] = {"readerId": "ada"}
_MAILED = {"token": "TOKEN-OF-THE-MAIL"}
_DAILY = {"timeZone": "Europe/Berlin", "hour": 7, "content": {"trendingWindow": "week"}}

EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "ListRelatedPapers": {"paperIds": [_PAPER], "pageSize": 5},
    "BatchListRelatedPapers": {"requests": [{"paperIds": [_PAPER], "pageSize": 3}]},
    "RecommendPapers": {**_READER, "pageSize": 5},
    "SearchPapers": {"query": "graph", "pageSize": 5},
    "ListTrendingPapers": {"window": "week", "pageSize": 5},
    "GetPaper": {"paperId": _PAPER},
    "BatchGetPapers": {"paperIds": [_PAPER]},
    "WriteFeedback": {"events": [{"id": "1", **_READER, "paperId": _PAPER, "type": "save"}]},
    "ExportReader": _READER,
    "DeleteReader": _READER,
    "GetModel": {},
    "ListModels": {},
    "Subscribe": {"address": "ada@example.org", "preferences": _DAILY},
    "ConfirmSubscription": _MAILED,
    "GetSubscription": _MAILED,
    "UpdateSubscription": {**_MAILED, "preferences": _DAILY},
    "Unsubscribe": _MAILED,
    "EraseSubscription": _MAILED,
}
"""A request for each method."""


class Entry(NamedTuple):
    """A method as the page shows it."""

    name: str
    paragraphs: list[str]
    safe: bool
    example: str
    """A command to copy; empty for what this port does not answer."""


class Section(NamedTuple):
    """A service as the page shows it."""

    name: str
    about: str
    entries: list[Entry]


def routes(api: Api, methods: Sequence[Method], grpc_port: int) -> Iterator[Route]:
    """/openapi.json and /api."""
    content = orjson.dumps(document(methods))

    async def openapi(_request: Request) -> Response:
        headers = {"cache-control": f"public, max-age={KEPT_SECONDS}"}
        return Response(content, headers=headers, media_type="application/json")

    async def reference(request: Request) -> Response:
        papers = api.catalog.serving.artifact.papers
        origin = f"{request.url.scheme}://{request.url.netloc}"
        sections = list(_sections(methods, papers.id(0) if len(papers) else _PAPER, origin))
        return page(request, "api.html", sections=sections, grpc_port=grpc_port)

    yield Route("/openapi.json", openapi)
    yield Route("/api", reference)


def _sections(methods: Sequence[Method], paper_id: str, origin: str) -> Iterator[Section]:
    for service in dict.fromkeys(method.service for method in methods):
        entries = [
            _entry(method, paper_id, origin) for method in methods if method.service == service
        ]
        yield Section(service.rpartition(".")[2], descriptions().get(service, ""), entries)


def _entry(method: Method, paper_id: str, origin: str) -> Entry:
    about = descriptions().get(f"{method.service}.{method.name}", "")
    example = "" if method.streaming else _curl(method, paper_id, origin)
    return Entry(method.name, about.split("\n\n"), method.safe, example)


def _curl(method: Method, paper_id: str, origin: str) -> str:
    request = json.dumps(EXAMPLES.get(method.name, {}), ensure_ascii=False)
    request = request.replace(f'"{_PAPER}"', json.dumps(paper_id, ensure_ascii=False))
    address = shlex.quote(f"{origin}/{method.service}/{method.name}")
    return f"curl -H 'content-type: application/json' -d {shlex.quote(request)} {address}"
