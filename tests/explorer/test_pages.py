"""What comes with every page: headers, caching, addresses, files, errors."""

import re

import pytest

from service.web import static_files
from tests.explorer.site import Site

PAGES = ["/", "/search?q=rivers", "/papers/plain-1", "/related?seed=plain-1", "/trending"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_kept_a_minute_and_then_asked_for_by_its_tag(site: Site, path: str) -> None:
    status, headers, body = site.ask(path)
    assert status == 200
    assert headers["cache-control"] == "public, max-age=60"
    status, again, _ = site.ask(path)
    assert again["etag"] == headers["etag"]
    status, unchanged, nothing = site.ask(path, {"if-none-match": headers["etag"]})
    assert (status, nothing, unchanged["etag"]) == (304, "", headers["etag"])
    status, _, text = site.ask(path, {"if-none-match": 'W/"another"'})
    assert (status, text) == (200, body)


def test_tags_tell_pages_apart(site: Site) -> None:
    tags = {site.ask(path)[1]["etag"] for path in PAGES}
    assert len(tags) == len(PAGES)


def test_an_error_is_not_kept(site: Site) -> None:
    for path in ["/nowhere", "/search?first=soon", "/papers/nobody"]:
        _, headers, _ = site.ask(path)
        assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [*PAGES, "/nowhere"])
def test_a_page_keeps_to_itself(site: Site, path: str) -> None:
    _, headers, _ = site.ask(path)
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "set-cookie" not in headers


def test_files_of_a_page_are_kept_for_ever(site: Site) -> None:
    _, _, body = site.ask("/")
    files = re.findall(r'"(/static/[^"]+)"', body)
    assert {path.rsplit("/", 1)[1] for path in files} >= {"app.css", "app.js", "icon.svg"}
    for path in files:
        status, headers, _ = site.ask(path)
        assert status == 200
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
        assert headers["x-content-type-options"] == "nosniff"
    status, headers, _ = site.ask("/static/0123456789abcdef/app.css")  # a page of another release
    assert (status, headers["cache-control"]) == (200, "no-store")
    for path in ["nothing.css", "..%2f..%2fpages.py", "%2e%2e/pages.py", "app.css/", ""]:
        status, _, _ = site.ask(f"/static/{static_files.DIGEST}/{path}")
        assert status in {404, 307}


def test_what_is_no_page_has_an_icon_too(site: Site) -> None:
    status, headers, _ = site.ask("/favicon.ico")
    assert status == 307
    status, headers, _ = site.ask(headers["location"])
    assert (status, headers["content-type"]) == (200, "image/svg+xml")


def test_an_error_is_a_page_with_a_search_box(site: Site) -> None:
    for path, status, sentence in [
        ("/nowhere", 404, "Nothing is at this address."),
        ("/papers/nobody", 404, "The model knows no paper 'nobody'"),
        ("/search?first=soon", 400, "`first` is 'soon': it must be a year from 1 to 9999."),
        ("/papers/plain-1?popularity=2", 400, "`popularity` is '2': it must be a number from 0"),
        ("/papers/plain-1?after=forged", 400, "page_token"),
        (f"/papers/{'x' * 2_000}", 400, "characters long"),
    ]:
        page = site.page(path, status)
        assert sentence in page.text
        assert "/search" in page.links


def test_a_query_comes_back_as_it_was(site: Site) -> None:
    _, _, body = site.ask("/search?q=%22rain%22+%26+soil&first=2001&venue=Soil")
    assert 'value="&#34;rain&#34; &amp; soil"' in body
    assert 'value="2001"' in body
    assert 'name="venue" value="Soil"' in body


def test_years_alone_are_a_search(site: Site) -> None:
    page = site.page("/search?first=2005&last=2006")
    assert "papers" in page.text
    assert any("/papers/plain-5" in link for link in page.links)
