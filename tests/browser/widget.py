"""A host page with the widget in it, and what tests ask of it."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request, Route

from service.web import embed
from tests.browser.support import Look, Site, document
from tests.serving import Addresses, client_of, serve_both, train
from tests.support import PATIENCE_SECONDS

PAPER = "arXiv:1706.03762"
LIST = "**/relatedpapers.v1.RecommendationService/ListRelatedPapers*"
FEEDBACK = "/relatedpapers.v1.FeedbackService/WriteFeedback"


def policy(service: str) -> str:
    """What the README says that a host page's content security policy must allow."""
    return f"default-src 'none'; script-src {service}; connect-src {service}"


def tag(service: str, **attributes: str | None) -> str:
    """The element; `paper_id="..."` gives paper-id, and None leaves an attribute out."""
    patience = f"{PATIENCE_SECONDS * 1000:.0f}"
    given = {"paper_id": PAPER, "endpoint": service, "timeout": patience} | attributes
    pairs = [(name.replace("_", "-"), value) for name, value in given.items() if value is not None]
    shown = " ".join(f"{name}='{value}'" for name, value in pairs)
    return f"<related-papers {shown}></related-papers>"


def ground(look: Look) -> str:
    """The background of a page that follows what the reader prefers."""
    return "#121212" if look.dark else "#ffffff"


def host(site: Site, service: str, body: str | None = None, **page: str) -> str:
    """The URL of a page on a foreign origin, under the strictest policy; the script by its hash."""
    script = (
        f'<script type="module" src="{service}{embed.ADDRESS}" integrity="{embed.INTEGRITY}" '
        'crossorigin="anonymous"></script><meta name="color-scheme" content="light dark">'
    )
    body = tag(service) if body is None else body
    return site.add(document(body, head=script, **page), policy=policy(service))


def feedback_requests(page: Page) -> list[dict[str, Any]]:
    """A list that fills with the events of every request with feedback that leaves the page."""
    events: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if FEEDBACK in request.url and request.method == "POST":
            events.extend(json.loads(request.post_data or "{}")["events"])

    page.context.on("request", note)
    return events


async def freeze(page: Page) -> None:
    """From the next navigation on, time stands still but for `page.clock.run_for`."""
    await page.clock.install(time=0)
    await page.clock.pause_at(1000)


async def run_until(page: Page, condition: Callable[[], bool], what: str) -> int:
    """Let a frozen page's time pass until something is so; how many milliseconds that took.

    For what waits in the page until it has heard of an answer: it hears after the test does.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    passed = 0
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        await page.clock.run_for(100)
        passed += 100
    return passed


async def observed(page: Page) -> None:
    """Wait until the browser has told the widget what is visible: observers hear in turn."""
    await page.evaluate(
        "() => new Promise(done => new IntersectionObserver(done)"
        ".observe(document.querySelector('related-papers')))"
    )


def stored(service: Addresses, reader_id: str) -> list[tuple[str, str, int, str]]:
    """What the service has stored of a reader: type, paper, rank and surface."""
    with client_of(service.grpc) as client:
        events = list(client.export_reader(reader_id))
    return [(event.type, event.paper_id, event.rank, event.surface) for event in events]


Handler = Callable[[Route], Awaitable[None]]


@contextmanager
def serving_papers(
    papers: list[dict[str, Any]], factory: pytest.TempPathFactory, origin: str
) -> Iterator[Addresses]:
    """A service over papers of a test's own."""
    folder: Path = factory.mktemp("papers")
    lines = "".join(json.dumps(paper) + "\n" for paper in papers)
    (folder / "papers.jsonl").write_text(lines, encoding="utf-8")
    model = train(folder / "papers.jsonl", output=folder / "model")
    with serve_both(model, folder / "data", RELATED_PAPERS_CORS_ORIGINS=origin) as addresses:
        yield addresses
