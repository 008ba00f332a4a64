"""The room of trending papers."""

import re

import pytest

from tests.explorer.markup import Markup
from tests.explorer.site import Site


def current(page: str) -> list[str]:
    """The tabs that are marked as the present one."""
    return re.findall(r'<a class="tab"[^>]* aria-current="page">([^<]+)</a>', page)


def papers(page: Markup) -> list[str]:
    """The papers' addresses, in the order of the page."""
    return [link for link in page.links if link.startswith("/papers")]


@pytest.mark.parametrize(
    ("path", "tab"),
    [
        ("/trending", "This week"),
        ("/trending?window=day", "Today"),
        ("/trending?window=week", "This week"),
        ("/trending?window=month&first=2005", "This month"),
    ],
)
def test_windows_are_tabs(site: Site, path: str, tab: str) -> None:
    page = site.page(path)
    assert current(site.ask(path)[2]) == [tab]
    kept = "&first=2005" if "first" in path else ""
    assert [link for link in page.links if link.startswith("/trending?window=")][:3] == [
        f"/trending?window={name}{kept}" for name in ("day", "week", "month")
    ]


def test_fallback_is_named(site: Site) -> None:
    page = site.page("/trending")
    assert "A fallback: too few readers chose papers this week" in page.text
    assert "Why?" not in page.text
    assert "Trending this week" not in site.page("/").text  # nothing is said to trend


def test_pages_neither_repeat_nor_end_early(site: Site) -> None:
    seen: list[str] = []
    path = "/trending"
    while path:
        page = site.page(path)
        seen += papers(page)
        following = [link for link in page.links if "after=" in link]
        path = following[0] if following else ""
    assert len(seen) == len(set(seen)) == 40  # all of the corpus


def test_filter_holds(site: Site) -> None:
    page = site.page("/trending?first=2003&last=2004&venue=Soil")
    assert sorted(papers(page)) == ["/papers/plain-3", "/papers/plain-4"]
    empty = site.page("/trending?venue=Nowhere")
    assert "No paper passes these filters." in empty.text
    assert "/trending?window=week" in empty.links


@pytest.mark.parametrize(
    ("path", "digest"),
    [
        ("/", "/digest"),
        ("/trending?window=month", "/digest?window=month"),
        ("/search?q=rain+soil", "/digest?q=rain+soil"),
        ("/search?q=qwertyuiop", "/digest?q=qwertyuiop"),
        ("/papers/plain-1", "/digest?seed=plain-1"),
        ("/related?seed=plain-1&seed=plain-2", "/digest?seed=plain-1&seed=plain-2"),
    ],
)
def test_lists_lead_to_their_digest(site: Site, path: str, digest: str) -> None:
    assert digest in site.page(path).links
    site.page(digest)


@pytest.mark.parametrize(
    ("whole", "filtered"),
    [
        ("/search?q=rain", "/search?q=rain&first=2003"),
        ("/papers/plain-1", "/papers/plain-1?last=2010"),
        ("/trending", "/trending?venue=Soil"),
        ("/related?seed=plain-1", "/related?seed=plain-1&less=plain-9"),
    ],
)
def test_part_of_a_list_is_not_offered_by_mail(site: Site, whole: str, filtered: str) -> None:
    # A digest would hold the whole.
    assert "by\xa0mail" in site.page(whole).text
    assert "by\xa0mail" not in site.page(filtered).text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/trending?window=year", "`window` is 'year': it must be one of week, day, month."),
        ("/trending?first=soon", "`first` is 'soon'"),
        ("/trending?after=forged", "page_token"),
    ],
)
def test_what_cannot_be_listed_is_said(site: Site, path: str, sentence: str) -> None:
    assert sentence in site.page(path, 400).text
