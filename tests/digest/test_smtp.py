"""Mails by SMTP, to a real server: secured, refused, dropped and delayed."""

import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import trustme

from service.digest.mime import mail
from service.digest.replies import is_about_mailbox
from service.digest.smtp import Pace, SmtpTransport
from service.digest.transport import Refused, Undelivered, open_transport
from service.settings import load
from tests.digest.mail_server import DROP, NAME, PASSWORD, SILENCE, Handler, mail_server

TEXT = ".\r\n..two dots\r\n.\r\nFrom here on = " + "long " * 400 + "\r\n.\r\n"


def a_mail(number: int = 0, to: str = "ada+papers@example.org") -> EmailMessage:
    return mail(
        sender=Address("Papers", addr_spec="digest@papers.example"),
        to=to,
        subject=f"Mail {number}",
        at_ms=1_700_000_000_000,
        message_id=f"<{number}@papers.example>",
        text=TEXT,
        html="<p>漢字</p>\r\n",
    )


def transport(port: int, **options: Any) -> SmtpTransport:
    settings: dict[str, Any] = {
        "port": port,
        "security": "none",
        "mails_per_second": 10_000.0,
        "connect_pauses_seconds": (0.0, 0.0),
        **options,
    }
    return SmtpTransport("127.0.0.1", **settings)


async def test_many_mails_take_one_connection_and_arrive_byte_for_byte() -> None:
    handler = Handler()
    mails = [a_mail(number) for number in range(20)]
    async with mail_server(handler) as port, transport(port) as connection:
        for each in mails:
            await connection.send(each)
    assert handler.connections == 1
    assert [envelope.content for envelope in handler.mails] == [each.as_bytes() for each in mails]
    assert {envelope.mail_from for envelope in handler.mails} == {"digest@papers.example"}
    assert {tuple(each.rcpt_tos) for each in handler.mails} == {("ada+papers@example.org",)}


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "CONTENT"])
@pytest.mark.parametrize(
    ("answer", "suppressed"),
    [
        ("450 4.2.1 try again later", False),
        ("451 greylisted", False),
        ("452 4.2.2 mailbox full for now", False),
        ("550 5.1.1 no such user", True),
        ("550 no such user", True),
        ("553 5.2.1 mailbox disabled", True),
        ("550 5.7.1 your network is on a block list", False),
        ("554 5.7.26 this mail is not authenticated", False),
        ("550 5.1.8 no such domain of a sender", False),
        ("552 5.3.4 mail too big", False),
        ("530 5.7.0 log in first", False),
        ("503 out of order", False),
    ],
)
async def test_a_refusal_is_the_mailbox_or_passes(
    stage: str,
    answer: str,
    suppressed: bool,
) -> None:
    handler = Handler({stage: [answer]})
    async with mail_server(handler) as port, transport(port) as connection:
        with pytest.raises(Refused) as refused:
            await connection.send(a_mail(1))
        assert refused.value.permanent == (suppressed and stage != "MAIL")
        assert f"{refused.value.code} {refused.value.text}" == answer
        await connection.send(a_mail(2))
    assert handler.connections == 1
    assert [envelope.content for envelope in handler.mails] == [a_mail(2).as_bytes()]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [DROP, "421 4.3.2 closing"])
async def test_a_connection_that_ends_before_the_content_is_made_anew(
    stage: str, answer: str
) -> None:
    handler = Handler({stage: [answer]})
    async with mail_server(handler) as port, transport(port) as connection:
        await connection.send(a_mail(1))
    assert handler.connections == 2
    assert [envelope.content for envelope in handler.mails] == [a_mail(1).as_bytes()]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_always_ends_it_surely_has_no_copy(stage: str) -> None:
    handler = Handler({stage: [DROP, DROP]})
    async with mail_server(handler) as port, transport(port) as connection:
        with pytest.raises(Undelivered) as lost:
            await connection.send(a_mail(1))
        assert lost.value.before_data
        await connection.send(a_mail(2))
    assert len(handler.mails) == 1


async def test_a_server_that_is_closing_twice_refuses_for_now() -> None:
    handler = Handler({"RCPT": ["421 4.7.0 too many", "421 4.7.0 too many"]})
    async with mail_server(handler) as port, transport(port) as connection:
        with pytest.raises(Refused) as refused:
            await connection.send(a_mail(1))
        assert (refused.value.code, refused.value.permanent) == (421, False)
        await connection.send(a_mail(2))
    assert len(handler.mails) == 1


