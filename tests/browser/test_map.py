"""The map of a neighbourhood in a browser: read, walked by keyboard, and as a list on a phone."""

import itertools
from typing import Any

import pytest
from playwright.async_api import Page, expect

from service.urls import paper_url
from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, assert_no_sideways_scroll, axe, sound
from tests.serving import Addresses

ATTENTION = paper_url("arXiv:1706.03762", "map")
PHONE = Look(320)


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_map_is_sound_in_every_look(service: Addresses, browse: Browse, device: Look) -> None:
    page = await browse(device)
    await page.goto(service.web + ATTENTION)
    await expect(
        page.get_by_role("heading", name="Attention Is All You Need", level=1)
    ).to_be_visible()
    await sound(page)


BOXES = """() => [...document.querySelectorAll('.node')].map(node => [
    ...node.querySelectorAll('circle, text')].map(each => {
        const {left, top, right, bottom} = each.getBoundingClientRect();
        return {left, top, right, bottom};
    }))"""


async def test_thirty_labels_are_readable_and_none_covers_another(
    service: Addresses, page: Page
) -> None:
    for address in (ATTENTION, "/map/arXiv:1512.03385", "/map/arXiv:1301.3781"):
        await page.goto(service.web + address)
        nodes: list[list[dict[str, float]]] = await page.evaluate(BOXES)
        assert len(nodes) == 31
        for one, other in itertools.combinations(nodes, 2):
            assert not any(overlap(*pair) for pair in itertools.product(one, other))
        size = await page.locator(".node text").first.evaluate(
            "text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a"
        )
        assert size >= 12  # CSS pixels as they are seen
        drawing = await page.locator("#drawing").bounding_box()
        assert drawing is not None
        for box in itertools.chain.from_iterable(nodes):
            assert box["left"] >= drawing["x"]
            assert box["right"] <= drawing["x"] + drawing["width"]


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    )


async def focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(
        "(({dataset}) => ({...dataset}))(document.activeElement)"
    )
    return found


async def test_arrow_keys_go_to_a_paper_in_that_direction(service: Addresses, page: Page) -> None:
    await page.goto(service.web + ATTENTION)
    await page.locator(".node").first.focus()
    steps = {
        "ArrowRight": ("x", 1),
        "ArrowLeft": ("x", -1),
        "ArrowDown": ("y", 1),
        "ArrowUp": ("y", -1),
    }
    for key, (axis, sign) in steps.items():
        await page.keyboard.press("Home")
        start = await focused(page)
        assert start["number"] == "0"
        await page.keyboard.press(key)
        there = await focused(page)
        assert (float(there[axis]) - float(start[axis])) * sign > 0
        before: dict[str, Any] = {}
        while there != before:  # to the rim, and no further
            before = there
            await page.keyboard.press(key)
            there = await focused(page)
            assert (float(there[axis]) - float(before[axis])) * sign >= 0


async def test_every_paper_is_reached_by_tab_in_the_order_of_the_list(
    service: Addresses, page: Page
) -> None:
    await page.goto(service.web + ATTENTION)
    await page.locator(".map__window").focus()
    for number in range(31):
        await page.keyboard.press("Tab")
        assert (await focused(page))["number"] == str(number)
    outline = (
        await page.locator(".node >> nth=30")
        .locator("circle")
        .evaluate("circle => getComputedStyle(circle).strokeWidth")
    )
    assert float(outline.removesuffix("px")) >= 4
    await page.keyboard.press("Enter")
    await expect(page).not_to_have_url(service.web + ATTENTION)


async def test_focus_and_pointer_say_what_a_paper_is_and_why(
    service: Addresses, page: Page
) -> None:
    await page.goto(service.web + ATTENTION)
    card = page.locator("#card")
    await expect(card).to_be_hidden()
    for act in ("focus", "hover"):
        node = page.locator(".node").nth(3 if act == "focus" else 7)
        await getattr(node, act)()
        await expect(card).to_be_visible()
        title = await node.locator("title").text_content()
        assert title
        await expect(card.locator(".card__title")).to_have_text(title)
        await expect(card).to_contain_text("what speaks for it most")
        await page.keyboard.press("Escape")
        await expect(card).to_be_hidden()
    await page.locator(".node").nth(3).focus()
    await axe(page)


async def test_papers_that_are_joined_stand_out(service: Addresses, page: Page) -> None:
    await page.goto(service.web + ATTENTION)
    await page.locator(".node").nth(2).focus()
    joined = await page.locator(".edge[data-near]").evaluate_all(
        "edges => edges.map(each => [each.dataset.one, each.dataset.other])"
    )
    assert joined
    assert all("2" in pair for pair in joined)
    wanted = {number for pair in joined for number in pair}
    near = await page.locator(".node[data-near]").evaluate_all(
        "nodes => nodes.map(each => each.dataset.number)"
    )
    assert set(near) == wanted


async def test_larger_and_smaller(service: Addresses, page: Page) -> None:
    await page.goto(service.web + ATTENTION)
    width = "document.getElementById('drawing').getBoundingClientRect().width"
    before = await page.evaluate(width)
    await page.get_by_role("button", name="Larger").click()
    larger = await page.evaluate(width)
    assert larger == pytest.approx(before * 1.25, rel=0.01)
    await assert_no_sideways_scroll(page)  # the map scrolls, and not the page
    for _ in range(3):
        await page.get_by_role("button", name="Smaller").click()
    assert await page.evaluate(width) == pytest.approx(before, rel=0.01)


async def test_phone_shows_the_list_first_and_the_map_when_asked(
    service: Addresses, browse: Browse
) -> None:
    page = await browse(PHONE)
    await page.goto(service.web + ATTENTION)
    await expect(page.locator("#map")).to_be_hidden()
    await expect(page.get_by_role("heading", name="As a list")).to_be_in_viewport()
    await page.get_by_role("link", name="See it as a map").click()
    await expect(page.locator("#map")).to_be_visible()
    await expect(page.locator("#map")).to_be_in_viewport()
    await expect(page.locator(".node--middle circle")).to_be_in_viewport(ratio=0.9)
    await assert_no_sideways_scroll(page)
    size = await page.locator(".node text").first.evaluate(
        "text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a"
    )
    assert size >= 11
    await axe(page)


async def test_without_javascript_it_is_a_drawing_of_links(
    service: Addresses, browse: Browse
) -> None:
    page = await browse(java_script_enabled=False)
    await page.goto(service.web + ATTENTION)
    await expect(page.get_by_role("button", name="Larger")).to_be_hidden()
    second = page.locator(".node").nth(2)
    name = await second.get_attribute("aria-label")
    await second.locator("circle").click()
    assert name
    await expect(page.get_by_role("heading", level=1)).to_have_text(name.rpartition(", ")[0])


async def test_paper_leads_to_its_map_and_back(service: Addresses, page: Page) -> None:
    await page.goto(service.web + paper_url("arXiv:1706.03762"))
    await page.get_by_role("link", name="See them on a map").click()
    await expect(page).to_have_url(service.web + ATTENTION)
    await page.locator(".node--middle circle").click()
    await expect(page).to_have_url(service.web + paper_url("arXiv:1706.03762"))
