"""Mails as a browser shows them, by themselves and in the mailbox: light, dark, and on phones."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from service.digest.links import Links
from service.digest.mail import already_mail, confirmation_mail, digest_mail
from service.digest.maildir import MaildirTransport
from service.digest.transport import MAIL_FOLDER
from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, Problems, sound
from tests.digest import samples
from tests.digest.samples import AT_MS, CLEAN, SENDER
from tests.serving import Addresses, serve_both

LONG = replace(CLEAN, title="An" + "other" * 50, authors=["A" * 200], why="x" * 190)


def mails(links: Links) -> dict[str, EmailMessage]:
    subscription = samples.subscription(links, f"{'ada' * 20}@xn--mnchen-3ya.example")
    issue = samples.issue(CLEAN, LONG, replace(CLEAN, abstract="", why=""))
    return {
        "digest": digest_mail(subscription, issue, links, SENDER, AT_MS),
        "confirm": confirmation_mail(subscription, links, SENDER, AT_MS),
        "already": already_mail(subscription, links, SENDER, AT_MS),
    }


@pytest.mark.parametrize("device", DEVICES, ids=str)
@pytest.mark.parametrize("kind", ["digest", "confirm", "already"])
async def test_a_mail_is_accessible_and_fits(
    browse: Browse, tmp_path: Path, kind: str, device: Look
) -> None:
    part = mails(samples.links(tmp_path))[kind].get_body(["html"])
    assert part is not None
    page = await browse(device)
    await page.set_content(part.get_content())
    await sound(page)


@pytest.fixture(scope="module")
def service_with_mails(
    demo_model: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Addresses]:
    """A service whose mailbox has one mail of each kind."""
    data = tmp_path_factory.mktemp("mailbox-data")

    async def deliver(links: Links) -> None:
        async with MaildirTransport(data / MAIL_FOLDER) as transport:
            for message in mails(links).values():
                await transport.send(message)

    with serve_both(demo_model, data) as addresses:
        links = samples.links(data, addresses.web)
        with ThreadPoolExecutor(1) as thread:  # a loop runs here
            thread.submit(asyncio.run, deliver(links)).result()
        yield addresses


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_the_mailbox_is_accessible_and_fits(
    browse: Browse, service_with_mails: Addresses, device: Look
) -> None:
    page = await browse(device)
    await page.goto(f"{service_with_mails.web}/mailbox")
    await expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(3)
    await sound(page)
    await page.get_by_role("link", name="Trending this week").click()
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("heading", name="Trending this week")).to_be_visible()
    await sound(page)
    for part in ("Its text part", "Its source"):
        view = page.get_by_role("link", name=part)
        await view.click()
        await expect(view).to_have_attribute("aria-current", "true")  # its page is there
        await expect(page.locator("pre")).to_contain_text("Trending this week")
        await sound(page)


async def test_a_link_of_a_mail_opens_a_page_of_its_own(
    page: Page, service_with_mails: Addresses, problems: Problems
) -> None:
    problems.expect("409")  # the mail is of another year: the page says that its link is too old
    await page.goto(f"{service_with_mails.web}/mailbox")
    await page.get_by_role("link", name="Confirm your digest").click()
    async with page.expect_popup() as opened:
        await page.frame_locator("iframe").get_by_role("link", name="Confirm it").click()
    popup = await opened.value
    await expect(popup.get_by_role("heading", level=1)).to_be_visible()
    assert popup.url.startswith(f"{service_with_mails.web}/digest/confirm?token=")
    assert await popup.evaluate("window.origin") == service_with_mails.web  # no sandbox there
    assert await popup.evaluate("window.opener") is None
