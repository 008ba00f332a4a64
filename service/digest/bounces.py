"""What mail servers and readers send back: mails that could not be delivered, and complaints.

Both are reports (RFC 6522) that bring the mail in question along, or its headers. Its Message-ID
names the subscription, whose id nobody can guess: a forged report suppresses nobody.
"""

import re
from collections.abc import Iterator
from email import policy
from email.message import Message
from email.parser import BytesParser, HeaderParser
from typing import Any, NamedTuple

from service.digest.mime import MESSAGE_ID
from service.digest.replies import is_about_mailbox

_SAID = re.compile(r"([45]\d\d)[ -](.*)", re.DOTALL)
"""What a server said, in a Diagnostic-Code."""

_MAX_TEXT = 200


class Bounce(NamedTuple):
    """A mail that did not arrive, or that its reader did not want.

    id: of the subscription. permanent: no other mail should go there. text: why, on one line.
    """

    id: str
    permanent: bool
    text: str


def read(octets: bytes) -> Bounce | None:
    """What a mail reports of one of ours; None if it is no such report, or nobody could read it:
    anybody may write to us, and must not keep us from the mails behind."""
    try:
        return _read(octets)
    except (ValueError, LookupError, RecursionError):  # an unknown charset, parts in parts in parts
        return None


def _read(octets: bytes) -> Bounce | None:
    mail = BytesParser(policy=policy.compat32).parsebytes(octets)
    if mail.get_content_type() != "multipart/report" or (id := _subscription(mail)) is None:
        return None
    if mail.get_param("report-type") == "feedback-report":  # RFC 5965
        return Bounce(id, permanent=True, text="the reader reported it as unwanted")
    for recipient in _recipients(mail):
        if str(recipient["Action"]).strip().lower() == "failed":
            return _failed(id, recipient)
    return None  # delayed, relayed, delivered


def _failed(id: str, recipient: Message) -> Bounce:
    """RFC 3464: a status, and mostly also what the server said."""
    status = " ".join(str(recipient["Status"] or "").split())
    text = " ".join(str(recipient["Diagnostic-Code"] or "").partition(";")[2].split())
    if said := _SAID.match(text):
        permanent = is_about_mailbox(int(said[1]), said[2])
    else:
        permanent = status.startswith("5") and is_about_mailbox(550, status)
    return Bounce(id, permanent, (text or status)[:_MAX_TEXT])


def _recipients(mail: Message) -> Iterator[Message]:
    """The blocks of a delivery status that say of a recipient what became of the mail."""
    for part in mail.walk():
        if part.get_content_type() == "message/delivery-status" and part.is_multipart():
            blocks: Any = part.get_payload()
            yield from (block for block in blocks if block["Action"] is not None)


def _subscription(mail: Message) -> str | None:
    """From the Message-ID of the mail that came back, whole or its headers alone."""
    for part in mail.walk():
        headers: Message | None = None
        if part.get_content_type() == "text/rfc822-headers":
            payload = part.get_payload(decode=True)
            text = payload.decode("ascii", "replace") if isinstance(payload, bytes) else ""
            headers = HeaderParser(policy=policy.compat32).parsestr(text)
        elif part.get_content_type() == "message/rfc822" and part.is_multipart():
            payload = part.get_payload(0)
            headers = payload if isinstance(payload, Message) else None
        if headers is not None and (found := MESSAGE_ID.match(str(headers["Message-ID"]).strip())):
            return found[1]
    return None
