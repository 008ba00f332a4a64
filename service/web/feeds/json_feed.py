"""A feed as JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from typing import Any

import orjson

from service.times import rfc3339
from service.web.feeds.feed import Entry, Feed

EXTENSION = "json"
MEDIA_TYPE = "application/feed+json"


def json_feed(feed: Feed, public_url: str) -> bytes:
    """The document, in UTF-8. public_url: the origin of its addresses."""
    document = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "description": feed.subtitle,
        "home_page_url": public_url + feed.page,
        "feed_url": public_url + feed.path(EXTENSION),
        "items": [_item(entry) for entry in feed.entries],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _item(entry: Entry) -> dict[str, Any]:
    item = {
        "id": entry.id,
        "url": entry.url,
        "external_url": entry.outside_url,
        "title": entry.title,
        "summary": entry.summary,
        "content_html": entry.content,
        "date_published": _date(entry.published_ms),
        "date_modified": _date(entry.updated_ms),
        "authors": [{"name": author} for author in entry.authors],
        "tags": list(entry.keywords),
        "_related_papers": dict(entry.facts),
    }
    return {name: value for name, value in item.items() if value}


def _date(time_ms: int | None) -> str:
    return "" if time_ms is None else rfc3339(time_ms)
