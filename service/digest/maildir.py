"""Mails in a folder: what is sent without an SMTP server, and how it is read again."""

import asyncio
import mailbox
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Self


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
        """Write a mail: into `tmp`, to the disk, and then into `new` by its new name."""
        await asyncio.to_thread(self._deliver, message.as_bytes())

    def _deliver(self, message: bytes) -> None:
        self._folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mailbox.Maildir(self._folder).add(message)
