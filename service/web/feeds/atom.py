"""A feed as Atom (RFC 4287)."""

from xml.etree import ElementTree as ET

from service.times import rfc3339
from service.web.feeds.feed import Entry, Feed

EXTENSION = "atom"
MEDIA_TYPE = "application/atom+xml"

_NAMESPACE = "http://www.w3.org/2005/Atom"


def atom(feed: Feed, public_url: str) -> bytes:
    """The document, in UTF-8. public_url: the origin of its addresses."""
    root = ET.Element("feed", {"xmlns": _NAMESPACE})
    _text(root, "id", feed.id)
    _text(root, "title", feed.title)
    _text(root, "subtitle", feed.subtitle)
    _text(root, "updated", rfc3339(feed.updated_ms))
    _link(root, "self", public_url + feed.path(EXTENSION), MEDIA_TYPE)
    _link(root, "alternate", public_url + feed.page, "text/html")
    _text(ET.SubElement(root, "author"), "name", "Related Papers")  # of papers that name none
    _text(root, "generator", "Related Papers")
    for entry in feed.entries:
        _entry(ET.SubElement(root, "entry"), entry)
    ET.indent(root, " ")
    document: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return document + b"\n"


def _entry(node: ET.Element, entry: Entry) -> None:
    _text(node, "id", entry.id)
    _text(node, "title", entry.title)
    _text(node, "updated", rfc3339(entry.updated_ms or 0))  # Atom wants one
    if entry.published_ms is not None:
        _text(node, "published", rfc3339(entry.published_ms))
    _link(node, "alternate", entry.url, "text/html")
    if entry.outside_url:
        _link(node, "related", entry.outside_url)
    for author in entry.authors:
        _text(ET.SubElement(node, "author"), "name", author)
    for keyword in entry.keywords:
        ET.SubElement(node, "category", {"term": keyword})
    if entry.summary:
        _text(node, "summary", entry.summary)
    _text(node, "content", entry.content).set("type", "html")


def _text(parent: ET.Element, name: str, text: str) -> ET.Element:
    node = ET.SubElement(parent, name)
    node.text = text
    return node


def _link(parent: ET.Element, relation: str, address: str, kind: str = "") -> None:
    link = ET.SubElement(parent, "link", {"rel": relation, "href": address})
    if kind:
        link.set("type", kind)
