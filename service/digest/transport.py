"""Where mails go: to an SMTP server, or without one into a Maildir of the data folder.

    async with open_transport(settings) as connection:
        await connection.send(message)

A transport opens once and sends many mails. What can go wrong with a mail is one of two things, and
the sender's book-keeping rests on the difference:

    Refused(permanent=True)            this mailbox takes no mail: suppress it
    Refused(permanent=False)           not now, or not from us: try again later
    Undelivered(before_data=True)      the server is away, and surely has no copy: try again later
    Undelivered(before_data=False)     the server was lost while it took the mail: nobody can know
"""

import random
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from service.settings import Settings, SettingsError

FIRST_RETRY_SECONDS = 60.0
LAST_RETRY_SECONDS = 4 * 3_600.0

MAX_LOST = 5
"""After so many mails in a row for which the mail server could not be had, a run ends."""

MAIL_FOLDER = "mail"
"""The Maildir, in the data folder."""


class Refused(Exception):  # noqa: N818 - the server's word, and named for it
    """The server answered, and will not take this mail.

    permanent: the mailbox itself is refused for good, so no mail should go there again. A refusal
        that is about the sender (its address, its reputation, its login) is never permanent.
    code: of RFC 5321, such as 450. text: what the server said, on one line.
    """

    def __init__(self, *, permanent: bool, code: int, text: str) -> None:
        super().__init__(f"{code} {text}")
        self.permanent = permanent
        self.code = code
        self.text = text


class Undelivered(Exception):  # noqa: N818 - likewise
    """The server can't be reached, or was lost.

    before_data: it surely has no copy of this mail. Otherwise it was lost after the mail was
        begun: it may have taken it, and nobody can know.
    """

    def __init__(self, text: str, *, before_data: bool) -> None:
        super().__init__(text)
        self.before_data = before_data


class Transport(Protocol):
    """Sends mails, one after the other: a transport is for one task.

    Entering it connects; raises Undelivered(before_data=True) where nobody answers, or the server
    will not have us.
    """

    async def __aenter__(self) -> Self:
        """Connect."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take leave."""

    async def send(self, message: EmailMessage) -> None:
        """Hand over a mail with one address in To; when this returns, the receiver has it.

        Raises Refused and Undelivered; the transport is then still good for the next mail.
        """


def open_transport(settings: Settings) -> Transport:
    """The transport that the settings name, not yet connected. Raises SettingsError."""
    check(settings)
    if settings.smtp_host is None:
        from service.digest.maildir import MaildirTransport  # noqa: PLC0415 - the one that is used

        return MaildirTransport(settings.data_dir / MAIL_FOLDER)
    from service.digest.smtp import SmtpTransport  # noqa: PLC0415 - loads aiosmtplib

    return SmtpTransport(
        settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=_password(settings.smtp_password_file),
        mails_per_second=settings.smtp_mails_per_second,
        timeout_seconds=settings.smtp_timeout_seconds,
    )


def check(settings: Settings) -> None:
    """Raises SettingsError where mails could not be sent as the settings want it."""
    if settings.smtp_host is None:
        return
    if settings.public_url is None:
        raise SettingsError(
            "Mails by SMTP need an address for their links: say where readers reach the pages with "
            "--public-url or RELATED_PAPERS_PUBLIC_URL, such as https://papers.example."
        )
    if settings.mail_from == Settings.model_fields["mail_from"].default:
        raise SettingsError(
            "Mails by SMTP need a sender: say whom they are from with RELATED_PAPERS_MAIL_FROM, "
            "such as Papers <digest@papers.example>."
        )
    if (settings.smtp_username is None) != (settings.smtp_password_file is None):
        raise SettingsError(
            "RELATED_PAPERS_SMTP_USERNAME and RELATED_PAPERS_SMTP_PASSWORD_FILE belong together: "
            "set both, or neither."
        )
    if settings.smtp_username is not None and settings.smtp_security == "none":
        raise SettingsError(
            "RELATED_PAPERS_SMTP_SECURITY=none would send the password in the clear: use starttls "
            "or tls, or set no RELATED_PAPERS_SMTP_USERNAME."
        )


def retry_seconds(attempts: int) -> float:
    """How long to wait before another attempt, after so many (1 at the least) that failed.

    Twice as long each time, from a minute to four hours, and drawn evenly between that and half of
    it, so that mails that failed together do not come again together.
    """
    longest = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(attempts - 1, 16))
    return random.uniform(longest / 2, longest)  # noqa: S311 - no secret


def _password(file: Path | None) -> str | None:
    if file is None:
        return None
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The password file {file} can't be read: {error}.") from error
    if not lines or not lines[0]:
        raise SettingsError(f"The password file {file} is empty.")
    return lines[0]
