"""Fixtures for tests in a real browser: the system's Chromium, driven by Playwright.

A test is an `async def` that takes

- `service`: the addresses (`.web`, `.grpc`) of one running service over the sample, with readers,
  on loopback without keys. Shared by all tests: use reader ids of your own.
- `page`: a desktop page. Every page fails its test at the end on an error on its console, an
  uncaught error, a violation of its content security policy, or a request to a third party; those
  that the test is about it names first: `problems.expect(r"503")`.
- `browse(look, **options)`: more pages, as phones (320 and 390 px) or desktop, light or dark:
  `@pytest.mark.parametrize("look", LOOKS, ids=str)`; options are those of `Browser.new_context`.
- `site`: a foreign origin, admitted by the service's CORS setting: `site.add(document("<p>..."),
  policy="...")` returns a URL.

and from tests.browser.support `await axe(page)`, `await assert_no_sideways_scroll(page)`, and both
in every look of a device: `browse(device)`, then `await sound(page)` whenever it shows what is new.

All run in one event loop, the browser's. An async fixture of your own therefore says
`@pytest_asyncio.fixture(loop_scope="session")`. Wait with Playwright's own waiting (`expect`,
`wait_for_function`, `expect_request`), never by sleeping.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.support import DESKTOP, Look, Problems, Site, settle
from tests.explorer import hostile
from tests.serving import Addresses, serve_both, trained_once
from tests.support import PATIENCE_SECONDS, ROOT, require_tool

DISABLED = [
    # The address bar's own pages and a renderer in reserve: two thirds of what a new window costs.
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxFullPopup",
    "SpareRendererForSitePerProcess",
    # What Playwright disables: of two such flags, Chromium heeds the last.
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
FLAGS = [
    "--no-sandbox",  # a container's root has none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-gl=disabled",  # instead of a GPU made of software
    f"--disable-features={','.join(DISABLED)}",
]

expect.set_options(timeout=PATIENCE_SECONDS * 1000)

Browse = Callable[..., Awaitable[Page]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium, one for all tests; each test has contexts of its own."""
    chromium = require_tool("chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A foreign origin."""
    with Site() as site:
        yield site


@pytest.fixture(scope="session")
def demo_model(shared: Path) -> Path:
    """The sample with its readers, as `make demo` trains it. Do not change it."""
    sample = ROOT / "models" / "sample"
    return trained_once(
        shared / "demo-model",
        sample / "papers.jsonl",
        interactions=sample / "interactions.jsonl",
    )


@pytest.fixture(scope="session")
def service(
    demo_model: Path, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """The service, for all tests."""
    data = tmp_path_factory.mktemp("browser-data")
    with serve_both(demo_model, data, RELATED_PAPERS_CORS_ORIGINS=site.origin) as addresses:
        yield addresses


@pytest.fixture(scope="session")
def hostile_service(
    shared: Path, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """The service over the hostile corpus, for all tests."""
    data = tmp_path_factory.mktemp("hostile-data")
    model = hostile.model(shared)
    with serve_both(model, data, RELATED_PAPERS_CORS_ORIGINS=site.origin) as addresses:
        yield addresses


@pytest.fixture
def problems() -> Problems:
    """What goes wrong in the pages of this test."""
    return Problems()


@pytest_asyncio.fixture(loop_scope="session")
async def browse(browser: Browser, problems: Problems) -> AsyncIterator[Browse]:
    """Opens pages that are watched."""
    pages: list[Page] = []

    async def browse(look: Look = DESKTOP, **options: Any) -> Page:
        context = await browser.new_context(**{**look.options(), **options})
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        problems.watch(context)
        page = await context.new_page()
        pages.append(page)
        return page

    yield browse
    for page in pages:
        await settle(page)
        await page.context.close()
    assert not problems.unexpected(), "\n".join(problems.unexpected())


@pytest_asyncio.fixture(loop_scope="session")
async def page(browse: Browse) -> Page:
    """A desktop page."""
    return await browse()
