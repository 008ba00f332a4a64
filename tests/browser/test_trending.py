"""The room of trending papers: what readers did, why a paper is there, other windows."""

import re
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, axe, sound
from tests.serving import Addresses, client_of
from tests.support import wait_until

CHOSEN = "arXiv:1706.03762"
TITLE = "Attention Is All You Need"
READERS = 9


@pytest.fixture(scope="module")
def trending(service: Addresses) -> Addresses:
    """The service, after a few readers chose a paper."""
    events = [
        {"reader_id": f"trending-{number}", "paper_id": CHOSEN, "type": kind}
        for number in range(READERS)
        for kind in ("impression", "click", "save")
    ]
    with client_of(service.grpc) as client:
        assert not any(each.error for each in client.write_feedback(events))

        def counted() -> bool:
            return any(
                each.paper.id == CHOSEN
                and reason.event_type == "save"
                and reason.readers >= READERS
                for each in client.list_trending_papers(limit=20)
                for reason in each.reasons
            )

        wait_until(counted, "what readers did is counted")
    return service


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_room_is_accessible_and_fits(
    browse: Browse, trending: Addresses, device: Look
) -> None:
    page = await browse(device)
    await page.goto(f"{trending.web}/trending")
    await page.locator(".why summary").first.click()
    await sound(page)


@pytest.mark.parametrize("options", [{}, {"java_script_enabled": False}], ids=["script", "none"])
async def test_why_and_windows_work_with_and_without_a_script(
    browse: Browse, trending: Addresses, options: dict[str, Any]
) -> None:
    page = await browse(**options)
    await page.goto(trending.web)
    await page.get_by_role("navigation", name="Rooms").get_by_role("link", name="Trending").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Trending papers")
    item = page.locator(".item", has=page.get_by_role("link", name=TITLE))
    await item.locator("summary").click()
    table = item.get_by_role("table", name=f"What readers did with {TITLE}")
    await expect(table.get_by_role("row", name=re.compile(r"^saved it \d+"))).to_be_visible()
    adds = await table.locator("tbody tr td:last-child").all_inner_texts()
    score = await table.locator("tfoot td").inner_text()
    assert sum(map(float, adds)) == pytest.approx(float(score), abs=0.02)
    windows = page.get_by_role("navigation", name="Windows")
    await windows.get_by_role("link", name="Today").click()
    await expect(page).to_have_url(re.compile(r"/trending\?window=day$"))
    await expect(windows.locator("[aria-current=page]")).to_have_text("Today")
    await expect(item).to_be_visible()


async def test_filter_and_subscription_are_one_step_away(
    browse: Browse, trending: Addresses
) -> None:
    page = await browse()
    await page.goto(f"{trending.web}/trending")
    await page.get_by_label("From year").fill("2017")
    await page.get_by_label("To year").fill("2017")
    await page.get_by_role("button", name="Apply").click()
    await expect(page).to_have_url(re.compile("first=2017.*last=2017"))
    await expect(page.get_by_role("link", name=TITLE)).to_be_visible()
    for year in await page.locator(".byline span:last-child").all_inner_texts():
        assert year.strip(" ·") == "2017"
    await page.get_by_role("link", name="Subscribe").click()
    await expect(page).to_have_url(re.compile(r"/digest"))


async def test_first_page_shows_what_trends(browse: Browse, trending: Addresses) -> None:
    page = await browse()
    await page.goto(trending.web)
    block = page.get_by_role("region", name="Trending this week")
    await expect(block.get_by_role("link", name=TITLE)).to_be_visible()
    await expect(block).to_contain_text("saved it")
    await axe(page)
