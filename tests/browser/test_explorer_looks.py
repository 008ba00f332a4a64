"""Every page of the explorer at every width, in light and dark; and a corpus that is hostile."""

import re

import pytest
from playwright.async_api import Page, expect

from service.urls import paper_url
from tests.browser.conftest import Browse
from tests.browser.support import (
    DEVICES,
    LOOKS,
    Look,
    Problems,
    assert_no_sideways_scroll,
    axe,
    sound,
    turn,
)
from tests.explorer import hostile
from tests.serving import Addresses

PAGES = {
    "home": "/",
    "search": "/search",
    "results": "/search?q=learning+attention",
    "nothing": "/search?q=qwertyuiop",
    "paper": "/papers/arXiv:1706.03762",
    "adjusted": "/papers/arXiv:1706.03762?popularity=0&first=2018",
    "empty": "/papers/arXiv:1706.03762?venue=Nowhere",
    "seeds": "/related?seed=arXiv:1706.03762&seed=arXiv:1810.04805&less=arXiv:1301.3781&seed=no",
    "no-seeds": "/related",
    "choices": "/related?add=transformer",
    "trending": "/trending",
    "nothing-trends": "/trending?window=month&venue=Nowhere",
    "missing": "/nowhere",
    "refused": "/search?first=soon",
}


async def _unfold(page: Page) -> None:
    """Press every "Why?"."""
    await page.locator(".why summary").evaluate_all("all => all.forEach(each => each.click())")


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
async def test_page_is_accessible_and_fits(
    browse: Browse, service: Addresses, problems: Problems, path: str, device: Look
) -> None:
    problems.expect("404|400")
    page = await browse(device)
    await page.goto(service.web + path)
    if path == PAGES["paper"]:
        await _unfold(page)
    await sound(page)


async def test_open_completion_is_accessible_and_fits(browse: Browse, service: Addresses) -> None:
    page = await browse(DEVICES[0])
    await page.goto(service.web)
    await page.get_by_role("combobox").press_sequentially("learning")
    await expect(page.get_by_role("option").first).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await sound(page)


async def _unharmed(page: Page) -> None:
    assert await page.evaluate(f"window.{hostile.MARK}") is None
    await assert_no_sideways_scroll(page)
    await expect(page.get_by_role("contentinfo")).to_be_visible()  # nothing swallowed the rest


@pytest.mark.slow
async def test_hostile_papers_run_nothing_and_break_nothing(
    browse: Browse, hostile_service: Addresses
) -> None:
    page = await browse()
    for number, paper_id in enumerate(hostile.IDS):
        await page.goto(hostile_service.web + paper_url(paper_id))
        await _unfold(page)
        for look in (LOOKS[0], LOOKS[-1]):
            await turn(page, look)
            await _unharmed(page)
            if number % 5 == 0:
                await axe(page)


@pytest.mark.slow
async def test_hostile_papers_in_search_and_completion(
    browse: Browse, hostile_service: Addresses
) -> None:
    page = await browse(LOOKS[0])
    for text in hostile.TEXTS:
        await page.goto(hostile_service.web)
        box = page.get_by_role("combobox")
        await box.fill(text[:500])
        await box.fill("hostile")
        await expect(page.get_by_role("option").first).to_be_visible()
        await _unharmed(page)
        await box.fill(text[:900])
        await box.press("Escape")
        async with page.expect_navigation(url=re.compile(r"/search\?q=|/$")):
            await box.press("Enter")  # white space is no query, and leads back
        await _unharmed(page)


async def test_completion_opens_papers_whatever_their_ids(
    browse: Browse, hostile_service: Addresses
) -> None:
    page = await browse()
    await page.goto(hostile_service.web)
    await page.get_by_role("combobox").fill("hostile netw")
    option = page.get_by_role("option").first
    paper_id = await option.get_attribute("data-paper")
    assert paper_id in hostile.IDS
    await option.click()
    await expect(page).to_have_url(hostile_service.web + paper_url(paper_id))
