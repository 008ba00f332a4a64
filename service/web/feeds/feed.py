"""What a feed holds, whatever format it is sent in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

ENTRIES = 30
"""How many papers a feed holds."""

KEPT_SECONDS = 3_600
"""How long a feed may be kept whose list changes with the model."""

_TITLE_CHARACTERS = 100
"""After so many a text in a title is cut."""

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML 1.0 document may hold, escaped or not (its production 2, Char)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One paper.

    id: a URN that stays (see `service.web.feeds.ids`). title, summary: plain text; content: HTML.
    url: of the paper's page; outside_url: of the paper itself, "" where its id does not say.
    updated_ms, published_ms: Unix time; None where unknown.
    facts: what programs want to know, for the JSON Feed's extension.
    """

    id: str
    title: str
    url: str
    outside_url: str
    authors: Sequence[str]
    summary: str
    content: str
    keywords: Sequence[str]
    updated_ms: int | None
    published_ms: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Feed:
    """A list of papers that somebody asks for again and again.

    id: a URN that stays. title, subtitle: plain text. list: the list's name in addresses;
    query: its parameters with their `?`, or "". page: the path of the list's page for people.
    updated_ms: Unix time of the list.
    modified_ms: Unix time before which a copy is no longer true (Last-Modified).
    kept_seconds: how long anybody may keep it before asking again.
    Of two that differ in `updated_ms` alone either may stand for the other.
    """

    id: str
    title: str
    subtitle: str
    list: str
    query: str
    page: str
    entries: Sequence[Entry]
    updated_ms: int
    modified_ms: int
    kept_seconds: int

    def path(self, extension: str) -> str:
        """Where it is, in the format of this extension."""
        return f"/feeds/{self.list}.{extension}{self.query}"


def plain(text: str) -> str:
    """A text in one line, without what no XML may hold."""
    return " ".join(_NO_XML.sub("\ufffd", text).split())


def shortened(text: str) -> str:
    """A text for a title: cut between words where it is long."""
    if len(text) <= _TITLE_CHARACTERS:
        return text
    beginning = text[:_TITLE_CHARACTERS]
    return (beginning.rpartition(" ")[0] or beginning) + "…"
