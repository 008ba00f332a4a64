"""The explorer as a person uses it: search, a paper, why, several papers; without scripts too."""

import re

from playwright.async_api import Page, Route, expect

from tests.browser.conftest import Browse
from tests.browser.support import Problems
from tests.serving import Addresses

ATTENTION = "/papers/arXiv:1706.03762"
BERT = "/papers/arXiv:1810.04805"
SEARCH = re.compile(r"/SearchPapers\?")


async def test_searching_leads_to_a_paper_and_back(page: Page, service: Addresses) -> None:
    await page.goto(service.web)
    await page.get_by_label("Search papers").fill("attention transformer")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/search\?q=attention"))
    results = page.locator("#results .item")
    await expect(results.nth(1)).to_be_visible()
    await expect(results.locator("mark").first).to_be_visible()
    title = await results.first.get_by_role("heading").inner_text()
    await results.first.get_by_role("link").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)
    await expect(page.locator(".beside .item")).to_have_count(10)
    await page.go_back()
    await expect(page.get_by_label("Search papers")).to_have_value("attention transformer")
    await expect(results.first.get_by_role("heading")).to_have_text(title)


async def test_completion_by_keyboard(page: Page, service: Addresses) -> None:
    await page.goto(service.web)
    box = page.get_by_role("combobox", name="Search papers")
    await expect(box).to_have_attribute("aria-expanded", "false")
    await box.press_sequentially("attention is all")
    options = page.get_by_role("option")
    await expect(options.first).to_contain_text("Attention Is All You Need")
    await expect(box).to_have_attribute("aria-expanded", "true")
    await expect(page.get_by_role("status")).to_contain_text("arrow keys")
    assert await box.get_attribute("aria-activedescendant") is None
    await box.press("ArrowDown")
    await expect(options.first).to_have_attribute("aria-selected", "true")
    active = await options.first.get_attribute("id")
    assert active
    await expect(box).to_have_attribute("aria-activedescendant", active)
    await box.press("ArrowUp")  # back to what was typed
    assert await box.get_attribute("aria-activedescendant") is None
    await box.press("ArrowUp")  # and round to the last
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await box.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(box).to_have_value("attention is all")
    await box.press("ArrowDown")
    await box.press("Enter")
    await expect(page).to_have_url(service.web + ATTENTION)


async def test_completion_by_pointer(page: Page, service: Addresses) -> None:
    await page.goto(service.web + BERT)
    await page.get_by_role("combobox", name="Search papers").fill("glove")
    await page.get_by_role("option").first.click()
    await expect(page.get_by_role("heading", level=1)).to_contain_text("GloVe")


async def test_only_the_last_question_is_shown(page: Page, service: Addresses) -> None:
    held: list[Route] = []

    async def hold_first(route: Route) -> None:
        if held:
            await route.continue_()
        else:
            held.append(route)

    await page.route(SEARCH, hold_first)
    await page.goto(service.web)
    box = page.get_by_role("combobox")
    async with page.expect_request(SEARCH):
        await box.press_sequentially("bert")
    await box.fill("")
    await box.press_sequentially("glove")
    await expect(page.get_by_role("option").first).to_contain_text("GloVe")
    await held[0].continue_()  # the answer to a question that nobody asks any more
    await expect(page.get_by_role("option").first).to_contain_text("GloVe")


async def test_a_slow_completion_is_in_nobodys_way(page: Page, service: Addresses) -> None:
    async def hold(_route: Route) -> None:
        pass

    await page.route(SEARCH, hold)
    await page.goto(service.web)
    async with page.expect_request(SEARCH):
        await page.get_by_role("combobox").press_sequentially("transformer")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await page.keyboard.press("Enter")
    await expect(page.locator("#results .item").first).to_be_visible()


async def test_a_failing_completion_is_quiet(
    page: Page, service: Addresses, problems: Problems
) -> None:
    problems.expect("503")  # as the browser itself writes it
    await page.route(SEARCH, lambda route: route.fulfill(status=503))
    await page.goto(service.web)
    async with page.expect_response(SEARCH):
        await page.get_by_role("combobox").press_sequentially("transformer")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("#results .item").first).to_be_visible()


