"""Papers that want to run scripts, to lead readers away and to break the layout, in the widget and
in its frame."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.support import LOOKS, Look, Site, assert_no_sideways_scroll, axe
from tests.browser.widget import ground, host, tag
from tests.explorer import hostile
from tests.serving import Addresses

SEED = "plain-3"
LINKS = "[...root.querySelectorAll('a')].map(each => [each.protocol, each.getAttribute('href')])"


async def _is_harmless(page: Page, links: list[list[str]], service: Addresses) -> None:
    """Nothing ran, nothing is too wide, every link stays with the service."""
    assert await page.evaluate(f"window.{hostile.MARK}") is None
    await assert_no_sideways_scroll(page)
    assert len(links) > len(hostile.IDS)
    for protocol, href in links:
        assert protocol == "http:"
        assert href.startswith((f"{service.web}/papers", "/papers")), href
    await axe(page)


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_widget(look: Look, browse: Browse, hostile_service: Addresses, site: Site) -> None:
    page = await browse(look)
    body = tag(hostile_service.web, paper_id=SEED, limit="100", popularity="0")
    await page.goto(host(site, hostile_service.web, body, background=ground(look)))
    items = page.locator("related-papers .list > li")
    await expect(items).to_have_count(len(hostile.papers()) - 1)
    for number in range(4):
        await items.nth(number).locator("summary").click()
    await expect(page.locator("related-papers .evidence .message")).to_have_count(0)
    titles = await items.locator("> div > a.title").all_text_contents()
    for paper in hostile.papers()[: len(hostile.TEXTS) - 1]:
        assert str(paper["title"]).strip() in titles, "a title is text, whatever is in it"
    root = "document.querySelector('related-papers').shadowRoot"
    links = await page.evaluate(LINKS.replace("root", root))
    await _is_harmless(page, links, hostile_service)


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_frame(look: Look, browse: Browse, hostile_service: Addresses) -> None:
    page = await browse(look)
    await page.goto(f"{hostile_service.web}/embed/papers/{SEED}?limit=100&popularity=0")
    await expect(page.locator(".list > li")).to_have_count(len(hostile.papers()) - 1)
    for each in (await page.locator("summary").all())[:4]:
        await each.click()
    links = await page.evaluate(LINKS.replace("root", "document"))
    await _is_harmless(page, links, hostile_service)


async def test_every_id_can_be_asked_for(
    page: Page, hostile_service: Addresses, site: Site
) -> None:
    await page.goto(host(site, hostile_service.web, tag(hostile_service.web, paper_id=SEED)))
    for paper_id in hostile.IDS:
        told = await page.evaluate(
            """([endpoint, id]) => new Promise((done) => {
              const element = document.querySelector("related-papers");
              for (const name of ["load", "error"])
                element.addEventListener(`related-papers-${name}`, () => done(name));
              element.setAttribute("endpoint", endpoint);
              element.setAttribute("paper-id", id);
            })""",
            [hostile_service.web, paper_id],
        )
        assert told == "load", paper_id
