"""The mailbox of a service without a mail server: open on loopback alone, and run by no mail."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from email.headerregistry import Address
from pathlib import Path
from urllib.parse import quote

import pytest

from service.digest.mail import digest_mail
from service.digest.maildir import PREVIEW_FILE, MaildirTransport
from service.digest.mime import mail
from service.digest.transport import MAIL_FOLDER
from service.settings import Settings
from tests.digest import samples
from tests.digest.samples import AT_MS, CLEAN, SENDER
from tests.explorer.site import Site
from tests.serving import Worker

HOSTILE = "<script>parent.hurt = 1</script><img src='https://evil.example/seen'>"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a digest, and with a mail that is not one of ours."""
    folder = tmp_path_factory.mktemp("mailbox-data")
    links = samples.links(tmp_path_factory.mktemp("keys"))
    entry = replace(CLEAN, title=f"A title {HOSTILE}")
    foreign = mail(
        sender=Address("Eve", addr_spec="eve@evil.example"),
        to="ada@example.org",
        subject=f"Look {HOSTILE}",
        at_ms=AT_MS,
        message_id="<1@evil.example>",
        text=HOSTILE,
        html=HOSTILE,
    )

    async def deliver() -> None:
        async with MaildirTransport(folder / MAIL_FOLDER) as transport:
            issue = samples.issue(entry)
            subscription = samples.subscription(links)
            await transport.send(digest_mail(subscription, issue, links, SENDER, AT_MS))
            await transport.send(foreign)

    asyncio.run(deliver())
    return folder


@pytest.fixture(scope="module")
def mailbox(toy_model: Path, data: Path) -> Iterator[Site]:
    worker = Worker(Settings(model=toy_model, port=0, web_port=0, data_dir=data))
    yield Site(worker.web_port)
    worker.kill()


def mails(site: Site) -> list[str]:
    return [link for link in site.page("/mailbox").links if link.startswith("/mailbox/")]


def test_the_list_names_the_mails(mailbox: Site) -> None:
    page = mailbox.page("/mailbox")
    assert "Trending this week: A title" in page.text
    assert "ada+papers@example.org" in page.text
    assert len(mails(mailbox)) == 2
    assert "/mailbox" in mailbox.page("/").links


def test_a_mail_is_shown_in_a_frame_that_can_do_nothing(mailbox: Site) -> None:
    for path in mails(mailbox):
        status, headers, body = mailbox.ask(path)
        assert status == 200
        assert "frame-src 'self'" in headers["content-security-policy"]
        assert f'<iframe class="mail__frame" src="{path}/body" title="The mail" sandbox="' in body
        assert "allow-scripts" not in body
        assert "allow-same-origin" not in body
        assert HOSTILE not in body
        status, headers, body = mailbox.ask(f"{path}/body")
        assert status == 200
        policy = dict(
            part.partition(" ")[::2] for part in headers["content-security-policy"].split("; ")
        )
        assert policy.pop("sandbox") == "allow-popups allow-popups-to-escape-sandbox"
        assert policy.pop("frame-ancestors") == "'self'"
        assert policy.pop("style-src") == "'unsafe-inline'"
        assert set(policy.values()) == {"'none'"}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"


def test_text_and_source_are_texts_of_a_page(mailbox: Site) -> None:
    for path in mails(mailbox):
        assert "script" in mailbox.page(f"{path}?as=text").text
        source = mailbox.page(f"{path}?as=source").text
        assert "Content-Transfer-Encoding:" in source
        assert "Message-ID:" in source


@pytest.mark.parametrize(
    "name", ["nothing", "preview", quote("../signing.keys", safe=""), "..", "%00", "x" * 1_000]
)
def test_what_is_no_mail_is_not_found(mailbox: Site, name: str) -> None:
    for path in (f"/mailbox/{name}", f"/mailbox/{name}/body"):
        assert mailbox.ask(path)[0] == 404


def test_a_preview_is_shown(mailbox: Site, data: Path) -> None:
    file = next((data / MAIL_FOLDER / "new").iterdir())
    (data / PREVIEW_FILE).write_bytes(file.read_bytes())
    try:
        assert "Preview" in mailbox.page("/mailbox").text
        assert mailbox.ask("/mailbox/preview")[0] == 200
        assert mailbox.ask("/mailbox/preview/body")[0] == 200
    finally:
        (data / PREVIEW_FILE).unlink()


def test_who_comes_through_a_proxy_sees_none(mailbox: Site) -> None:
    elsewhere = {"x-forwarded-for": "203.0.113.9"}
    for path in ("/mailbox", *mails(mailbox), *(f"{each}/body" for each in mails(mailbox))):
        assert mailbox.ask(path, elsewhere)[0] == 404
        assert mailbox.ask(path, {"x-forwarded-for": "127.0.0.1"})[0] == 200
    assert 'href="/mailbox"' not in mailbox.ask("/", elsewhere)[2]


def test_beyond_loopback_and_with_keys_there_is_no_such_room(
    toy_model: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "api.keys").write_text("")
    worker = Worker(
        Settings(
            model=toy_model,
            port=0,
            web_port=0,
            data_dir=data,
            api_key_file=tmp_path / "api.keys",
        )
    )
    try:
        site = Site(worker.web_port)
        assert site.ask("/mailbox")[0] == 404
        for file in (data / MAIL_FOLDER / "new").iterdir():
            assert site.ask(f"/mailbox/{quote(file.name)}/body")[0] == 404
        assert "/mailbox" not in site.page("/").links
    finally:
        worker.kill()
