"""Mails as bytes: headers and parts in the one form that no relay has a reason to change.

Lines of 76 characters at most and CRLF, ASCII alone on the wire (quoted-printable or base64, RFC
2045), so that a DKIM signature (RFC 6376), which a relay puts on, holds all the way.
"""

import re
import textwrap
from base64 import b64encode
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any
from urllib.parse import urlsplit

_WHOLE = frozenset({"message-id", "list-unsubscribe", "list-id"})
"""Headers of one long word, which the library would take apart into encoded words."""

_LEFT_OUT = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these turn the direction of what follows
    "\u2028\u2029\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"  # no text
    "\U000e0000-\U0010ffff]"
)
_MAX_HEADERS = 3_000
"""Bytes of the headers of a mail and of its parts, and of what divides these."""

_WORD_BYTES = 39
"""In an encoded word; it has 64 characters then, and a line with the header's name 73."""

_AS_IT_IS = bytes(set(range(128)) - set(b"="))
"""What quoted-printable writes as it is, line ends and blanks aside."""


class _Policy(EmailPolicy):
    """SMTP's line ends; long words stay whole, up to the 998 characters of RFC 5322."""

    def fold(self, name: str, value: Any) -> str:
        """A header as it is sent."""
        if name.lower() in _WHOLE:
            return f"{name}: {value}{self.linesep}"
        if name.lower() == "subject" and hasattr(value, "name"):  # made here, not read
            return f"{name}: {_encoded_words(value)}{self.linesep}"
        folded: str = super().fold(name, value)
        return folded

    def fold_binary(self, name: str, value: Any) -> bytes:
        """The same in bytes, all of them ASCII."""
        return self.fold(name, value).encode("ascii")


MESSAGE_ID = re.compile(r"<[a-z]+\.([0-9a-f]{32})\.[0-9a-f]+@[^<>@\s]+>")
"""What `message_id` makes, and the subscription in it."""

POLICY = _Policy(linesep="\r\n", cte_type="7bit", max_line_length=76)


def mail(
    *, sender: Address, to: str, subject: str, at_ms: int, message_id: str, text: str, html: str
) -> EmailMessage:
    """A mail in text and HTML, both of which say the same.

    to: a kept address, see service/digest/addresses.py. at_ms: its date, Unix ms.
    Raises ValueError where a header holds what a header can't.
    """
    message = EmailMessage(POLICY)
    message["From"] = sender
    message["To"] = Address(addr_spec=to)
    message["Subject"] = clean(subject).replace("=?", "= ?")  # no encoded words but our own
    message["Date"] = datetime.fromtimestamp(at_ms // 1_000, UTC)
    message["Message-ID"] = message_id
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer that somebody is on holiday
    message.set_content(text, cte=_encoding(text))
    message.add_alternative(html, subtype="html", cte=_encoding(html))
    for part in message.iter_parts():
        del part["MIME-Version"]  # it belongs to the mail as a whole
    message.set_boundary(f"=_{message_id.strip('<>').partition('@')[0]}")
    return message


def message_id(kind: str, id: str, number: int, public_url: str) -> str:
    """The same for the same mail, however often it is made.

    kind: a word. id: of the subscription. number: says which mail of that kind.
    """
    return f"<{kind}.{id}.{number:x}@{host(public_url)}>"


def host(public_url: str) -> str:
    """The host of an address, as the right side of an id takes it."""
    name = urlsplit(public_url).hostname or "localhost"
    return f"[IPv6:{name}]" if ":" in name else name


def size(message: EmailMessage) -> int:
    """The bytes of a mail that `mail` made, or some more."""
    bodies = [str(part.get_payload()) for part in message.iter_parts()]
    return _MAX_HEADERS + sum(len(body) + body.count("\n") for body in bodies)


def clean(text: str) -> str:
    """Somebody's text on one line: without what is not printed, or turns what comes after it."""
    return " ".join(_LEFT_OUT.sub(" ", text).split())


def _encoded_words(text: str) -> str:
    """A header of text on lines of at most 76 characters (RFC 2047); ASCII as it is.

    The library's own folding loses spaces, and leaves first lines empty.
    """
    if text.isascii():
        return textwrap.fill(text, 66, break_long_words=False, break_on_hyphens=False).replace(
            "\n", "\r\n "
        )
    words, word = [], b""
    for octets in map(str.encode, text):
        if len(word) + len(octets) > _WORD_BYTES:
            words.append(word)
            word = b""
        word += octets
    return "\r\n ".join(f"=?utf-8?b?{b64encode(each).decode()}?=" for each in [*words, word])


def _encoding(text: str) -> str:
    """The shorter of the two: quoted-printable spends three characters on a byte beyond ASCII."""
    octets = text.encode()
    beyond = len(octets.translate(None, _AS_IT_IS))
    return "base64" if 6 * beyond > len(octets) else "quoted-printable"
