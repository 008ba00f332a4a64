"""The widget in a page of somebody else's, under that page's strictest policy."""

import asyncio
import json

import pytest
from playwright.async_api import Page, Request, Route, expect

from relatedpapers import Client
from service.web.explorer.why import SOURCES, WORDS
from tests.browser.conftest import Browse
from tests.browser.support import (
    LOOKS,
    Look,
    Problems,
    Site,
    assert_no_sideways_scroll,
    axe,
    document,
)
from tests.browser.widget import LIST, PAPER, ground, host, serving_papers, tag
from tests.serving import Addresses


@pytest.mark.parametrize("look", LOOKS, ids=str)
async def test_shows_the_list_and_why(
    look: Look, browse: Browse, service: Addresses, site: Site
) -> None:
    page = await browse(look)
    await page.goto(host(site, service.web, background=ground(look)))
    titles = page.locator("related-papers .list > li > div > a.title")
    with Client(service.grpc) as client:
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
    with Client(service.grpc) as client:
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
    with Client(service.grpc) as client:
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
