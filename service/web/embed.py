"""The widget for other people's pages: its file under an address that never changes, a page that
shows it, and the same list as plain HTML for a frame, where scripts are not wanted."""

import base64
import gzip
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersRequest, RelatedPaper
from service.errors import Code, ServiceError
from service.urls import paper_url
from service.validation import invalid
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.errors import STATUS
from service.web.explorer.facts import facts
from service.web.explorer.why import SOURCES, words
from service.web.finishing import accepts_gzip
from service.web.pages import page

PACKAGE = Path(__file__).parent / "widget"
VERSION: str = json.loads((PACKAGE / "package.json").read_text())["version"]
_README = (PACKAGE / "README.md").read_text()
SCRIPT = (PACKAGE / "related-papers.js").read_bytes()
INTEGRITY = "sha384-" + base64.b64encode(hashlib.sha384(SCRIPT).digest()).decode()
"""What a page's `integrity` attribute says, so that no other script runs in its place."""

ADDRESS = f"/widget/{VERSION}/related-papers.js"
KEPT_SECONDS = 300
"""How long a frame's list is kept before it is asked for again."""

_FOR_EVER = "public, max-age=31536000, immutable"
_PRESENT = "public, max-age=3600"
_AUTHORS = 3
_PAPERS, _MOST_PAPERS = 5, 100
_FRAME_POLICY = "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors *"
_ANYWHERE = {
    "x-content-type-options": "nosniff",
    # A page needs both to check the integrity of what another origin sends.
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}


def _attributes() -> list[tuple[str, str]]:
    """Name and meaning of each, from the table of the package's README."""
    rows = re.findall(r"^\| `([a-z-]+)` \| .*? ?\| (.*) \|$", _README, re.MULTILINE)
    return [(name, meaning.replace("`", "")) for name, meaning in rows]


ATTRIBUTES = _attributes()


class _File(NamedTuple):
    content: bytes
    compressed: bytes
    media_type: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "_File":
        return cls(content, gzip.compress(content, 9, mtime=0), f"{media_type}; charset=utf-8")


def frame_style() -> bytes:
    """The widget's own style, for a page of its own: the look has one source."""
    style = SCRIPT.decode().split("const CSS = `", 1)[1].split("`;", 1)[0]
    style = style.replace(":host([hidden])", "[hidden]").replace(":host", "body")
    frame = (
        "html { color-scheme: light dark; background: Canvas; color: CanvasText; }"
        "body { margin: 0; font-family: system-ui, sans-serif; }"
    )
    return f"{frame}\n{style}".encode()


FILES: Mapping[str, _File] = {
    "related-papers.js": _File.of(SCRIPT, "text/javascript"),
    "related-papers.css": _File.of(frame_style(), "text/css"),
}


class Bar(NamedTuple):
    """What one term adds. value: to the logit. width: of its bar, 0 to 100. against: value < 0."""

    name: str
    value: str
    width: float
    against: bool


class Item(NamedTuple):
    """A result as a frame shows it. note: what it rests on, where the model has no score."""

    result: RelatedPaper
    byline: str
    bars: list[Bar]
    note: str


async def _file(request: Request) -> Response:
    version, name = request.path_params.get("version"), request.path_params["name"]
    file = FILES.get(name)
    if file is None or version not in {None, VERSION}:
        raise HTTPException(404, f"This service has the widget's version {VERSION}.")
    headers = {**_ANYWHERE, "vary": "Accept-Encoding"}
    headers["cache-control"] = _FOR_EVER if version else _PRESENT
    headers["etag"] = f'W/"{hashlib.sha256(file.content).hexdigest()[:20]}"'
    content = file.content
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        headers["content-encoding"], content = "gzip", file.compressed
    return Response(content, media_type=file.media_type, headers=headers)


def routes(api: Api) -> list[Route]:
    """The widget's files, its page, and the lists for frames."""

    async def frame(request: Request) -> Response:
        status, items, message = HTTPStatus.OK, list[Item](), ""
        try:
            answer = await api.call("RecommendationService", _request(request), request)
            largest = _largest(answer.results)
            items = [_item(result, largest) for result in answer.results]
            message = "" if items else "No related papers were found."
        except ServiceError as error:
            status, message = STATUS[error.code], "The related papers could not be loaded."
            if error.code is Code.NOT_FOUND:
                message = "This paper is not in the collection."
            elif error.code is Code.INVALID_ARGUMENT:
                message = error.message
        return page(
            request,
            "frame.html",
            status=status,
            kept_seconds=KEPT_SECONDS if status == HTTPStatus.OK else 0,
            headers={"content-security-policy": _FRAME_POLICY},
            heading=request.query_params.get("heading", "Related papers"),
            style=f"/widget/{VERSION}/related-papers.css",
            items=items,
            message=message,
        )

    async def show(request: Request) -> Response:
        known = facts(api.catalog.serving.artifact).popular
        paper_id = request.query_params.get("paper", "").strip() or next(iter(known), "")
        return page(
            request,
            "widget.html",
            kept_seconds=KEPT_SECONDS,
            paper_id=paper_id,
            frame_url=paper_url(paper_id, "embed/papers"),
            script=ADDRESS,
            version=VERSION,
            integrity=INTEGRITY,
            origin=str(request.base_url).rstrip("/"),
            attributes=ATTRIBUTES,
            kilobytes=len(FILES["related-papers.js"].compressed) / 1000,
        )

    return [
        Route("/widget", show),
        Route("/widget/{name}", _file),
        Route("/widget/{version}/{name}", _file),
        Route("/embed/papers/{id:path}", frame),
    ]


def _request(request: Request) -> ListRelatedPapersRequest:
    query = request.query_params
    wanted = ListRelatedPapersRequest(
        paper_ids=[request.path_params["id"]], include_evidence=True, page_size=_PAPERS
    )
    if "limit" in query:
        text = query["limit"]
        wanted.page_size = int(text) if text.isdecimal() and len(text) < 4 else 0
        if not 1 <= wanted.page_size <= _MOST_PAPERS:
            raise invalid("limit", text, f"a number from 1 to {_MOST_PAPERS}")
    for name in ("popularity", "diversity"):
        if name in query:
            setattr(wanted, name, parameters.fraction(query, name, 0.0))
    return wanted


def _largest(results: Iterable[RelatedPaper]) -> float:
    """The largest contribution of a list, so that its bars compare; never 0."""
    values = (abs(value) for result in results for value in result.contributions.values())
    return max(values, default=0.0) or 1.0


def _item(result: RelatedPaper, largest: float) -> Item:
    paper = result.paper
    names = ", ".join(paper.authors[:_AUTHORS])
    others = f"{names} and others" if len(paper.authors) > _AUTHORS else names
    year = str(paper.year) if paper.HasField("year") else ""
    contributions = sorted(result.contributions.items(), key=lambda each: -each[1])
    return Item(
        result,
        " · ".join(filter(None, (others, paper.venue, year))),
        [_bar(term, value, largest) for term, value in contributions],
        SOURCES[result.source].short if result.source in SOURCES else "",
    )


def _bar(term: str, value: float, largest: float) -> Bar:
    sign = "−" if value < 0 else "+"
    width = round(100 * min(abs(value) / largest, 1.0), 2)
    return Bar(words(term).name, f"{sign}{abs(value):.1f}", width, value < 0)
