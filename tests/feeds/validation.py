"""Whether a feed is valid: by the grammar of its format, and by what no grammar says."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import feedparser
from jsonschema import Draft202012Validator
from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
_HERE = Path(__file__).parent
_GRAMMAR = etree.RelaxNG(etree.parse(_HERE / "atom.rng"))
_SCHEMA = Draft202012Validator(json.loads((_HERE / "json_feed.json").read_text()))
_HTML = {"p", "em", "cite"}


class Item(NamedTuple):
    """An entry, as either format gives it. content: the text of its HTML. facts: of the JSON Feed's
    extension alone."""

    id: str
    title: str
    url: str
    content: str
    published: str
    updated: str
    facts: dict[str, Any]


class Read(NamedTuple):
    """A valid feed. url: its own."""

    title: str
    subtitle: str
    url: str
    page: str
    items: list[Item]


def atom(document: bytes) -> Read:
    """Fails unless the document is a valid Atom feed."""
    root = etree.fromstring(document, etree.XMLParser(resolve_entities=False, huge_tree=True))
    assert _GRAMMAR.validate(root), _GRAMMAR.error_log
    for node in (root, *root.iter(f"{ATOM}entry")):
        alternates = [
            (link.get("rel", "alternate"), link.get("type")) for link in node.findall(f"{ATOM}link")
        ]
        assert len(set(alternates)) == len(alternates)  # RFC 4287, 4.1.1 and 4.1.2
    parsed = feedparser.parse(document, sanitize_html=False)
    assert not parsed.bozo, parsed.bozo_exception
    assert parsed.version == "atom10"
    links = {link.rel: link.href for link in parsed.feed.links}
    items = [
        Item(
            each.id,
            each.title,
            each.link,
            Content(each.content[0].value).text,
            each.get("published", ""),
            each.updated,
            {},
        )
        for each in parsed.entries
    ]
    _check(items)
    return Read(parsed.feed.title, parsed.feed.subtitle, links["self"], links["alternate"], items)


def json_feed(document: bytes) -> Read:
    """Fails unless the document is a valid JSON Feed."""
    feed = json.loads(document)
    problems = [f"{list(error.path)}: {error.message}" for error in _SCHEMA.iter_errors(feed)]
    assert not problems, problems
    items = [
        Item(
            each["id"],
            each["title"],
            each["url"],
            Content(each["content_html"]).text,
            each.get("date_published", ""),
            each.get("date_modified", ""),
            each["_related_papers"],
        )
        for each in feed["items"]
    ]
    _check(items)
    return Read(feed["title"], feed["description"], feed["feed_url"], feed["home_page_url"], items)


READ = {"atom": atom, "json": json_feed}
"""What reads and validates a feed, by extension."""


def _check(items: list[Item]) -> None:
    ids = [item.id for item in items]
    assert len(set(ids)) == len(ids), "an id stands twice"


class Content(HTMLParser):
    """Fails where an entry's HTML holds more than paragraphs of text."""

    def __init__(self, content: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self._open: list[str] = []
        self.feed(content)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in _HTML, tag
        assert not attrs, attrs
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_data(self, data: str) -> None:
        self.text += data
