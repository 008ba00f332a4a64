"""What the widget reports: nothing before a reader agrees, and then each thing once."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Browse
from tests.browser.support import DESKTOP, Problems, Site, document
from tests.browser.widget import (
    FEEDBACK,
    feedback_requests,
    freeze,
    host,
    observed,
    run_until,
    stored,
    tag,
)
from tests.serving import Addresses
from tests.support import wait_until

LIST_SHOWN = "related-papers .list"
FIRST = "related-papers .list > li:first-child > div > a.title"
WRITE = f"**{FEEDBACK}"


def reader() -> str:
    return f"widget-{uuid.uuid4()}"


async def test_no_request_leaves_before_consent(page: Page, service: Addresses, site: Site) -> None:
    sent, who = feedback_requests(page), reader()
    await freeze(page)
    there = site.add(document("There."))
    body = tag(service.web, reader_id=who, link_template=f"{there}?{{id}}")
    await page.goto(host(site, service.web, body))
    await page.locator(LIST_SHOWN).wait_for()
    await observed(page)
    await page.clock.run_for(10_000)
    await page.locator("related-papers summary").first.click()
    await page.locator(FIRST).click(button="middle")
    await page.locator(FIRST).click()
    await page.wait_for_url(f"{there}*")
    assert sent == []
    assert stored(service, who) == []


async def test_what_is_no_yes_is_a_no(page: Page, service: Addresses, site: Site) -> None:
    sent = feedback_requests(page)
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, consent="false", limit="1")))
    await page.locator(LIST_SHOWN).wait_for()
    await observed(page)
    await page.clock.run_for(10_000)
    assert sent == []


async def test_consent_lets_out_what_comes_after_it_alone(
    page: Page, service: Addresses, site: Site
) -> None:
    sent, who = feedback_requests(page), reader()
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, reader_id=who, limit="2")))
    await page.locator(LIST_SHOWN).wait_for()
    await page.locator(FIRST).click(button="middle")
    await page.bring_to_front()
    await page.clock.run_for(10_000)
    element = page.locator("related-papers")
    await element.evaluate("each => { each.consent = true }")
    await observed(page)
    await page.clock.run_for(999)
    assert sent == [], "a second begins with consent"
    async with page.expect_response(WRITE) as answered:
        await page.clock.run_for(1000)
    assert (await answered.value).ok
    events = [("impression", rank, "widget") for rank in (1, 2)]
    assert [(each["type"], each["rank"], each["surface"]) for each in sent] == events
    kept = stored(service, who)
    assert sorted(each[2] for each in kept) == [1, 2]
    assert {each[0] for each in kept} == {"impression"}, "the click came before consent"


async def test_an_impression_needs_half_of_it_for_a_second(
    page: Page, service: Addresses, site: Site
) -> None:
    sent = feedback_requests(page)
    await freeze(page)
    space = "<svg width='10' height='{}' aria-hidden='true'></svg>"
    body = space.format(100) + tag(service.web, consent="", limit="1") + space.format(5000)
    await page.goto(host(site, service.web, body))
    head = page.locator("related-papers [data-index]")
    await head.wait_for()

    async def visible(share: float) -> None:
        """Scroll until this share of the paper is in the window."""
        await head.evaluate(
            "(each, share) => { const box = each.getBoundingClientRect();"
            " scrollBy(0, box.top + box.height * (1 - share)) }",
            share,
        )
        await observed(page)

    await visible(1.0)
    await page.clock.run_for(900)
    await visible(0.4)  # it leaves before its second is over
    await page.clock.run_for(5000)
    assert sent == []
    await visible(0.6)
    await page.clock.run_for(999)
    assert sent == []
    async with page.expect_response(WRITE):
        await page.clock.run_for(1000)
    await visible(0.0)
    await visible(1.0)
    await page.clock.run_for(5000)
    assert [event["rank"] for event in sent] == [1], "it counts once"


async def test_a_page_that_nobody_looks_at_makes_no_impression(
    page: Page, service: Addresses, site: Site
) -> None:
    sent = feedback_requests(page)
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, consent="", limit="1")))
    await page.locator(LIST_SHOWN).wait_for()
    await observed(page)
    turn = (
        "state => { Object.defineProperty(document, 'visibilityState', "
        "{ value: state, configurable: true });"
        " document.dispatchEvent(new Event('visibilitychange')) }"
    )
    await page.evaluate(turn, "hidden")
    await page.clock.run_for(10_000)
    assert sent == []
    await page.evaluate(turn, "visible")
    await observed(page)
    async with page.expect_response(WRITE):
        await page.clock.run_for(2000)
    assert len(sent) == 1


async def test_a_click_is_stored_though_the_page_is_left(
    page: Page, service: Addresses, site: Site
) -> None:
    sent, who = feedback_requests(page), reader()
    there = site.add(document("There."))
    body = tag(service.web, reader_id=who, consent="", link_template=f"{there}?{{id}}")
    await page.goto(host(site, service.web, body))
    await page.locator(FIRST).click()
    await page.wait_for_url(f"{there}*")
    click = ("click", unquote(page.url.partition("?")[2]), 1, "widget")
    wait_until(lambda: click in stored(service, who), "the click is stored")
    assert all(event["attributionToken"] for event in sent)


async def test_a_reader_without_a_name_is_one_of_this_page_view(
    page: Page, service: Addresses, site: Site
) -> None:
    sent = feedback_requests(page)
    body = tag(service.web, consent="", limit="1", surface="sidebar")
    url = host(site, service.web, body + body)
    names = []
    for _ in range(2):
        await page.goto(url)
        await expect(page.locator(LIST_SHOWN)).to_have_count(2)
        for each in await page.locator(FIRST).all():
            async with page.expect_response(WRITE):
                await each.click(button="middle")
            await page.bring_to_front()
        # Not the impressions: those of the view before may leave when its page does.
        readers = {event["readerId"] for event in sent if event["type"] == "click"}
        assert len(readers) == 1, "two widgets of one page view"
        names.append(readers.pop())
        papers = [event["paperId"] for event in sent if event["type"] == "click"]
        clicks = [("click", paper, 1, "sidebar") for paper in papers]
        assert sorted(each for each in stored(service, names[-1]) if each in clicks) == sorted(
            clicks
        )
        assert len(clicks) == 2
        sent.clear()
    assert names[0] != names[1]


async def test_sent_again_with_the_same_ids(
    browse: Browse, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("503|ERR_FAILED")
    page = await browse(DESKTOP)
    sent, who = feedback_requests(page), reader()
    answers: list[Mapping[str, int]] = [{"status": 503}, {}]

    async def stumble(route: Route) -> None:
        # Only what holds the click: an impression may leave before it is sent again.
        if '"click"' not in (route.request.post_data or "") or not answers:
            await route.continue_()
        elif status := answers.pop(0).get("status"):
            await route.fulfill(status=status, headers={"access-control-allow-origin": "*"})
        else:
            # It arrived, and the answer was lost.
            await route.fetch()
            await route.abort()

    await page.route(WRITE, stumble)
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, reader_id=who, consent="")))
    await page.locator(LIST_SHOWN).wait_for()
    async with page.expect_response(WRITE):
        await page.locator(FIRST).click(button="middle")
    await page.bring_to_front()

    def clicks() -> list[dict[str, Any]]:
        return [event for event in sent if event["type"] == "click"]

    assert await run_until(page, lambda: len(clicks()) == 2, "sent a second time") >= 1000
    assert await run_until(page, lambda: len(clicks()) == 3, "sent a third time") >= 5000
    assert len({event["id"] for event in clicks()}) == 1
    # Whichever paper is the first: it changes with what the readers of other tests did.
    assert stored(service, who).count(("click", clicks()[0]["paperId"], 1, "widget")) == 1


async def test_consent_withdrawn(
    page: Page, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("503")
    sent = feedback_requests(page)

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, headers={"access-control-allow-origin": "*"})

    await page.route(WRITE, fail)
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, consent="")))
    await page.locator(LIST_SHOWN).wait_for()
    async with page.expect_response(WRITE):
        await page.locator(FIRST).click(button="middle")
    await page.bring_to_front()
    await observed(page)
    sent.clear()
    await page.locator("related-papers").evaluate("each => each.removeAttribute('consent')")
    await page.clock.run_for(60_000)
    await page.locator(FIRST).click(button="middle")
    assert sent == [], "neither what waited to be sent again, nor anything new"


async def test_a_removed_widget_sends_what_it_has_and_stops(
    page: Page, service: Addresses, site: Site
) -> None:
    sent = feedback_requests(page)
    await freeze(page)
    await page.goto(host(site, service.web, tag(service.web, consent="", limit="2")))
    await page.locator(LIST_SHOWN).wait_for()
    await observed(page)
    await page.clock.run_for(1001)  # seen; they wait for company
    async with page.expect_response(WRITE):
        await page.locator("related-papers").evaluate("each => each.remove()")
    await page.clock.run_for(60_000)
    assert len(sent) == 2
