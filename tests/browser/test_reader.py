"""A reader's list in a browser: save and hide change it before one's eyes."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.async_api import Locator, Page, Route, expect

from service.settings import Settings
from service.urls import paper_url, url
from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, Problems, axe, sound
from tests.servers import SystemRedis
from tests.serving import Addresses, Worker, client_of

ATTENTION = "arXiv:1706.03762"


@pytest.fixture
def reader() -> str:
    return f"reader-{uuid4()}"


@pytest.fixture
def address(service: Addresses, reader: str) -> str:
    return service.web + paper_url(reader, "readers")


def items(page: Page) -> Locator:
    return page.locator(".items > .item")


def said(page: Page) -> Locator:
    """What was just done, announced."""
    return page.locator("#main .done")


async def title_of(item: Locator) -> str:
    return await item.locator(".item__title").inner_text()


def shelf(page: Page, name: str) -> Locator:
    return page.get_by_role("region", name=name).locator(".shelf__item")


def stored(service: Addresses, reader: str) -> list[str]:
    with client_of(service.grpc) as client:
        return [each.type for each in client.export_reader(reader)]


async def press(within: Page | Locator, name: str) -> None:
    await within.get_by_role("button", name=name).first.click()


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_list_is_sound_in_every_look(
    address: str, service: Addresses, browse: Browse, device: Look
) -> None:
    page = await browse(device)
    for path in (address, f"{service.web}/readers"):
        await page.goto(path)
        await sound(page)
    await page.goto(address)
    await press(items(page).first, "Save")  # the first stays the first of what others see
    await expect(said(page)).to_contain_text("Saved:")
    await press(items(page).nth(1), "Hide")
    await expect(said(page)).to_contain_text("Hidden:")
    await items(page).first.get_by_text("Why?").click()
    await sound(page)


async def test_one_finds_a_list_without_knowing_anything(service: Addresses, page: Page) -> None:
    await page.goto(service.web)
    await page.get_by_role("link", name="Your list").first.click()
    name = await page.get_by_role("textbox", name="Reader", exact=True).input_value()
    await page.get_by_role("button", name="Open the list").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)


async def test_save_changes_the_list_before_ones_eyes_and_undo_brings_it_back(
    address: str, page: Page, service: Addresses, reader: str
) -> None:
    await page.goto(address)
    await expect(page.locator(".reader__source")).to_contain_text("A fallback")
    before = await items(page).locator(".item__title").all_inner_texts()
    await page.evaluate("window.same = true")
    await press(items(page).nth(2), "Save")
    await expect(said(page)).to_contain_text(f"Saved: {before[2]}")
    await expect(page.locator(".reader__source")).to_contain_text("Made from what this reader has")
    await expect(shelf(page, "Has")).to_have_count(1)
    await expect(shelf(page, "Has")).to_contain_text(before[2])
    after = await items(page).locator(".item__title").all_inner_texts()
    assert after != before
    assert before[2] not in after
    await press(said(page), "Undo")
    await expect(said(page)).to_contain_text("No longer saved")
    await expect(shelf(page, "Has")).to_have_count(0)
    assert await items(page).locator(".item__title").all_inner_texts() == before
    assert await page.evaluate("window.same")  # the page was never left
    assert page.url == address
    assert stored(service, reader) == ["save", "unsave"]


async def test_hidden_paper_goes_at_once_and_comes_back_when_shown_again(
    address: str, page: Page
) -> None:
    await page.goto(address)
    await press(items(page).first, "Save")
    await expect(shelf(page, "Has")).to_have_count(1)
    hidden = await title_of(items(page).first)
    await press(items(page).first, "Hide")
    await expect(said(page)).to_contain_text(f"Hidden: {hidden}")
    await expect(shelf(page, "Hidden")).to_contain_text(hidden)
    await expect(items(page).get_by_role("link", name=hidden, exact=True)).to_have_count(0)
    await press(shelf(page, "Hidden"), "Show again")
    await expect(shelf(page, "Hidden")).to_have_count(0)
    await expect(items(page).get_by_role("link", name=hidden, exact=True)).to_have_count(1)


async def test_double_click_counts_once(
    address: str, page: Page, service: Addresses, reader: str
) -> None:
    await page.goto(address)
    await items(page).nth(1).get_by_role("button", name="Save").dblclick()
    await expect(said(page)).to_contain_text("Saved:")
    await expect(shelf(page, "Has")).to_have_count(1)
    await expect(page.locator("[data-settling]")).to_have_count(0)
    await expect(shelf(page, "Has")).to_have_count(1)
    assert stored(service, reader) == ["save"]


async def test_form_that_is_sent_again_after_a_lost_answer_counts_once(
    address: str, page: Page, service: Addresses, reader: str, problems: Problems
) -> None:
    problems.expect("ERR_FAILED|net::")
    await page.goto(address)
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        lost += 1
        if lost == 1:
            await route.fetch(max_redirects=0)  # the service takes it, and nobody hears
            await route.abort()
        else:
            await route.fallback()

    await page.route("**/reader/events", lose)
    await press(items(page).nth(1), "Save")
    await expect(said(page)).to_contain_text("does not answer")
    await press(items(page).nth(1), "Save")
    await expect(said(page)).to_contain_text("Saved:")
    assert stored(service, reader) == ["save"]


async def test_keyboard_goes_on_where_it_was_and_the_change_is_announced(
    address: str, page: Page
) -> None:
    await page.goto(address)
    await expect(said(page)).to_have_role("status")
    await expect(said(page)).to_be_empty()  # it was there before it spoke
    await items(page).nth(3).get_by_role("button", name="Hide").focus()
    await page.keyboard.press("Enter")
    await expect(said(page)).to_contain_text("Hidden:")
    following = items(page).nth(3).get_by_role("button", name="Hide")
    await expect(following).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(shelf(page, "Hidden")).to_have_count(2)
    await expect(items(page).nth(3).get_by_role("button", name="Hide")).to_be_focused()


async def test_why_stays_unfolded_while_the_list_changes(address: str, page: Page) -> None:
    await page.goto(address)
    await press(items(page).first, "Save")
    await expect(shelf(page, "Has")).to_have_count(1)
    item = items(page).first
    await item.get_by_text("Why?").click()
    await expect(item.locator(".terms")).to_be_visible()
    last = items(page).last
    await press(last, "Hide")
    await expect(shelf(page, "Hidden")).to_have_count(1)
    await expect(items(page).first.locator(".terms")).to_be_visible()


async def test_without_javascript_the_same_forms_lead_back(
    address: str, browse: Browse, service: Addresses, reader: str
) -> None:
    page = await browse(java_script_enabled=False)
    await page.goto(address)
    title = await title_of(items(page).nth(1))
    await press(items(page).nth(1), "Save")
    await expect(said(page)).to_contain_text(f"Saved: {title}")
    await expect(shelf(page, "Has")).to_contain_text(title)
    await page.reload()
    assert stored(service, reader) == ["save"]
    await press(said(page), "Undo")
    await expect(shelf(page, "Has")).to_have_count(0)
    await press(items(page).nth(0), "Hide")
    await expect(shelf(page, "Hidden")).to_have_count(1)


async def test_related_list_of_a_paper_for_a_reader(
    service: Addresses, page: Page, reader: str
) -> None:
    await page.goto(service.web + url(paper_url(ATTENTION), reader=reader))
    first, second = [await title_of(items(page).nth(at)) for at in range(2)]
    await press(items(page).first, "Hide")
    await expect(said(page)).to_contain_text(f"Hidden: {first}")
    await expect(items(page).first.locator(".item__title")).to_have_text(second)
    await press(items(page).first, "Save")
    await expect(items(page).first.get_by_role("button", name="Unsave")).to_be_focused()
    await axe(page)
    await page.get_by_role("link", name=reader).click()
    await expect(shelf(page, "Has")).to_contain_text(second)
    await expect(shelf(page, "Hidden")).to_contain_text(first)


async def test_download_and_delete(
    address: str, page: Page, service: Addresses, reader: str
) -> None:
    await page.goto(address)
    await press(items(page).first, "Save")
    await expect(shelf(page, "Has")).to_have_count(1)
    async with page.expect_download() as started:
        await page.get_by_role("link", name="Download what is stored").click()
    download = await started.value
    lines = [json.loads(line) for line in (await download.path()).read_text().splitlines()]
    assert [line["event"]["type"] for line in lines if "event" in line] == ["save"]
    await page.get_by_text("Delete everything of this reader").click()
    await press(page, "Delete everything")  # the browser asks to be sure first
    await expect(page.get_by_role("heading", name=reader, level=1)).to_be_visible()
    await page.get_by_label("This can’t be undone").check()
    await press(page, "Delete everything")
    await expect(page.get_by_role("heading", name="Deleted", level=1)).to_be_visible()
    await axe(page)
    assert stored(service, reader) == []


async def test_without_its_state_server_the_page_says_so_and_goes_on_later(
    demo_model: Path, state_server: SystemRedis, tmp_path: Path, page: Page, problems: Problems
) -> None:
    problems.expect("503")
    data = tmp_path / "data"
    worker = Worker(
        Settings(model=demo_model, port=0, web_port=0, data_dir=data, state_url=state_server.url)
    )
    try:
        address = f"http://127.0.0.1:{worker.web_port}/readers/ada"
        await page.goto(address)
        state_server.stop()
        await press(items(page).first, "Save")
        await expect(said(page)).to_contain_text("state server")
        await page.reload()
        await expect(page.locator("[data-error]")).to_contain_text("state server")
        await axe(page)
        state_server.start()
        await page.reload()
        await expect(page.get_by_role("heading", name="ada", level=1)).to_be_visible()
    finally:
        worker.kill()
