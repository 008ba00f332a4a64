"""Where mails go, by the settings, and which settings contradict each other."""

from pathlib import Path

import pytest

from service.digest.maildir import MaildirTransport
from service.digest.smtp import SmtpTransport
from service.digest.transport import (
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    open_transport,
    retry_seconds,
)
from service.settings import SettingsError, load

BY_SMTP = {
    "smtp_host": "mail.example",
    "public_url": "https://papers.example",
    "mail_from": "Papers <digest@papers.example>",
}


def test_without_a_mail_server_there_is_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_transport(load(data_dir=tmp_path)), MaildirTransport)


def test_with_a_mail_server_there_is_none() -> None:
    assert isinstance(open_transport(load(**BY_SMTP)), SmtpTransport)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"public_url": None}, "--public-url"),
        ({"mail_from": None}, "RELATED_PAPERS_MAIL_FROM"),
        ({"smtp_username": "digest"}, "RELATED_PAPERS_SMTP_PASSWORD_FILE"),
        ({"smtp_password_file": "secret"}, "RELATED_PAPERS_SMTP_USERNAME"),
        (
            {"smtp_username": "digest", "smtp_password_file": "s", "smtp_security": "none"},
            "in the clear",
        ),
        ({"smtp_username": "digest", "smtp_password_file": "nowhere"}, "nowhere can't be read"),
    ],
)
def test_settings_that_contradict_each_other_are_refused_in_one_sentence(
    change: dict[str, str | None], sentence: str
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        open_transport(load(**{**BY_SMTP, **change}))


def test_an_empty_password_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("\n")
    login = {"smtp_username": "digest", "smtp_password_file": file}
    with pytest.raises(SettingsError, match=r"password is empty\."):
        open_transport(load(**BY_SMTP, **login))
    file.write_text("correct horse\n")
    assert isinstance(open_transport(load(**BY_SMTP, **login)), SmtpTransport)


@pytest.mark.parametrize(
    "mail_from",
    [
        "",
        "Papers",
        "Papers <digest>",
        "Papers <digest@localhost>",
        "digest@papers.example\r\nBcc: x@y.z",
    ],
)
def test_a_sender_has_an_address(mail_from: str) -> None:
    with pytest.raises(SettingsError, match="it must be an address"):
        load(mail_from=mail_from)


def test_retries_come_later_and_later_and_not_together() -> None:
    waits = [[retry_seconds(attempts) for _ in range(50)] for attempts in range(1, 40)]
    for attempts, drawn in enumerate(waits):
        longest = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2**attempts)
        assert all(longest / 2 <= wait <= longest for wait in drawn)
        assert len(set(drawn)) > 1
