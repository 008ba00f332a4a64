"""The widget before its answer, without one, and with none to show."""

import asyncio

import pytest
from playwright.async_api import Page, Request, Route, expect

from tests.browser.conftest import Browse
from tests.browser.support import (
    LOOKS,
    Look,
    Problems,
    Site,
    assert_no_sideways_scroll,
    axe,
)
from tests.browser.widget import LIST, ground, host, serving_papers, tag
from tests.serving import Addresses


async def test_asks_when_it_comes_near_and_not_before(
    page: Page, service: Addresses, site: Site
) -> None:
    far = "<svg width='10' height='5000' aria-hidden='true'></svg>" + tag(service.web)
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if "List" in request.url else None)
    await page.goto(host(site, service.web, far))
    await expect(page.locator("related-papers .skeleton")).to_have_count(1)
    # An observer that began after the widget's own has heard, so the widget's has.
    await page.evaluate(
        "() => new Promise(done => new IntersectionObserver(done)"
        ".observe(document.querySelector('related-papers')))"
    )
    assert asked == []
    await page.locator("related-papers").scroll_into_view_if_needed()
    await expect(page.locator("related-papers .list")).to_be_visible()
    [request] = asked
    assert request.method == "GET"


async def test_asks_by_post_where_get_is_refused(
    page: Page, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("405")

    async def refuse(route: Route) -> None:
        if route.request.method == "GET":
            await route.fulfill(status=405, headers={"access-control-allow-origin": "*"})
        else:
            await route.continue_()

    await page.route(LIST, refuse)
    await page.goto(host(site, service.web))
    await expect(page.locator("related-papers .list")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_slow(look: Look, browse: Browse, service: Addresses, site: Site) -> None:
    page = await browse(look)
    go = asyncio.Event()

    async def hold(route: Route) -> None:
        await go.wait()
        await route.continue_()

    await page.route(LIST, hold)
    await page.goto(host(site, service.web, background=ground(look)))
    await expect(page.locator("related-papers .skeleton")).to_be_visible()
    await expect(page.locator("related-papers .section")).to_have_attribute("aria-busy", "true")
    await axe(page)
    await assert_no_sideways_scroll(page)
    go.set()
    await expect(page.locator("related-papers .list")).to_be_visible()
    await expect(page.locator("related-papers .section")).to_have_attribute("aria-busy", "false")


async def test_too_slow(page: Page, service: Addresses, site: Site) -> None:
    await page.route(LIST, lambda _: None)
    await page.goto(host(site, service.web, tag(service.web, timeout="50")))
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_failing_and_again(
    look: Look, browse: Browse, service: Addresses, site: Site, problems: Problems
) -> None:
    page = await browse(look)
    problems.expect("503")

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, headers={"access-control-allow-origin": "*"}, body="no")

    await page.route(LIST, fail)
    await page.goto(host(site, service.web, background=ground(look)))
    await expect(page.get_by_role("status")).to_have_text("The related papers could not be loaded.")
    await axe(page)
    await assert_no_sideways_scroll(page)
    await page.unroute(LIST)
    await page.get_by_role("button", name="Try again").press("Enter")
    await expect(page.locator("related-papers .list")).to_be_visible()
    focused = "document.querySelector('related-papers').shadowRoot.activeElement.className"
    assert await page.evaluate(focused) == "section", "the focus is not lost with the button"


async def test_an_answer_that_is_none_is_an_error(
    page: Page, service: Addresses, site: Site
) -> None:
    async def sign_in(route: Route) -> None:
        headers = {"access-control-allow-origin": "*"}
        await route.fulfill(body="<h1>Sign in to this network</h1>", headers=headers)

    await page.route(LIST, sign_in)
    await page.goto(host(site, service.web))
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()


async def test_unknown_paper(
    page: Page, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("404")
    await page.goto(host(site, service.web, tag(service.web, paper_id="none such")))
    await expect(page.get_by_role("status")).to_have_text("This paper is not in the collection.")
    await expect(page.get_by_role("button")).to_have_count(0)
    await axe(page)


@pytest.mark.parametrize(
    "attributes",
    [{"endpoint": None}, {"endpoint": "javascript:alert(1)"}, {"paper_id": None}],
    ids=str,
)
async def test_wrong_attributes(
    attributes: dict[str, str | None], page: Page, service: Addresses, site: Site
) -> None:
    await page.goto(host(site, service.web, tag(service.web, **attributes)))
    await expect(page.get_by_role("status")).to_have_text("The related papers could not be loaded.")


async def test_nothing_is_related(
    page: Page, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> None:
    alone = [{"id": "alone", "title": "Alone in the world"}]
    with serving_papers(alone, tmp_path_factory, site.origin) as service:
        await page.goto(host(site, service.web, tag(service.web, paper_id="alone")))
        await expect(page.locator("related-papers .message")).to_have_text(
            "No related papers were found."
        )
        await axe(page)
