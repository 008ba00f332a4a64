"""The widget in a page of somebody else's, under that page's strictest policy."""

import pytest
from playwright.async_api import Page, Route, expect

from service.web.explorer.why import SOURCES, WORDS
from tests.browser.conftest import Browse
from tests.browser.support import (
    LOOKS,
    Look,
    Problems,
    Site,
    assert_no_sideways_scroll,
    axe,
)
from tests.browser.widget import LIST, PAPER, ground, host, tag
from tests.serving import Addresses, client_of


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_shows_the_list_and_why(
    look: Look, browse: Browse, service: Addresses, site: Site
) -> None:
    page = await browse(look)
    await page.goto(host(site, service.web, background=ground(look)))
    titles = page.locator("related-papers .list > li > div > a.title")
    with client_of(service.grpc) as client:
        results = list(client.list_related_papers(paper_ids=[PAPER], limit=5))
    await expect(titles).to_have_text([result.paper.title for result in results])
    first = results[0].paper
    await expect(titles.first).to_have_attribute("href", f"{service.web}/papers/{first.id}")
    await axe(page)
    for why in await page.locator("related-papers summary").all():
        await why.click()
    await expect(page.locator("related-papers .terms").first).to_be_visible()
    await axe(page)
    await assert_no_sideways_scroll(page)


async def test_why_unfolds_by_keyboard(page: Page, service: Addresses, site: Site) -> None:
    await page.goto(host(site, service.web))
    await expect(page.locator("related-papers .list")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.keyboard.press("Tab")  # the title of the first
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    item = page.locator("related-papers .list > li").first
    with client_of(service.grpc) as client:
        [result, *_] = client.list_related_papers(paper_ids=[PAPER], limit=5, include_evidence=True)
    terms = [each.term for each in result.evidence.shared_terms]
    await expect(item.locator(".term")).to_have_text(terms)
    citing = [paper.title for paper in result.evidence.citing_papers]
    await expect(item.locator(".papers a")).to_have_text(citing)
    added = sorted(result.contributions.items(), key=lambda each: -each[1])
    await expect(item.locator(".bar .name")).to_have_text([WORDS[name].name for name, _ in added])
    values = [f"{'−' if value < 0 else '+'}{abs(value):.1f}" for _, value in added]
    await expect(item.locator(".bar .value")).to_have_text(values)
    second = page.locator("related-papers .list > li").nth(1)
    await page.keyboard.press("Enter")
    await expect(item.locator(".evidence")).to_be_hidden()
    await second.locator("summary").press(" ")
    await expect(second.locator(".term").first).to_be_visible()
    assert len(asked) == 1, "the evidence of all comes with the first"


async def test_why_without_its_evidence(
    page: Page, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("503")
    await page.goto(host(site, service.web))
    toggle = page.locator("related-papers summary").first
    await toggle.wait_for()

    async def fail(route: Route) -> None:
        await route.fulfill(status=503, headers={"access-control-allow-origin": "*"})

    await page.route(LIST, fail)
    await toggle.click()
    await expect(page.locator("related-papers .evidence .message")).to_contain_text("again")
    await expect(page.locator("related-papers .bar").first).to_be_visible()
    await axe(page)
    await page.unroute(LIST)
    await toggle.click()
    await toggle.click()
    await expect(page.locator("related-papers .term").first).to_be_visible()
    await expect(page.locator("related-papers .evidence")).to_have_count(1)


async def test_terms_have_the_words_of_the_explorer(
    page: Page, service: Addresses, site: Site
) -> None:
    await page.goto(host(site, service.web))
    labels = await page.evaluate(
        "customElements.whenDefined('related-papers')"
        ".then(() => document.querySelector('related-papers').labels)"
    )
    ours = {
        name: words.name for name, words in WORDS.items() if name not in {"reader", "bias", "saves"}
    }
    assert {name: labels.get(name) for name in ours} == ours
    fallbacks = [SOURCES[source].short for source in SOURCES]
    assert [value for name, value in labels.items() if "FALLBACK" in name] == fallbacks


async def test_attributes_that_change(page: Page, service: Addresses, site: Site) -> None:
    await page.goto(host(site, service.web))
    items = page.locator("related-papers .list > li")
    await expect(items).to_have_count(5)
    element = page.locator("related-papers")

    async def change(script: str) -> None:
        await element.evaluate(f"element => {{ {script} }}")

    await change("element.limit = 3")
    await expect(items).to_have_count(3)
    before = await items.first.inner_text()
    await change("element.paperId = 'arXiv:1512.03385'")
    await expect(items.first).not_to_have_text(before)
    await change("element.setAttribute('heading', 'See also')")
    await expect(page.get_by_role("heading", name="See also", level=2)).to_be_visible()
    await change("element.setAttribute('heading-level', '4')")
    await expect(page.get_by_role("heading", name="See also", level=4)).to_be_visible()
    await change("element.setAttribute('heading', '')")
    await expect(element.get_by_role("heading")).to_have_count(0)
    await change("element.labels = { why: 'Pourquoi ?' }")
    await expect(items.first.locator("summary bdi")).to_have_text("Pourquoi ?")
    await change("element.setAttribute('link-template', 'https://example.org/p?id={id}')")
    link = items.first.locator("a.title")
    await expect(link).to_have_attribute("href", "https://example.org/p?id=arXiv%3A1409.1556")
    await change("element.setAttribute('link-template', 'javascript:alert({id})')")
    await expect(link).to_have_count(0)
    await expect(items.first.locator("span.title")).to_be_visible()
    assert await page.evaluate("scrollX") == 0


async def test_parameters_reach_the_service(page: Page, service: Addresses, site: Site) -> None:
    body = tag(service.web, popularity="0", diversity="0.5", limit="7")
    await page.goto(host(site, service.web, body))
    with client_of(service.grpc) as client:
        found = client.list_related_papers(
            paper_ids=[PAPER], popularity=0.0, diversity=0.5, limit=7
        )
        titles = [result.paper.title for result in found]
    await expect(page.locator("related-papers .list a.title")).to_have_text(titles)


async def test_a_page_hears_of_it(page: Page, service: Addresses, site: Site) -> None:
    await page.goto(host(site, service.web, ""))
    told = await page.evaluate(
        """async ([endpoint, paper]) => {
          await customElements.whenDefined("related-papers");
          const element = document.createElement("related-papers");
          element.endpoint = endpoint;
          element.paperId = paper;
          const load = new Promise((done) =>
            document.addEventListener("related-papers-load", (event) => done(event.detail)));
          document.querySelector("main").append(element);
          const answer = await load;
          const click = new Promise((done) =>
            document.addEventListener("related-papers-click", (event) => {
              event.preventDefault();
              done(event.detail);
            }));
          element.shadowRoot.querySelector("a").click();
          return [answer, await click, location.href];
        }""",
        [service.web, PAPER],
    )
    answer, click, address = told
    assert click["paper"] == answer["results"][0]["paper"]
    assert click["rank"] == 1
    assert click["attributionToken"] == answer["attributionToken"]
    assert address.startswith(site.origin), "a page may keep the click to itself"
