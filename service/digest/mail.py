"""The mails of the digest: the digest itself, the one that asks to confirm, and the one that says
that a mailbox is subscribed already.

Each says the same in text and in HTML. The HTML needs no picture and no script, takes its styles
along in each element (mail programs drop style sheets), and a style sheet adds dark colours where
one is read. Nothing in a mail tells whether it was opened.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from service.digest import words
from service.digest.addresses import named, shown
from service.digest.excerpts import cut, names, sentences
from service.digest.links import Links
from service.digest.mime import clean, host, mail, message_id, size
from service.digest.subscriptions import Subscription

MAX_BYTES = 102_000
"""Of a whole mail: mail programs cut longer ones, and the link to leave goes first."""

MAX_ENTRIES = 20

_MAX_URL = 400
"""A paper whose address is longer than this, as HTML writes it, is named without a link."""

_WIDTH = 72


@dataclass(frozen=True, slots=True)
class Entry:
    """A paper of a digest.

    why: why it is there, such as `31 readers saved it this week`.
    url: its page, absolute.
    """

    paper_id: str
    title: str
    authors: Sequence[str]
    abstract: str
    why: str
    url: str


@dataclass(frozen=True, slots=True)
class Issue:
    """One digest of one subscriber.

    occurrence_ms: when it was due, Unix ms: with the subscription it makes the Message-ID.
    heading: such as `Trending this week`.
    entries: 1 to MAX_ENTRIES, the best first.
    """

    occurrence_ms: int
    heading: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class _Lengths:
    """How many characters of each text a mail has room for."""

    title: int
    authors: int
    abstract: int
    why: int


_ROOM = (
    _Lengths(300, 110, 600, 200),
    _Lengths(300, 90, 300, 160),
    _Lengths(200, 70, 140, 100),
    _Lengths(80, 40, 0, 60),
)
"""The first with which a mail fits. With the last one any does: MAX_ENTRIES papers whose every
character takes the most that it can (12 bytes as quoted-printable) and whose addresses are as long
as may be."""


def digest_mail(
    subscription: Subscription, issue: Issue, links: Links, mail_from: str, at_ms: int
) -> EmailMessage:
    """A digest.

    mail_from: the setting. at_ms: now, Unix ms.
    Raises ValueError where there is no paper, or there are too many.
    """
    if not 1 <= len(issue.entries) <= MAX_ENTRIES:
        raise ValueError(f"a digest has 1 to {MAX_ENTRIES} papers, not {len(issue.entries)}")
    leave = links.unsubscribe(subscription.id)
    date = datetime.fromtimestamp(issue.occurrence_ms / 1_000, ZoneInfo(subscription.time_zone))
    for room in _ROOM:
        entries = [_fitted(entry, room) for entry in issue.entries]
        heading = cut(clean(issue.heading), 120)
        message = _mail(
            "digest",
            subscription,
            links,
            mail_from,
            at_ms,
            number=issue.occurrence_ms,
            subject=cut(_subject(heading, entries), 150),
            heading=heading,
            date=f"{date:%A}, {date.day} {date:%B} {date.year}",
            entries=entries,
            manage=links.manage(subscription.id, at_ms),
            leave=leave,
        )
        message["List-Id"] = f"<digest.{host(links.public_url)}>"
        message["List-Unsubscribe"] = f"<{leave}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        if size(message) <= MAX_BYTES:
            return message
    raise AssertionError("the shortest texts fit")


def confirmation_mail(
    pending: Subscription, links: Links, mail_from: str, at_ms: int
) -> EmailMessage:
    """Asks whoever reads the mailbox to confirm this request. at_ms: now, Unix ms."""
    return _mail(
        "confirm",
        pending,
        links,
        mail_from,
        at_ms,
        number=pending.revision,
        subject=f"Confirm your digest from {sender(mail_from).display_name or 'Related Papers'}",
        confirm=links.confirm(pending),
    )


def already_mail(
    subscription: Subscription, links: Links, mail_from: str, at_ms: int
) -> EmailMessage:
    """Says that the mailbox is subscribed, and that nothing has changed.

    at_ms: when somebody asked, Unix ms: with the subscription it makes the Message-ID.
    """
    return _mail(
        "already",
        subscription,
        links,
        mail_from,
        at_ms,
        number=at_ms,
        subject=f"You already get the digest from {sender(mail_from).display_name or 'us'}",
        manage=links.manage(subscription.id, at_ms),
    )


def sender(mail_from: str) -> Address:
    """The setting `mail_from` as a header takes it. Raises InvalidAddress."""
    name, address = named(mail_from)
    return Address(name, addr_spec=address)


def _mail(
    kind: str,
    subscription: Subscription,
    links: Links,
    mail_from: str,
    at_ms: int,
    *,
    number: int,
    subject: str,
    **context: object,
) -> EmailMessage:
    """Both parts of the template of that kind."""
    who = sender(mail_from)
    context |= {
        "site": who.display_name or "Related Papers",
        "home": f"{links.public_url}/",
        "address": shown(subscription.address),
        "what": cut(clean(words.what(subscription.content)), 300),
        "when": words.when(subscription),
        "subject": subject,
    }
    return mail(
        sender=who,
        to=subscription.address,
        subject=subject,
        at_ms=at_ms,
        message_id=message_id(kind, subscription.id, number, links.public_url),
        text=_text.get_template(f"{kind}.txt").render(context),
        html=_html.get_template(f"{kind}.html").render(context),
    )


def _fitted(entry: Entry, room: _Lengths) -> dict[str, str]:
    """The texts of a paper, each at most as long as there is room."""
    authors = [clean(author) for author in entry.authors[:100]]
    return {
        "title": cut(clean(entry.title), room.title) or "Untitled",
        "authors": names([author for author in authors if author], room.authors),
        "abstract": cut(sentences(clean(entry.abstract[:4_000])), room.abstract),
        "why": cut(clean(entry.why), room.why),
        "url": entry.url if len(escape(entry.url)) <= _MAX_URL else "",
    }


def _subject(heading: str, entries: Sequence[dict[str, str]]) -> str:
    return f"{heading}: {cut(entries[0]['title'], 90)}"


@lru_cache(4_096)  # one paper goes to many subscribers
def _wrapped(text: str, indent: int = 0, *, first: int | None = None) -> str:
    """Lines of at most 72 characters, each after so many spaces. A long word stays whole.

    first: spaces before the first line, if not the same.
    """
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=" " * (indent if first is None else first),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _begin(text: str) -> str:
    """With a capital, as a sentence begins."""
    return text[:1].upper() + text[1:]


def _environment(*, markup: bool) -> Environment:
    """markup: whether it is HTML; in plain text there is nothing to escape from."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=markup,  # noqa: S701 - see above
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"wrapped": _wrapped, "begin": _begin}
    return environment


_html = _environment(markup=True)
_text = _environment(markup=False)
