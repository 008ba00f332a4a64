"""The model's page in a browser."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, sound
from tests.serving import Addresses


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_model_page_is_sound_in_every_look(
    service: Addresses, browse: Browse, device: Look
) -> None:
    page = await browse(device)
    await page.goto(f"{service.web}/model")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await sound(page)


async def test_plot_has_a_point_for_each_row_of_its_table(service: Addresses, page: Page) -> None:
    await page.goto(f"{service.web}/model")
    plot = page.get_by_role("img", name="Reliability: share of related pairs by score")
    await expect(plot).to_be_visible()
    rows = page.get_by_role("table", name="Reliability").locator("tbody tr")
    assert await rows.count() == await page.locator(".plot__point").count() > 3
    square = await page.locator(".plot__ideal").bounding_box()
    assert square is not None
    for number in range(await rows.count()):
        score = float(await rows.nth(number).locator("td").nth(1).inner_text())
        related = float(await rows.nth(number).locator("td").nth(2).inner_text())
        point = await page.locator(".plot__point").nth(number).bounding_box()
        assert point is not None
        x = (point["x"] + point["width"] / 2 - square["x"]) / square["width"]
        y = 1 - (point["y"] + point["height"] / 2 - square["y"]) / square["height"]
        assert (x, y) == pytest.approx((score, related), abs=0.01)


async def test_bars_are_as_long_as_their_numbers(service: Addresses, page: Page) -> None:
    await page.goto(f"{service.web}/model")
    table = page.get_by_role("table", name="Between two papers")
    rows = table.locator("tbody tr")
    lengths: list[tuple[float, float]] = []
    for number in range(await rows.count()):
        bar = await rows.nth(number).locator(".bar__more, .bar__less").bounding_box()
        assert bar is not None
        adds = await rows.nth(number).locator("td").nth(1).inner_text()
        lengths.append((bar["width"], abs(float(adds.replace("−", "-")))))
    assert len(lengths) > 2
    longest, most = lengths[0]
    for length, added in lengths:
        assert length / longest == pytest.approx(added / most, abs=0.02)
