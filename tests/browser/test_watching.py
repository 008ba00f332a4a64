"""The fixtures see what they promise to see."""

import asyncio

import pytest

from tests.browser.conftest import Browse
from tests.browser.support import (
    DESKTOP,
    LOOKS,
    Look,
    Problems,
    Site,
    assert_no_sideways_scroll,
    axe,
    document,
    settle,
)
from tests.serving import Addresses
from tests.support import PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("body", "policy", "seen"),
    [
        pytest.param("<script>console.error('oh')</script>", "", "oh", id="console"),
        pytest.param("<script>throw Error('oh')</script>", "", "uncaught: oh", id="uncaught"),
        pytest.param("<p style='color: red'>", "default-src 'none'", "style-src", id="policy"),
        pytest.param("<img src='//192.0.2.1/i' alt=''>", "", "third party", id="third-party"),
        pytest.param("<img src='/absent' alt=''>", "", "404", id="missing"),
    ],
)
async def test_problems_are_seen(
    body: str, policy: str, seen: str, browse: Browse, site: Site, problems: Problems
) -> None:
    page = await browse()
    await page.goto(site.add(document(body), policy=policy), wait_until="domcontentloaded")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any(seen in each for each in problems.seen):
            await settle(page)
    assert problems.unexpected() == problems.seen
    problems.expect(".")


async def test_axe_sees(browse: Browse, site: Site) -> None:
    page = await browse(DESKTOP)
    policy = "default-src 'none'"
    await page.goto(site.add(document("<p>Nothing wrong.</p>"), policy=policy))
    await axe(page)
    await page.goto(site.add(document("<input>"), policy=policy))
    with pytest.raises(AssertionError, match="label: "):
        await axe(page)


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_looks(look: Look, browse: Browse, site: Site) -> None:
    page = await browse(look)
    await page.goto(site.add(document("<p>Narrow.</p>")))
    assert await page.evaluate("innerWidth") == look.width
    dark = await page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert dark == look.dark
    await assert_no_sideways_scroll(page)
    wide = f'<svg width="{look.width + 10}" height="10" aria-hidden="true"></svg>'
    await page.goto(site.add(document(wide)))
    with pytest.raises(AssertionError, match="px wide"):
        await assert_no_sideways_scroll(page)


async def test_the_service_answers(browse: Browse, service: Addresses) -> None:
    page = await browse()
    response = await page.goto(service.web)
    assert response is not None
    assert response.ok