@pytest.mark.parametrize("answer", [DROP, SILENCE])
async def test_a_server_that_is_lost_with_the_content_may_have_it(answer: str) -> None:
    handler = Handler({"CONTENT": [answer]})
    async with mail_server(handler) as port:
        async with transport(port, timeout_seconds=1) as connection:
            with pytest.raises(Undelivered) as lost:
                await connection.send(a_mail(1))
            assert not lost.value.before_data
            await connection.send(a_mail(2))
        assert handler.stages["CONTENT"] == 2  # the first was not sent again
    assert handler.connections == 2
    assert [envelope.content for envelope in handler.mails] == [a_mail(2).as_bytes()]


async def test_silence_before_the_content_is_no_delivery() -> None:
    handler = Handler({"RCPT": [SILENCE]})
    async with mail_server(handler) as port, transport(port, timeout_seconds=1) as connection:
        with pytest.raises(Undelivered) as lost:
            await connection.send(a_mail(1))
        assert lost.value.before_data
        await connection.send(a_mail(2))
    assert len(handler.mails) == 1


async def test_a_server_that_is_away_is_asked_again() -> None:
    async with mail_server(Handler()) as port:
        pass
    with pytest.raises(Undelivered, match=f"The mail server 127.0.0.1:{port}: ") as lost:
        async with transport(port):
            pass
    assert lost.value.before_data
    handler = Handler()
    async with mail_server(handler, port=port), transport(port) as connection:
        await connection.send(a_mail())
    assert len(handler.mails) == 1


class Certificates:
    """A certificate of the server's, and the authority that a client has to trust."""

    def __init__(self, folder: Path) -> None:
        authority = trustme.CA()
        self.authority = folder / "authority.pem"
        authority.cert_pem.write_to_path(self.authority)
        self.server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert("127.0.0.1").configure_cert(self.server)

    def of(self, security: str) -> dict[str, Any]:
        """The option of `mail_server`."""
        return {security: self.server}


@pytest.fixture
def certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    found = Certificates(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(found.authority))
    return found


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_mails_and_passwords_go_over_tls(certificates: Certificates, security: str) -> None:
    handler = Handler()
    async with (
        mail_server(handler, login=True, **certificates.of(security)) as port,
        transport(port, security=security, username=NAME, password=PASSWORD) as connection,
    ):
        for number in range(3):
            await connection.send(a_mail(number))
    assert len(handler.mails) == 3
    assert len(handler.logins) == 1
    assert handler.connections == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_a_certificate_of_nobody_we_trust_ends_it(
    certificates: Certificates, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, security: str
) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.setenv("SSL_CERT_FILE", str(Certificates(tmp_path / "other").authority))
    handler = Handler()
    async with mail_server(handler, login=True, **certificates.of(security)) as port:
        with pytest.raises(Undelivered, match=r"(?i)certificate") as lost:
            async with transport(port, security=security, username=NAME, password=PASSWORD):
                pass
    assert lost.value.before_data
    assert not handler.logins
    assert handler.connections <= 1  # the same would come again


async def test_without_starttls_nothing_is_sent() -> None:
    handler = Handler()
    async with mail_server(handler) as port:
        with pytest.raises(Undelivered, match="STARTTLS"):
            async with transport(port, security="starttls", username=NAME, password=PASSWORD):
                pass
    assert not handler.logins
    assert not handler.mails


async def test_the_settings_reach_the_server(certificates: Certificates, tmp_path: Path) -> None:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    handler = Handler()
    async with mail_server(handler, login=True, starttls=certificates.server) as port:
        settings = load(
            public_url="https://papers.example",
            mail_from="Papers <digest@papers.example>",
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_username=NAME,
            smtp_password_file=tmp_path / "password",
        )
        async with open_transport(settings) as connection:
            await connection.send(a_mail())
    assert [each.content for each in handler.mails] == [a_mail().as_bytes()]
    assert len(handler.logins) == 1


async def test_a_wrong_password_is_tried_once(certificates: Certificates) -> None:
    handler = Handler()
    async with mail_server(handler, starttls=certificates.server, login=True) as port:
        with pytest.raises(Undelivered, match="535") as lost:
            async with transport(port, security="starttls", username=NAME, password="wrong"):
                pass
    assert lost.value.before_data
    assert "wrong" not in str(lost.value)
    assert handler.connections == 1


def test_a_pace_is_even_and_saves_nothing_up() -> None:
    pace = Pace(4.0)
    assert [pace.wait_seconds(10.0) for _ in range(4)] == [0.0, 0.25, 0.5, 0.75]
    assert pace.wait_seconds(10.5) == 0.5
    assert [pace.wait_seconds(60.0) for _ in range(2)] == [0.0, 0.25]


def test_refusals_of_the_fours_are_never_about_a_mailbox_for_good() -> None:
    for code in range(400, 500):
        assert not is_about_mailbox(code, "5.1.1 no such user")
        assert not is_about_mailbox(code, "no such user")
