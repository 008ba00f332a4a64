"""The mailbox of a subscriber: what a service delivered into its Maildir, and the links in it."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from service.digest.transport import MAIL_FOLDER


class Link(NamedTuple):
    """A link to a page of the digest. path: without its query."""

    url: str
    path: str
    token: str


def mails(data: Path, address: str) -> list[EmailMessage]:
    """What came to an address, in the order of arrival. data: the data folder of the service."""
    files = sorted((data / MAIL_FOLDER).glob("new/*"), key=lambda file: file.stat().st_mtime_ns)
    found = [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
    return [mail for mail in found if mail["To"].addresses[0].addr_spec == address]


def links(mail: EmailMessage) -> dict[str, Link]:
    """The links to pages of the digest by the last part of their paths, as the text has them."""
    part = mail.get_body(("plain",))
    assert part is not None
    found = {}
    for url in re.findall(r"https?://\S+", part.get_content()):
        split = urlsplit(url)
        if split.path.startswith("/digest/"):
            [token] = parse_qs(split.query)["token"]
            found[split.path.rpartition("/")[2]] = Link(url, split.path, token)
    return found
