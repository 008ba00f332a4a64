"""Addresses of mailboxes: which are taken, how they are kept, and when two are one.

Taken is what any mail server takes (RFC 5321): a local part of ASCII letters, digits and
``!#$%&'*+-/=?^_`{|}~`` with single dots between, a plus sign included, and a domain of any
language, which is kept in the form that mail servers look up (IDNA 2008 with the mapping of UTS
46). Nothing else passes: no quotes, no comments, no control characters, so that no address can add
a header; and nothing that looks like an encoded word (RFC 2047), which a reader of the header would
take for other characters.
"""

import re
from email.utils import parseaddr

_MAX_ADDRESS = 254
"""Characters of an address: RFC 5321 4.5.3.1.3, without the angle brackets around a path."""

_MAX_LOCAL = 64
_MAX_DOMAIN = 253

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*")
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[^?]*\?")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


class InvalidAddress(ValueError):  # noqa: N818 - the sender's fault, and named for it
    """Not an address that mail can be sent to; the message says what it must be."""


def kept(address: str) -> str:
    """An address as it is kept and written to: the local part as given, the domain in ASCII.

    Raises InvalidAddress.
    """
    local, at, domain = address.strip(" ").rpartition("@")
    if not (at and local and domain):
        raise InvalidAddress("an address, such as ada@papers.example")
    if len(local) > _MAX_LOCAL or not _LOCAL.fullmatch(local):
        raise InvalidAddress(
            "an address whose part before the @ has ASCII letters, digits, single dots and "
            f"!#$%&'*+-/=?^_`{{|}}~ alone, {_MAX_LOCAL} at most"
        )
    if _ENCODED_WORD.search(local):
        raise InvalidAddress("an address with no encoded word, such as =?utf-8?q?ada?=")
    whole = f"{local}@{_domain(domain)}"
    if len(whole) > _MAX_ADDRESS:
        raise InvalidAddress(f"an address of at most {_MAX_ADDRESS} characters")
    return whole


def named(text: str) -> tuple[str, str]:
    """The name and the kept address of `Ada Lovelace <ada@papers.example>`; the name may be "".

    Raises InvalidAddress.
    """
    if not text.isprintable():
        raise InvalidAddress("an address on one line, such as Papers <digest@papers.example>")
    name, address = parseaddr(text)
    return name, kept(address)


def mailbox(address: str) -> str:
    """What two kept addresses share if they are taken for one: servers may tell the case of a local
    part (RFC 5321, 2.4), and none that people use does."""
    return address.casefold()


def shown(address: str) -> str:
    """A kept address as people write it, its domain in its own script."""
    import idna  # noqa: PLC0415 - its tables are megabytes that few processes need

    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{idna.decode(domain)}"
    except idna.IDNAError:
        return address


def _domain(domain: str) -> str:
    import idna  # noqa: PLC0415 - as above

    wrong = InvalidAddress("an address whose part after the @ is a domain, such as papers.example")
    if len(domain) > _MAX_DOMAIN:
        raise wrong
    try:
        spelled = idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        raise wrong from error
    labels = spelled.split(".")
    if len(labels) < 2 or len(spelled) > _MAX_DOMAIN or labels[-1].isdecimal():
        raise wrong  # a host of the local network, or an IP address
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise wrong
    return spelled
