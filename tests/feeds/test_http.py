"""How feeds are asked for: validators, caching, compression, other origins, refusals."""

from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from tests.feeds.asking import Feeds
from tests.feeds.conftest import ELSEWHERE
from tests.feeds.validation import READ

QUERIES = {"trending": "window=day", "search": "q=learning", "related": "seed=arXiv:1706.03762"}
PATHS = [f"/feeds/{name}.{kind}?{query}" for name, query in QUERIES.items() for kind in READ]


@pytest.mark.parametrize("path", PATHS)
def test_copy_that_one_has_is_not_sent_again(sample: Feeds, path: str) -> None:
    got = sample.ask(path)
    tag = got.headers["etag"]
    for wanted in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        for verb in ("GET", "HEAD"):
            again = sample.ask(path, {"if-none-match": wanted}, verb)
            assert (again.status, again.body) == (304, b"")
            for name in ("etag", "cache-control", "last-modified"):
                assert again.headers[name] == got.headers[name]
    assert sample.ask(path, {"if-none-match": '"other"'}).body == got.body


@pytest.mark.parametrize("path", PATHS)
def test_copy_is_judged_by_its_time_where_no_tag_is_named(sample: Feeds, path: str) -> None:
    got = sample.ask(path)
    modified = got.headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(modified) - timedelta(seconds=1), usegmt=True)
    again = sample.ask(path, {"if-modified-since": modified})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == got.headers["etag"]
    for headers in (
        {"if-modified-since": earlier},
        {"if-modified-since": "yesterday"},
        {"if-modified-since": "Mon, 01 Jan 2020 00:00:00 +9999999999999999"},
        {"if-modified-since": "Mon, 01 Jan 99999999999 00:00:00 GMT"},
        {"if-modified-since": modified, "if-none-match": '"other"'},
    ):
        assert sample.ask(path, headers).status == 200


@pytest.mark.parametrize("path", PATHS)
def test_head_is_get_without_the_body(sample: Feeds, path: str) -> None:
    got, head = sample.ask(path), sample.ask(path, verb="HEAD")
    assert head.body == b""
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize("path", PATHS)
def test_feeds_are_kept_by_anybody_and_compressed(sample: Feeds, path: str) -> None:
    plain, packed = sample.ask(path), sample.ask(path, {"accept-encoding": "gzip"})
    seconds = 300 if "trending" in path else 3600
    assert plain.headers["cache-control"] == (
        f"public, max-age={seconds}, stale-while-revalidate={seconds}, stale-if-error=86400"
    )
    assert "set-cookie" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in packed.headers["vary"].lower()
    assert packed.body == plain.body
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2


def test_the_answer_is_the_same_every_time(sample: Feeds) -> None:
    for path in PATHS:
        assert len({sample.ask(path).body for _ in range(3)}) == 1


def test_feeds_may_be_read_by_the_origins_of_the_configuration(sample: Feeds) -> None:
    for path in PATHS:
        answer = sample.ask(path, {"origin": ELSEWHERE})
        assert answer.headers["access-control-allow-origin"] == ELSEWHERE
        other = sample.ask(path, {"origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/feeds/search.atom", 400, "`q` is empty: give words to look for"),
        ("/feeds/search.json?q=%20", 400, "`q` is empty"),
        ("/feeds/search.atom?q=a&first=soon", 400, "`first` is 'soon'"),
        ("/feeds/related.atom", 400, "`seed` is empty: give the id of at least one paper"),
        ("/feeds/related.json?seed=nobody", 404, "'nobody'"),
        ("/feeds/related.json?seed=" + "x" * 2000, 400, "characters long"),
        ("/feeds/trending.atom?window=year", 400, "one of week, day, month"),
    ],
)
def test_refusal_is_a_sentence(sample: Feeds, path: str, status: int, sentence: str) -> None:
    answer = sample.ask(path)
    assert answer.status == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert sentence in answer.body.decode()


def test_only_lists_and_formats_that_there_are(sample: Feeds) -> None:
    for path in ("/feeds/", "/feeds/trending", "/feeds/trending.rss", "/feeds/readers.atom"):
        assert sample.ask(path).status == 404
    assert sample.ask("/feeds/trending.atom", verb="POST").status == 405


def test_unknown_host_gets_nothing(sample: Feeds) -> None:
    path = "/feeds/trending.atom"
    assert sample.ask(path, {"host": "papers.example"}).status == 200  # the public URL's
    assert sample.ask(path, {"host": "evil.example"}).status == 421
