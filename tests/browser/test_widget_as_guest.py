"""The widget fits the page it stands in, and leaves nothing in it."""

import json

import pytest
from playwright.async_api import Page, Request, expect

from tests.browser.conftest import Browse
from tests.browser.support import (
    Look,
    Site,
    assert_no_sideways_scroll,
    axe,
    document,
)
from tests.browser.widget import LIST, host, tag
from tests.serving import Addresses


async def test_right_to_left(page: Page, service: Addresses, site: Site) -> None:
    await page.goto(host(site, service.web, lang="ar", direction="rtl"))
    item = page.locator("related-papers .list > li").nth(0)
    await item.locator("summary").click()
    await expect(item.locator(".terms")).to_be_visible()
    edges = await item.evaluate(
        """item => {
          const right = (selector) => item.querySelector(selector).getBoundingClientRect().right;
          const range = document.createRange();
          range.selectNodeContents(item.querySelector("a.title"));
          return {
            item: item.getBoundingClientRect().right,
            text: range.getBoundingClientRect().right,
            name: right(".name"),
            value: right(".value"),
          };
        }"""
    )
    assert abs(edges["text"] - edges["item"]) < 2
    assert edges["name"] > edges["value"]
    await expect(item.locator("a.title").first).to_have_attribute("dir", "auto")
    await axe(page)
    await assert_no_sideways_scroll(page)


async def test_dark_follows_the_page(browse: Browse, service: Addresses, site: Site) -> None:
    colours = []
    for dark in (False, True):
        page = await browse(Look(1280, dark))
        await page.goto(host(site, service.web))
        toggle = page.locator("related-papers .toggle").first
        colours.append(await toggle.evaluate("each => getComputedStyle(each).color"))
    assert colours[0] != colours[1]
    # A page that is light alone stays light, whatever the reader prefers.
    page = await browse(Look(1280, dark=True))
    await page.goto(host(site, service.web))
    await page.locator("meta[name=color-scheme]").evaluate("each => each.remove()")
    toggle = page.locator("related-papers .toggle").first
    assert await toggle.evaluate("each => getComputedStyle(each).color") == colours[0]


@pytest.mark.parametrize(("motion", "moves"), [("reduce", False), ("no-preference", True)])
async def test_motion(
    motion: str, moves: bool, browse: Browse, service: Addresses, site: Site
) -> None:
    page = await browse(reduced_motion=motion)
    await page.route(LIST, lambda _: None)
    await page.goto(host(site, service.web))
    await expect(page.locator("related-papers .skeleton")).to_be_visible()
    script = "each => each.shadowRoot.getAnimations().length > 0"
    assert await page.locator("related-papers").evaluate(script) == moves


async def test_themes(page: Page, service: Addresses, site: Site) -> None:
    style = (
        "<style>related-papers { --related-papers-accent: rgb(120, 0, 90); } "
        "related-papers::part(title) { font-weight: 300; }</style>"
    )
    script = f'<script type="module" src="{service.web}/widget/related-papers.js"></script>'
    url = site.add(document(tag(service.web), head=style + script), policy="")
    await page.goto(url)
    toggle = page.locator("related-papers .toggle").first
    await expect(toggle).to_have_css("color", "rgb(120, 0, 90)")
    await expect(page.locator("related-papers a.title").first).to_have_css("font-weight", "300")


async def test_leaves_nothing_behind(page: Page, service: Addresses, site: Site) -> None:
    await page.goto(host(site, service.web, ""))
    protocol = await page.context.new_cdp_session(page)
    await page.evaluate(
        """async (endpoint) => {
          await customElements.whenDefined("related-papers");
          const loaded = (element) => new Promise((done) =>
            element.addEventListener("related-papers-load", done, { once: true }));
          window.gone = [];
          for (let turn = 0; turn < 10; turn++) {
            const element = document.createElement("related-papers");
            element.setAttribute("endpoint", endpoint);
            element.setAttribute("paper-id", "arXiv:1706.03762");
            element.consent = true;
            const ready = loaded(element);
            document.querySelector("main").append(element);
            await ready;
            element.remove();
            window.gone.push(new WeakRef(element));
          }
        }""",
        service.web,
    )
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    for _ in range(3):
        await protocol.send("HeapProfiler.collectGarbage")
        await page.evaluate("new Promise(done => setTimeout(done))")
    # The last one may still stand in the browser's own book of what was observed.
    alive = await page.evaluate("window.gone.filter(each => each.deref()).length")
    assert alive <= 1
    assert requests == []


async def test_aborts_what_nobody_waits_for(page: Page, service: Addresses, site: Site) -> None:
    await page.route(LIST, lambda _: None)
    async with page.expect_request(LIST):
        await page.goto(host(site, service.web))
    async with page.expect_event("requestfailed") as failed:
        await page.locator("related-papers").evaluate("each => each.remove()")
    assert (await failed.value).failure == "net::ERR_ABORTED"


async def test_stores_nothing_and_sends_no_cookie(
    page: Page, service: Addresses, site: Site
) -> None:
    cookie = {"name": "session", "value": "secret", "url": service.web}
    await page.context.add_cookies([cookie])  # type: ignore[list-item]
    requests: list[Request] = []

    def note(request: Request) -> None:
        requests.append(request)

    page.on("request", note)
    await page.goto(host(site, service.web, tag(service.web, consent="")))
    async with page.expect_response(lambda answer: "WriteFeedback" in answer.url):
        await page.locator("related-papers a.title").first.click(button="middle")
    seen = [request for request in requests if request.url.startswith(service.web)]
    assert any("WriteFeedback" in request.url for request in seen)
    assert any("ListRelatedPapers" in request.url for request in seen)
    for request in seen:
        if "/relatedpapers.v1." in request.url:
            assert "cookie" not in await request.all_headers(), request.url
    assert [each["name"] for each in await page.context.cookies()] == ["session"]
    await page.bring_to_front()
    kept = await page.evaluate(
        "indexedDB.databases().then(each => [localStorage.length, sessionStorage.length, "
        "each.length])"
    )
    assert kept == [0, 0, 0]


async def test_answers_are_kept_by_the_browser(page: Page, service: Addresses, site: Site) -> None:
    url = host(site, service.web)
    await page.goto(url)
    await expect(page.locator("related-papers .list")).to_be_visible()
    async with page.expect_response(LIST) as second:
        await page.goto(url)
    assert (await second.value).request.timing["connectStart"] == -1
    assert json.loads(await (await second.value).text())["results"]
