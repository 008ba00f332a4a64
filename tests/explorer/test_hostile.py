"""Nothing that a corpus or an address holds becomes more than text, nor breaks a page."""

import html
import string
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from service.urls import paper_url, url
from tests.explorer import hostile
from tests.explorer.markup import Markup, check
from tests.explorer.site import Site

PAPERS = hostile.papers()[: len(hostile.IDS)]

QUERIES = [
    *string.punctuation,
    *(f"graph{mark}" for mark in string.punctuation),
    *(f"{mark}graph" for mark in string.punctuation),
    *("".join(pair) for pair in zip(string.punctuation, reversed(string.punctuation), strict=True)),
    '"', '""', '"""', '"graph', 'graph"', "author:", 'author:"', "year:", "year:..", "year:x..y",
    "year:99999999999999999999..1", "year:2020..2010", "venue:venue:", "title:*", "AND", "OR",
    "NOT", "graph AND (", "((((((((((", "graph^2~3", "[a TO b]", "/.*/", "a" * 5_000,
    "a " * 2_500, "\\", "\x00", "\x00graph\x00", "%", "%00", "%s%n", "\u202egraph",
    "🧬", "שלום", "null", "undefined",
    "__proto__", "../..", "' OR 1=1 --", "{{7*7}}", "${7*7}", "\r\nset-cookie: a=b", *hostile.TEXTS,
]  # fmt: skip

NUMBERS = [
    "-1",
    "2",
    "nan",
    "inf",
    "1e999",
    "0x1",
    "abc",
    "1,5",
    " ",
    "\uff19",
    "\u0663",
    "1" * 5_000,
    "0.5\x00",
]


@pytest.mark.parametrize("number", range(len(PAPERS)), ids=str)
def test_hostile_paper_is_text_in_its_own_page_and_in_lists(site: Site, number: int) -> None:
    paper = PAPERS[number]
    page = site.page(paper_url(str(paper["id"])))
    shown = _letters(page.text).replace("Readon", "")  # a long abstract is folded
    for name in ("title", "abstract", "id"):
        assert _letters(paper[name]) in shown
    related = site.page(url("/related", seed=[paper["id"], "plain-1"], less=["plain-2"]))
    assert any(link.startswith("/papers") for link in related.links)


def _letters(text: object) -> str:
    return "".join(str(text).split())


def test_only_web_addresses_lead_out(site: Site) -> None:
    for paper in PAPERS:
        page = site.page(paper_url(str(paper["id"])))
        out = [link for link in page.links if not link.startswith(("/", "#"))]
        assert all(
            link.startswith(("https://evil.example/c", "https://doi.org/10.")) for link in out
        )


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_no_query_fails(site: Site, query: str) -> None:
    site.page("/search?" + urlencode({"q": query[:5_000]}))
    status, _, body = site.ask("/related?" + urlencode({"add": query[:500], "seed": "plain-3"}))
    assert status in {200, 302}  # some of them are ids
    if status == 200:
        check(body)


@pytest.mark.parametrize("value", NUMBERS)
@pytest.mark.parametrize("name", ["first", "last", "popularity", "diversity", "begin"])
@pytest.mark.parametrize("path", ["/papers/plain-1", "/related?seed=plain-1"])
def test_bad_number_is_refused_with_its_name(site: Site, path: str, name: str, value: str) -> None:
    address = path + ("&" if "?" in path else "?") + urlencode({name: value})
    whole = name in {"first", "last", "begin"}
    fine = not value.strip() or (whole and value.isdecimal() and len(value) == 1)
    page = site.page(address, status=200 if fine else 400)
    if not fine:
        assert name in page.text


PATHS = ["/papers/", "/map/", "/related/", "/search/", "/static/", "/static/x/", "/readers/",
         "/model/", "/embed/", "/trending/", "/feeds/", "/"]  # fmt: skip
PARAMETERS = ["q", "first", "last", "venue", "after", "begin", "seed", "less", "add", "popularity",
              "diversity", "id", "window", "other"]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=50).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.binary(max_size=30),
    st.sampled_from([*hostile.IDS, "plain-1", "plain-2", *NUMBERS]).map(str.encode),
)


def _answered(site: Site, path: str) -> None:
    status, headers, body = site.ask(path)
    assert status < 500 or status in {501, 503}, f"{status} for {path[:300]}\n{body[:500]}"
    if "text/html" in headers.get("content-type", "") and body:
        assert headers["x-content-type-options"] == "nosniff"
        assert not Markup(body).problems, path[:300]
    if location := headers.get("location"):
        location = location.removeprefix(site.origin)
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))


@given(path=st.sampled_from(PATHS), rest=VALUES)
@example(path="/papers/", rest=b"/evil.example")
@example(path="/papers/", rest=b"..%2f..")
@example(path="/", rest=b"/evil.example/..")
def test_no_path_fails(site: Site, path: str, rest: bytes) -> None:
    _answered(site, path + quote(rest, safe=""))
    _answered(site, path + quote(rest))


@given(
    path=st.sampled_from(
        ["/search", "/related", "/papers/plain-1", "/map/plain-1", "/papers", "/trending", "/"]
    ),
    parameters=st.lists(st.tuples(st.sampled_from(PARAMETERS), VALUES), max_size=6),
)
@example(path="/related", parameters=[("seed", b"plain-1")] * 250)
@example(path="/related", parameters=[("seed", str(n).encode()) for n in range(1_500)])
@example(path="/search", parameters=[("venue", b"Soil")] * 200)
def test_no_parameter_fails(site: Site, path: str, parameters: list[tuple[str, bytes]]) -> None:
    _answered(site, f"{path}?{urlencode(parameters)}")


def test_addresses_of_pages_lead_to_their_papers(site: Site) -> None:
    for paper_id in hostile.IDS:
        status, _, body = site.ask(paper_url(paper_id))
        assert status == 200
        assert f'<link rel="canonical" href="{html.escape(paper_url(paper_id))}">' in body


def test_another_spelling_leads_to_the_one_address(site: Site) -> None:
    address = paper_url("10.1234/<b>&\"'")
    address = "/papers/doi:" + address.removeprefix("/papers/")
    status, headers, _ = site.ask(f"{address}?popularity=1")
    assert status == 302
    assert headers["location"] == paper_url("10.1234/<b>&\"'") + "?popularity=1"
