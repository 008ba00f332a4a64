"""What tests in a real browser share: how a page is looked at, what may not happen in one, axe, and
a web site of somebody else's."""

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, NamedTuple, Self
from urllib.parse import urlsplit

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Request,
    ViewportSize,
)

_AXE = Axe().axe_script
_RUN_AXE = """async context =>
    (await axe.run(context ?? document, {resultTypes: ["violations"]})).violations"""
_OURS = {"localhost", "127.0.0.1", ""}  # data: and blob: have no host


class Look(NamedTuple):
    """How somebody looks at a page. width: of the window, in CSS pixels."""

    width: int
    dark: bool = False

    def __str__(self) -> str:
        """As a test's name shows it."""
        return f"{self.width}-{'dark' if self.dark else 'light'}"

    def options(self) -> dict[str, Any]:
        """What `Browser.new_context` takes."""
        return {
            "viewport": self.window,
            "color_scheme": self.scheme,
            "is_mobile": self.phone,
            "has_touch": self.phone,
        }

    @property
    def phone(self) -> bool:
        """Whether it is a phone's, which is made as one and stays one."""
        return self.width < 600

    @property
    def window(self) -> ViewportSize:
        """Its size in CSS pixels."""
        return {"width": self.width, "height": 700 if self.phone else 900}

    @property
    def scheme(self) -> Literal["light", "dark"]:
        """The colours that its owner prefers."""
        return "dark" if self.dark else "light"


DESKTOP = Look(1280)
LOOKS = [Look(width, dark) for width in (320, 390, 1280) for dark in (False, True)]
"""Two phones and a desktop, each in light and dark: `@pytest.mark.parametrize("look", LOOKS,
ids=str)`."""
DEVICES = [Look(320), DESKTOP]
"""A phone and a desktop, for tests that ask `sound` for the looks of each."""


class Problems:
    """What went wrong in the pages of a test: errors on the console (a violation of a content
    security policy is one), errors that no script caught, requests to a third party."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def watch(self, context: BrowserContext) -> None:
        """Notice what goes wrong in every page of a browser context."""
        context.on("console", self._console)
        context.on("weberror", lambda error: self.seen.append(f"uncaught: {error.error}"))
        context.on("request", self._request)

    def expect(self, pattern: str) -> None:
        """Problems that match this regular expression are what the test is about.

        The browser itself writes an error for every answer of 400 and more.
        """
        self._expected.append(re.compile(pattern))

    def unexpected(self) -> list[str]:
        """The problems that no test expected."""
        return [
            each for each in self.seen if not any(known.search(each) for known in self._expected)
        ]

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "assert"}:
            self.seen.append(f"{message.text} ({message.location.get('url')})")

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).hostname not in {*_OURS, None}:
            self.seen.append(f"request to a third party: {request.url}")


async def settle(page: Page) -> None:
    """Wait until what the page said so far has arrived here."""
    try:
        await page.evaluate("0")
    except Error as error:  # it was closed, or is at a dialog
        if not page.is_closed():
            raise AssertionError(f"the page does not answer: {error}") from error


async def axe(page: Page, context: str | None = None) -> None:
    """Assert that axe-core finds nothing in a page, best practices included.

    context: a CSS selector of the part to look at; absent, the whole page.
    """
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(_AXE)
    violations = await page.evaluate(_RUN_AXE, context)
    found = [
        f"{violation['id']}: {violation['help']}: "
        + "; ".join(f"{node['html'][:300]} {node['failureSummary']}" for node in violation["nodes"])
        for violation in violations
    ]
    assert not found, "\n".join(found)


async def assert_no_sideways_scroll(page: Page) -> None:
    """Assert that the page is no wider than the window."""
    window = page.viewport_size
    assert window is not None
    width = await page.evaluate("document.documentElement.scrollWidth")
    # Not innerWidth: a phone zooms out until what is too wide fits.
    assert width <= window["width"], f"the page is {width} px wide, the window {window['width']}"


async def sound(page: Page) -> None:
    """Assert that what a page shows now fits in every look of its device, and that axe-core finds
    nothing at the device's least width, in light and in dark.

    It is not loaded anew: the window changes its size, and its owner the colours. At the end they
    are what they were when the page was made by `browse(device)`, with a device of `DEVICES`. After
    a click that leads elsewhere, first wait for the heading there.
    """
    window = page.viewport_size
    assert window is not None
    device = Look(window["width"])
    assert device in DEVICES
    for look in (each for each in LOOKS if each.phone == device.phone):
        await turn(page, look)
        try:
            await assert_no_sideways_scroll(page)
            if look.width == device.width:
                await axe(page)
        except AssertionError as error:
            error.add_note(f"as {look}")
            raise
    await turn(page, device)


async def turn(page: Page, look: Look) -> None:
    """Let a page be seen in another look, without loading it anew."""
    await page.set_viewport_size(look.window)
    await page.emulate_media(color_scheme=look.scheme)


class Site:
    """Somebody else's web site: an origin of its own that serves what a test gives it."""

    def __init__(self) -> None:
        # A browser asks for an icon by itself.
        self._pages: dict[str, tuple[bytes, dict[str, str]]] = {"/favicon.ico": (b"", {})}
        pages = self._pages

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                path = urlsplit(self.path).path
                body, headers = pages.get(path, (b"", {}))
                self.send_response(200 if path in pages else 404)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # Another site than 127.0.0.1, and as trustworthy: what needs a secure context works.
        self.origin = f"http://localhost:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def add(
        self,
        body: str,
        *,
        policy: str = "default-src 'none'",
        content_type: str = "text/html; charset=utf-8",
        path: str = "",
    ) -> str:
        """Serve something, and return its URL.

        policy: the Content-Security-Policy to serve it under; empty for none.
        path: where, from a slash on; absent, wherever there is room.
        """
        path = path or f"/{len(self._pages)}"
        headers = {"Content-Type": content_type}
        if policy:
            headers["Content-Security-Policy"] = policy
        self._pages[path] = (body.encode(), headers)
        return self.origin + path


def document(
    body: str, *, head: str = "", lang: str = "en", direction: str = "ltr", background: str = ""
) -> str:
    """A whole HTML page, with everything that axe wants of one.

    background: its colour, which no policy forbids; axe takes a dark page without one for white.
    """
    colour = f' bgcolor="{background}"' if background else ""
    return (
        f'<!doctype html><html lang="{lang}" dir="{direction}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Somebody's page</title>{head}</head>"
        f"<body{colour}><main><h1>Somebody's page</h1>{body}</main></body></html>"
    )
