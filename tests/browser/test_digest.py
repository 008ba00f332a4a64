"""The digest in a browser: from the form to the last click, by way of a mailbox."""

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import pytest
from playwright.async_api import Page, expect

from service.embedded import Role, attach
from tests.browser.conftest import Browse
from tests.browser.support import DEVICES, Look, Problems, sound
from tests.digest.mailboxes import links, mails
from tests.serving import COMMAND, Addresses, serve_both
from tests.support import ROOT, wait_until
from tests.web.http import Http


class Service(NamedTuple):
    """A service whose mails go to a Maildir. data: its data folder."""

    addresses: Addresses
    model: Path
    data: Path

    @property
    def web(self) -> str:
        return self.addresses.web

    def send(self) -> None:
        """Send the digests that are due by tomorrow, as a scheduler does then."""
        at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        subprocess.run(
            [COMMAND, "digest", "send", "--at", at, "--model", self.model, "--data-dir", self.data],
            cwd=ROOT,
            env={**os.environ, "RELATED_PAPERS_PUBLIC_URL": self.web},
            check=True,
            capture_output=True,
        )

    def send_the_day_after(self) -> None:
        """Send the digests that are due by the day after, which the command refuses so early."""
        at = datetime.now(UTC) + timedelta(days=2)
        with attach(self.data, roles=[Role.STATE]) as urls:
            settings = {
                "model": str(self.model),
                "data_dir": str(self.data),
                "state_url": urls[Role.STATE],
                "public_url": self.web,
            }
            subprocess.run(
                [
                    *(sys.executable, "-m", "tests.digest.sender_process"),
                    str(round(at.timestamp() * 1_000)),
                ],
                cwd=ROOT,
                input=json.dumps(settings) + "\n",
                text=True,
                check=True,
                capture_output=True,
            )

    async def mail(self, address: str, count: int) -> EmailMessage:
        """The last of so many mails to an address, when it has come."""

        def came() -> list[EmailMessage]:
            found = mails(self.data, address)
            return found if len(found) >= count else []

        found = await asyncio.to_thread(wait_until, came, f"mail {count} has come")
        assert len(found) == count
        return found[-1]


