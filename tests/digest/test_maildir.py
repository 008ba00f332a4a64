"""Mails in a folder: written one by one, by many at once, and read again."""

import asyncio
import stat
from email.message import EmailMessage
from pathlib import Path

import pytest

from service.digest.mail import already_mail, confirmation_mail, digest_mail
from service.digest.maildir import PREVIEW, MaildirTransport, Mails
from service.digest.transport import Undelivered
from tests.digest import samples
from tests.digest.samples import AT_MS, SENDER


@pytest.fixture
def three(tmp_path: Path) -> list[EmailMessage]:
    links = samples.links(tmp_path)
    subscription = samples.subscription(links)
    return [
        confirmation_mail(subscription, links, SENDER, AT_MS),
        already_mail(subscription, links, SENDER, AT_MS),
        digest_mail(subscription, samples.issue(), links, SENDER, AT_MS),
    ]


async def delivered(folder: Path, messages: list[EmailMessage]) -> None:
    async with MaildirTransport(folder) as transport:
        for message in messages:
            await transport.send(message)


async def test_what_is_delivered_is_read_byte_for_byte(
    tmp_path: Path, three: list[EmailMessage]
) -> None:
    folder = tmp_path / "data" / "mail"
    await delivered(folder, three)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list((folder / "new").iterdir())
    assert {file.read_bytes() for file in files} == {each.as_bytes() for each in three}
    assert not list((folder / "tmp").iterdir())
    mails = Mails(folder, tmp_path / "preview.eml")
    latest = mails.latest(10)
    assert {each.subject for each in latest} == {each["Subject"] for each in three}
    for each in latest:
        mail = mails.read(each.name)
        assert mail is not None
        assert (each.to, each.date) == (mail["To"], mail["Date"])
    assert len(mails.latest(2)) == 2


async def test_a_folder_that_takes_no_mail_is_no_delivery(
    tmp_path: Path, three: list[EmailMessage]
) -> None:
    (tmp_path / "mail").write_text("not a folder")
    with pytest.raises(Undelivered, match="takes none") as lost:
        await delivered(tmp_path / "mail", three)
    assert lost.value.before_data


async def test_many_deliver_at_once(tmp_path: Path, three: list[EmailMessage]) -> None:
    folder = tmp_path / "mail"
    await asyncio.gather(*(delivered(folder, three) for _ in range(20)))
    assert len(list((folder / "new").iterdir())) == 60


def test_a_preview_comes_first_and_an_empty_folder_is_none(
    tmp_path: Path, three: list[EmailMessage]
) -> None:
    mails = Mails(tmp_path / "mail", tmp_path / "preview.eml")
    assert mails.latest(10) == []
    assert mails.read(PREVIEW) is None
    (tmp_path / "preview.eml").write_bytes(three[2].as_bytes())
    [only] = mails.latest(10)
    assert only.name == PREVIEW
    found = mails.read(PREVIEW)
    assert found is not None
    assert found["Message-ID"] == three[2]["Message-ID"]


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../secret", "/etc/passwd", "a/b", "\0", "x" * 5_000, "nothing"]
)
async def test_no_name_leads_out_of_the_folder(
    tmp_path: Path, three: list[EmailMessage], name: str
) -> None:
    await delivered(tmp_path / "mail", three)
    (tmp_path / "mail" / "secret").write_text("To: nobody\r\n\r\nsecret")
    assert Mails(tmp_path / "mail", tmp_path / "preview.eml").read(name) is None
