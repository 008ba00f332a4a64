"""Mails that come back: which of them stop the digest of a mailbox."""

import io
from email.message import EmailMessage
from pathlib import Path

import pytest

from models.formats import InputError
from service.digest.bounces import Bounce, read
from service.digest.mail import digest_mail
from service.digest.returned import returned
from tests.digest import samples
from tests.digest.reports import nested, report
from tests.digest.samples import AT_MS, SENDER


@pytest.fixture
def sent(tmp_path: Path) -> EmailMessage:
    links = samples.links(tmp_path)
    return digest_mail(samples.subscription(links), samples.issue(), links, SENDER, AT_MS)


def subscription(mail: EmailMessage) -> str:
    return str(mail["Message-ID"]).split(".")[1]


@pytest.mark.parametrize("headers_alone", [False, True], ids=["whole", "headers"])
@pytest.mark.parametrize(
    ("status", "said", "permanent"),
    [
        ("5.1.1", "550 5.1.1 no such user", True),
        ("5.1.1", "", True),
        ("5.0.0", "550-no such user\n 550 at all", True),
        ("5.2.1", "", True),
        ("5.7.1", "550 5.7.1 on a block list", False),
        ("5.0.0", "554 5.7.26 not authenticated", False),
        ("5.4.1", "", False),
        ("4.4.7", "451 4.4.7 given up after five days", False),
        ("4.2.2", "", False),
        ("", "", False),
    ],
)
def test_a_lasting_refusal_of_the_mailbox_is_told_from_others(
    sent: EmailMessage, status: str, said: str, permanent: bool, headers_alone: bool
) -> None:
    bounce = read(report(sent, status, said=said, headers_alone=headers_alone))
    assert bounce is not None
    assert bounce.id == subscription(sent)
    assert bounce.permanent == permanent
    assert bounce.text == " ".join((said or status).split())


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded"])
def test_what_did_not_fail_is_no_bounce(sent: EmailMessage, action: str) -> None:
    assert read(report(sent, "5.1.1", action=action)) is None


def test_a_complaint_stops_it(sent: EmailMessage) -> None:
    bounce = read(report(sent, "", kind="feedback-report"))
    assert bounce == Bounce(subscription(sent), True, "the reader reported it as unwanted")


def test_reports_of_others_and_other_mails_are_passed_over(sent: EmailMessage) -> None:
    foreign = EmailMessage()
    foreign["Message-ID"] = "<1234@elsewhere.example>"
    foreign.set_content("a mail of somebody else's")
    assert read(report(foreign, "5.1.1")) is None
    assert read(foreign.as_bytes()) is None
    assert read(sent.as_bytes()) is None
    parts = b"Content-Type: multipart/report"
    deep = parts + b"; boundary=b0\r\n\r\n" + nested(1_200)
    for octets in (b"", b"\xff\x00", parts + b"\r\n\r\n", b"\r\n" * 1_000, deep):
        assert read(octets) is None


def test_where_they_come_from(sent: EmailMessage, tmp_path: Path) -> None:
    octets = report(sent, "5.1.1")
    [piped] = returned(None, io.BytesIO(octets))
    assert piped is not None
    (tmp_path / "one.eml").write_bytes(octets)
    box = tmp_path / "box"
    for name in ("new", "cur", "tmp"):
        (box / name).mkdir(parents=True)
    (box / "new" / "1.mail").write_bytes(octets)
    (box / "new" / "2.mail").write_bytes(sent.as_bytes())
    (box / "cur" / "3.mail:2,S").write_bytes(octets)
    found = list(returned([tmp_path / "one.eml", box], io.BytesIO()))
    assert found == [piped, piped, None]
    assert list(returned([box], io.BytesIO())) == []
    assert len(list((box / "cur").iterdir())) == 3


def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        list(returned([tmp_path / "nowhere"], io.BytesIO()))
    with pytest.raises(InputError, match="is no Maildir"):
        list(returned([tmp_path], io.BytesIO()))
