"""What a mail server's refusal is about: the mailbox, or us."""

import re

_ENHANCED = re.compile(r"\s*5\.(\d{1,3})\.(\d{1,3})\b")

_MAILBOX_CODES = frozenset({521, 550, 551, 552, 553, 554, 556})
"""What servers say of a mailbox, or a host, that takes no mail (RFC 5321, RFC 7504)."""

_MAILBOX_SUBJECTS = frozenset({0, 1, 2})
"""Undefined, address, mailbox (RFC 3463); the others are the system, the network, protocol, content
and policy."""

_SENDERS = frozenset({(1, 7), (1, 8)})
"""Of subject 1, what is about the sender's address."""


def is_about_mailbox(code: int, text: str) -> bool:
    """Whether a refusal means that a mailbox takes no mail, now and later.

    Many refusals of the fives are about who sends: a domain without SPF, a network on a block list.
    They would come for every subscriber alike, and must suppress none; so where the server gives a
    status of RFC 3463 at the beginning of its text, that says whom it means.

    code: 400 to 599.
    """
    if found := _ENHANCED.match(text):
        subject, detail = int(found[1]), int(found[2])
        return code >= 500 and subject in _MAILBOX_SUBJECTS and (subject, detail) not in _SENDERS
    return code in _MAILBOX_CODES
