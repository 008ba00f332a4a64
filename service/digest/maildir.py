"""Mails in a folder: what is sent without an SMTP server, and how it is read again."""

import asyncio
import heapq
import mailbox
import os
from email import message_from_binary_file, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from service.digest.transport import Undelivered

PREVIEW_FILE = "preview.eml"
"""What `digest preview` writes, in the data folder."""

PREVIEW = "preview"
"""Its name beside the mails of the Maildir."""


class MaildirTransport:
    """Delivers into a Maildir, whoever a mail is for. Many processes may, at the same time.

    folder: made, readable by its owner alone, with the first mail.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def __aenter__(self) -> Self:
        """There is nothing to connect to."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """There is nothing to leave."""

    async def send(self, message: EmailMessage) -> None:
        """Write a mail: into `tmp`, to the disk, and then into `new` by its new name.

        Raises Undelivered(before_data=True) where the disk takes none.
        """
        try:
            await asyncio.to_thread(self._deliver, message.as_bytes())
        except OSError as error:
            text = f"The folder of mails {self._folder} takes none: {error}."
            raise Undelivered(text, before_data=True) from error

    def _deliver(self, message: bytes) -> None:
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # By ourselves: of two first deliveries at once, `mailbox` lets one fail.
        for each in (self._folder, *(self._folder / part for part in ("tmp", "new", "cur"))):
            each.mkdir(mode=0o700, exist_ok=True)
        mailbox.Maildir(self._folder).add(message)


class Heading(NamedTuple):
    """A mail in a list. name: for `Mails.read`. date: as the mail has it."""

    name: str
    to: str
    subject: str
    date: str


class Mails:
    """The mails of a data folder, to look at: those of the Maildir, and the one of `preview`."""

    def __init__(self, maildir: Path, preview: Path) -> None:
        self._folders = (maildir / "new", maildir / "cur")
        self._preview = preview

    def latest(self, count: int) -> list[Heading]:
        """The newest mails, and the preview before all others."""
        found: list[tuple[int, str, Path]] = []
        for folder in self._folders:
            try:
                with os.scandir(folder) as entries:
                    found += [
                        (entry.stat().st_mtime_ns, entry.name, Path(entry.path))
                        for entry in entries
                        if entry.is_file()
                    ]
            except FileNotFoundError:  # no mail yet, or one that is gone meanwhile
                continue
        newest = [(name, path) for _, name, path in heapq.nlargest(count, found)]
        if self._preview.is_file():
            newest.insert(0, (PREVIEW, self._preview))
        return [_heading(name, path) for name, path in newest if path.exists()]

    def read(self, name: str) -> EmailMessage | None:
        """The mail of that name, if there is one."""
        path = self._preview if name == PREVIEW else self._found(name)
        if path is None or not path.is_file():
            return None
        with path.open("rb") as file:
            return message_from_binary_file(file, policy=policy.default)

    def _found(self, name: str) -> Path | None:
        if not 0 < len(name) < 200 or not name.isprintable() or "/" in name:
            return None
        return next((each / name for each in self._folders if (each / name).is_file()), None)


def _heading(name: str, path: Path) -> Heading:
    with path.open("rb") as file:
        mail = BytesHeaderParser(policy=policy.default).parse(file)
    return Heading(name, str(mail["To"]), str(mail["Subject"]), str(mail["Date"]))
