"""Every list says where its feed is, in a way that programs find and that leads there."""

import re
from html import unescape
from urllib.parse import quote

import pytest

from service.urls import paper_url, url
from tests.explorer import hostile
from tests.explorer.site import Site
from tests.feeds.validation import READ

LINK = re.compile(r'<link rel="alternate" type="([^"]+)" title="([^"]+)" href="([^"]+)">')
TYPES = {"application/atom+xml": "atom", "application/feed+json": "json"}

PAGES = [
    "/",
    "/trending",
    "/trending?window=month&first=2003",
    "/search?q=rivers",
    "/search?venue=Soil&last=2010",
    "/papers/plain-1",
    "/related?seed=plain-1&seed=plain-2&less=plain-3&first=2001",
    *(paper_url(paper_id) for paper_id in hostile.IDS),
    *(f"/search?q={quote(text[:400], safe='')}" for text in hostile.TEXTS if text.strip()),
]


def advertised(site: Site, path: str) -> dict[str, str]:
    """The addresses of a page's feeds by extension."""
    _, _, body = site.ask(path)
    head, _, rest = body.partition("</head>")
    found = {TYPES[kind]: unescape(address) for kind, _, address in LINK.findall(head)}
    if "Nothing is at this address" not in rest:
        assert set(found) == set(READ), path
    return found


@pytest.mark.parametrize("path", PAGES, ids=range(len(PAGES)))
def test_page_leads_to_the_valid_feed_of_its_list(site: Site, path: str) -> None:
    site.page(path)
    for extension, address in advertised(site, path).items():
        status, headers, body = site.ask(address)
        assert status == 200, body
        assert headers["cache-control"].startswith("public")
        READ[extension](body.encode())


def test_people_find_it_too(site: Site) -> None:
    for path in PAGES[1:8]:
        feeds = [link for link in site.page(path).links if link.startswith("/feeds/")]
        # Twice each: in the head for programs, and under the list.
        assert [feeds.count(each) for each in dict.fromkeys(feeds)] == [2, 2], path


def test_feed_of_a_filtered_search_keeps_the_filter(site: Site) -> None:
    found = advertised(site, "/search?q=rain&first=2001&last=2004&venue=Soil")
    expected = url("", q="rain", first=2001, last=2004, venue="Soil")
    assert found["atom"] == f"/feeds/search.atom{expected}"


def test_a_page_without_a_list_has_none(site: Site) -> None:
    for path in ("/search", "/related", "/model"):
        assert not LINK.findall(site.ask(path)[2])