@pytest.fixture(scope="module")
def digests(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("digest-data")
    limits = {"RELATED_PAPERS_DIGEST_REQUESTS_PER_HOUR": "1000"}
    with serve_both(demo_model, data, **limits) as addresses:
        yield Service(addresses, demo_model, data)


@pytest.fixture
def address() -> str:
    return f"ada+{uuid4().hex[:8]}@papers.example"


async def subscribe(page: Page, service: Service, address: str) -> None:
    """Fill in the form as it stands."""
    await page.goto(f"{service.web}/digest")
    await page.get_by_label("Your address").fill(address)
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")


async def confirm(page: Page, service: Service, address: str) -> None:
    """Open the mail's link and press its button."""
    await page.goto(links(await service.mail(address, 1))["confirm"].url)
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your digest is confirmed")


async def opened(page: Page, service: Service, address: str, link: str) -> Page:
    """What opens when one follows a link of the newest mail to an address, in the mailbox room."""
    await page.bring_to_front()
    await page.goto(f"{service.web}/mailbox")
    item = page.locator(".mails__item").filter(has_text=address).first
    await item.get_by_role("link").click()
    async with page.context.expect_page() as opening:
        await page.frame_locator("iframe").get_by_role("link", name=re.compile(link)).first.click()
    found = await opening.value
    await found.wait_for_load_state()
    return found


async def test_subscribe_confirm_read_and_leave(digests: Service, page: Page, address: str) -> None:
    await page.goto(digests.web)
    await page.get_by_role("link", name="Subscribe").first.click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Papers by mail")
    await page.get_by_label("Your address").fill(address)
    await page.get_by_label("Papers that a search finds, the newest first").check()
    await page.get_by_label("Search for").fill("attention")
    await page.get_by_label("At", exact=True).select_option("06:00")
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")
    await digests.mail(address, 1)

    confirming = await opened(page, digests, address, "Confirm")
    await expect(confirming.get_by_text("match “attention”")).to_be_visible()
    buttons = confirming.locator("main button")
    await expect(buttons).to_have_count(1)
    await buttons.click()
    await expect(confirming.get_by_role("heading", level=1)).to_have_text(
        "Your digest is confirmed"
    )

    await asyncio.to_thread(digests.send)
    digest = await digests.mail(address, 2)
    assert digest["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    leaving = await opened(page, digests, address, "Unsubscribe|Leave")
    frame = page.frame_locator("iframe")
    await expect(frame.get_by_role("link", name=re.compile("ttention")).first).to_be_visible()
    buttons = leaving.locator("main button")
    await expect(buttons).to_have_count(1)
    await buttons.click()
    await expect(leaving.get_by_role("heading", level=1)).to_have_text("You are unsubscribed")

    await asyncio.to_thread(digests.send_the_day_after)
    assert len(mails(digests.data, address)) == 2


async def test_a_mail_program_leaves_with_one_post(
    digests: Service, page: Page, address: str
) -> None:
    await subscribe(page, digests, address)
    await confirm(page, digests, address)
    await page.get_by_role("link", name="Change or end it").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Your digest")
    manage = page.url
    await asyncio.to_thread(digests.send)
    digest = await digests.mail(address, 2)
    target = str(digest["List-Unsubscribe"]).strip("<>")
    assert target.startswith(digests.web)
    answer = await Http(int(digests.web.rpartition(":")[2])).send(
        "POST",
        target.removeprefix(digests.web),
        b"List-Unsubscribe=One-Click",
        {"content-type": "application/x-www-form-urlencoded"},
    )
    assert (answer.status, answer.body) == (200, b"You are unsubscribed.\n")
    await page.goto(manage)
    await expect(page.get_by_text("You left, and no mail is sent.")).to_be_visible()
    await asyncio.to_thread(digests.send_the_day_after)
    assert len(mails(digests.data, address)) == 2


@pytest.mark.parametrize("device", DEVICES, ids=str)
async def test_pages_are_sound_in_every_look(
    digests: Service, browse: Browse, device: Look, address: str, problems: Problems
) -> None:
    problems.expect("400")
    page = await browse(device)

    async def sound_at(heading: str) -> None:
        # A click that leads to another page is over before that page is there.
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        await sound(page)

    await page.goto(f"{digests.web}/digest")
    await sound_at("Papers by mail")
    for choice in (
        "Papers that a search finds, the newest first",
        "Papers like some others, the newest first",
    ):
        await page.get_by_label(choice).check()
        await sound_at("Papers by mail")
    await page.get_by_label("How often").select_option("Once a week")
    await page.get_by_label("Your address").fill(address)
    await page.get_by_role("button", name="Subscribe").click()
    await expect(page.get_by_role("alert")).to_have_text("Name at least one paper.")
    await sound_at("Papers by mail")
    await page.get_by_label("The others").fill("arXiv:1706.03762")
    await page.get_by_role("button", name="Subscribe").click()
    await sound_at("Look into your mailbox")
    await page.goto(links(await digests.mail(address, 1))["confirm"].url)
    await sound_at("Confirm your digest")
    await page.get_by_role("button", name="Confirm").click()
    await sound_at("Your digest is confirmed")
    await page.get_by_role("link", name="Change or end it").click()
    await expect(page.get_by_role("link", name="Attention Is All You Need")).to_be_visible()
    await sound_at("Your digest")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    await sound_at("Your digest")
    await page.get_by_role("button", name="Unsubscribe", exact=True).click()
    await sound_at("You are unsubscribed")
    await page.goto(f"{digests.web}/digest/unsubscribe?token=any")
    await sound_at("Unsubscribe from the digest?")


async def test_only_what_belongs_to_a_choice_is_shown(digests: Service, page: Page) -> None:
    await page.goto(f"{digests.web}/digest?q=graphs")
    await expect(page.get_by_label("Search for")).to_have_value("graphs")
    await expect(page.get_by_label("Of the last")).to_be_hidden()
    await page.get_by_label("What readers choose most").check()
    await expect(page.get_by_label("Of the last")).to_be_visible()
    await expect(page.get_by_label("Search for")).to_be_hidden()
    await expect(page.get_by_label("If once a week")).to_be_hidden()
    await page.get_by_label("How often").select_option("Once a week")
    await expect(page.get_by_label("If once a week")).to_be_visible()


async def test_the_browser_s_time_zone_is_chosen(digests: Service, browse: Browse) -> None:
    for zone, shown in (("America/New_York", "America/New_York"), ("Etc/GMT+5", "UTC")):
        page = await browse(timezone_id=zone)
        await page.goto(f"{digests.web}/digest")
        await expect(page.get_by_label("Time zone")).to_have_value(shown)


async def test_it_works_without_a_script(digests: Service, browse: Browse, address: str) -> None:
    page = await browse(java_script_enabled=False)
    await subscribe(page, digests, address)
    await confirm(page, digests, address)
    await page.get_by_role("link", name="Change or end it").click()
    await page.get_by_role("button", name="Unsubscribe and delete my address now").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Deleted")