async def test_why_takes_the_score_apart(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    first = page.locator(".beside .item").first
    summary = first.locator("summary")
    await summary.focus()
    await page.keyboard.press("Enter")
    table = first.get_by_role("table", name="What the score is made of")
    await expect(table).to_be_visible()
    shown = await table.locator("td:last-child").all_inner_texts()
    values = [float(text.replace("−", "-")) for text in shown]
    *parts, total = values
    assert abs(sum(parts) - total) < 0.01 * len(parts)  # each was rounded
    assert await table.locator("svg rect").count() >= 2 * len(parts)
    await expect(first.get_by_role("heading", name="Words that both use")).to_be_visible()
    cited = first.locator(".why__papers a").first
    title = await cited.inner_text()
    await cited.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(title)


async def test_the_list_follows_its_sliders_in_place(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    await page.evaluate("window.same_page = true")
    titles = page.locator(".beside .item__title")
    before = await titles.all_inner_texts()
    slider = page.get_by_label("Popularity")
    await slider.focus()
    await page.keyboard.press("Home")
    await expect(page).to_have_url(re.compile(r"popularity=0&"))
    await expect(titles).not_to_have_text(before)
    assert await page.evaluate("window.same_page")
    await page.reload()
    await expect(slider).to_have_value("0")
    await page.get_by_role("link", name="Reset").click()
    await expect(titles).to_have_text(before)


async def test_filters_and_pages_in_place_and_back(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    titles = page.locator(".beside .item__title")
    everything = await titles.all_inner_texts()
    await page.get_by_label("From year").fill("2020")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"first=2020"))
    years = page.locator(".beside .item .byline span:last-child")
    await expect(years.first).to_have_text(re.compile(r"202\d"))
    assert all(int(year) >= 2020 for year in await years.all_inner_texts())
    filtered = await titles.all_inner_texts()
    await page.get_by_role("link", name="Next page").click()
    await expect(page.locator(".items")).to_have_attribute("start", "11")
    assert not set(filtered) & set(await titles.all_inner_texts())
    await page.go_back()
    await expect(titles).to_have_text(filtered)
    await page.wait_for_load_state()
    await page.go_back()
    await expect(titles).to_have_text(everything)


async def test_what_is_wrong_is_said_in_place(
    page: Page, service: Addresses, problems: Problems
) -> None:
    problems.expect("400|ERR_FAILED")
    await page.goto(service.web + ATTENTION)
    items = page.locator(".beside .item")
    await page.get_by_label("From year").fill("soon")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("`first` is 'soon'")
    await expect(items).to_have_count(10)
    await page.get_by_label("From year").fill("")
    await page.route("**/papers/**", lambda route: route.abort())
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    await expect(items).to_have_count(10)
    await page.unroute_all()
    await page.get_by_role("link", name="Try again").click()
    await expect(page.get_by_role("alert")).to_have_count(0)
    await expect(items).to_have_count(10)


async def test_nothing_passes_and_nothing_is_found(page: Page, service: Addresses) -> None:
    await page.goto(f"{service.web}{ATTENTION}?venue=Nowhere")
    await page.get_by_role("link", name="Take them off").click()
    await expect(page.locator(".beside .item")).to_have_count(10)
    await page.goto(f"{service.web}/search?q=qwertyuiop")
    await expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()


async def test_several_seeds_and_less_like_this(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    first = page.locator(".beside .item").first
    wanted = await first.get_by_role("heading").inner_text()
    await first.get_by_role("link", name="Less like this").click()
    away = page.get_by_role("region", name="Away from")
    await expect(away.get_by_role("listitem")).to_contain_text(wanted)
    titles = page.locator(".beside .item__title")
    assert wanted not in await titles.all_inner_texts()

    added = await titles.nth(1).inner_text()
    await page.locator(".beside .item").nth(1).get_by_role("link", name="Add as seed").click()
    near = page.get_by_role("region", name="Near to")
    await expect(near.get_by_role("listitem")).to_have_count(2)
    await expect(near).to_contain_text(added)
    await expect(away).to_contain_text(wanted)

    box = page.get_by_role("combobox", name="A paper's title or id")
    await box.fill("deep residual")
    await page.get_by_role("option").first.click()
    await expect(near.locator(".seed")).to_have_count(3)
    await expect(near).to_contain_text("Deep Residual Learning")

    await near.get_by_role("link", name="Take off Attention Is All You Need").click()
    await expect(near.locator(".seed")).to_have_count(2)
    await away.get_by_role("link", name="Take off").click()
    await expect(away).to_have_count(0)
    await page.go_back()
    await expect(away).to_have_count(1)


async def test_unknown_ids_are_named(page: Page, service: Addresses) -> None:
    await page.goto(f"{service.web}/related?seed=arXiv:1706.03762&seed=nowhere/1&less=nowhere/2")
    await expect(page.locator(".note")).to_contain_text("nowhere/1")
    await expect(page.locator(".note")).to_contain_text("nowhere/2")
    await expect(page.locator(".beside .item")).to_have_count(10)


async def test_everything_works_without_scripts(browse: Browse, service: Addresses) -> None:
    page = await browse(java_script_enabled=False)
    await page.goto(service.web)
    await page.get_by_label("Search papers").fill("attention is all you need")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Attention Is All You Need").first.click()
    await expect(page).to_have_url(service.web + ATTENTION)
    await page.locator(".beside summary", has_text="Why?").first.click()
    await expect(page.get_by_role("table").first).to_be_visible()
    await page.get_by_label("From year").fill("2020")
    await page.get_by_role("button", name="Apply").click()
    await expect(page).to_have_url(re.compile(r"first=2020"))
    await page.get_by_role("link", name="Next page").click()
    await expect(page.locator(".items")).to_have_attribute("start", "11")
    await page.get_by_role("link", name="Add as seed").first.click()
    await page.get_by_label("A paper's title or id").fill("glove word vectors")
    await page.get_by_role("button", name="Add").click()
    await page.locator(".mix__choices").get_by_role("link").first.click()
    await expect(page.locator(".seed")).to_have_count(3)
    await page.get_by_label("A paper's title or id").fill("10.3115/v1/D14-1162")
    await page.get_by_role("button", name="Add").click()
    await expect(page.locator(".seed")).to_have_count(3)  # it was there


async def test_skip_link_and_keyboard_alone(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(page.locator("main")).to_be_focused()
    await page.keyboard.press("Tab")
    inside = "document.querySelector('main').contains(document.activeElement)"
    assert await page.evaluate(inside)


async def test_a_paper_is_printed_without_its_controls(page: Page, service: Addresses) -> None:
    await page.goto(service.web + ATTENTION)
    await page.emulate_media(media="print")
    await expect(page.get_by_role("navigation")).to_have_count(0)
    await expect(page.locator(".controls")).to_be_hidden()
    await expect(page.locator(".beside .item__title").first).to_be_visible()
