"""Whatever a paper says, its feed is valid and says it again; and ids stay."""

import json
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relatedpapers.v1.paper_pb2 import Paper
from service.urls import paper_url, url
from service.web.feeds.atom import atom
from service.web.feeds.entries import entry
from service.web.feeds.feed import Feed, plain, shortened
from service.web.feeds.ids import feed_urn, paper_urn
from service.web.feeds.json_feed import json_feed
from tests.explorer import hostile
from tests.feeds.asking import Feeds
from tests.feeds.validation import READ, Read

SITE = "https://papers.example"
TEXTS = st.one_of(st.text(), st.sampled_from(hostile.TEXTS), st.text("<>&'\"\x00\x0b\ufffe ]"))
TITLES = [text for text in hostile.TEXTS if plain(text)]
NAMES = TEXTS.map(lambda text: text[:1_000]).filter(str.strip)


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    """A paper that may say anything."""
    paper = Paper(
        id=draw(NAMES),
        title=draw(TEXTS),
        abstract=draw(TEXTS),
        authors=draw(st.lists(TEXTS, max_size=6)),
        venue=draw(TEXTS),
        keywords=draw(st.lists(TEXTS, max_size=3)),
    )
    if draw(st.booleans()):
        paper.year = draw(st.integers(1, 9999))
    return paper


def written(*found: Paper, why: str = "") -> Feed:
    entries = {each.id: each for each in (entry(paper, SITE, why) for paper in found)}
    query = url("", q=" ".join(paper.title for paper in found))
    return Feed(
        id=feed_urn("/search", SITE),
        title=plain(" ".join(paper.title for paper in found)) or "Empty",
        subtitle=plain(why),
        list="search",
        query=query,
        page=f"/search{query}",
        entries=list(entries.values()),
        updated_ms=1_700_000_000_123,
        modified_ms=0,
        kept_seconds=1,
    )


@given(st.lists(papers(), max_size=3), TEXTS)
def test_any_paper_makes_a_valid_feed_in_both_formats(found: list[Paper], why: str) -> None:
    feed = written(*found, why=why)
    from_atom, from_json = READ["atom"](atom(feed, SITE)), READ["json"](json_feed(feed, SITE))
    for read in (from_atom, from_json):
        assert [item.id for item in read.items] == [each.id for each in feed.entries]
        assert [item.url for item in read.items] == [each.url for each in feed.entries]
    assert [item.title for item in from_json.items] == [each.title for each in feed.entries]
    for paper, item in zip(found[:1], from_json.items, strict=False):
        assert plain(why) in item.content
        assert item.title == plain(paper.title) or plain(paper.id)


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
def test_title_is_text_for_every_reader(title: str) -> None:
    feed = written(Paper(id="a", title=title))
    document = json.loads(json_feed(feed, SITE))
    assert document["items"][0]["title"] == plain(title)
    xml = atom(feed, SITE).decode()
    assert "<script" not in xml
    assert "<!--" not in xml
    # feedparser takes a title for HTML that looks like HTML; what it reads is marked as text.
    assert "<title>" in xml


@pytest.mark.parametrize("name", ["search", "related", "trending"])
@pytest.mark.parametrize("extension", READ)
def test_hostile_corpus_makes_valid_feeds(hostile_feeds: Feeds, name: str, extension: str) -> None:
    feed = hostile_feeds.read(name, extension, q="hostile", seed=hostile.IDS[:3])
    assert len(feed.items) > 10
    origin = f"http://127.0.0.1:{hostile_feeds.web_port}"
    assert all(item.url.startswith(f"{origin}/papers") for item in feed.items)


def test_every_hostile_text_may_be_asked_for(hostile_feeds: Feeds) -> None:
    for text in hostile.TEXTS:
        if text.strip():
            found: Read = hostile_feeds.read("search", "atom", q=text[:900], venue=text[:300])
            assert found.url.startswith("http://127.0.0.1:")
    for paper_id in hostile.IDS:
        feed = hostile_feeds.read("related", "atom", seed=paper_id)
        assert f"{paper_url(paper_id)}" not in [item.url for item in feed.items]


def test_ids_are_those_of_the_world_where_there_are() -> None:
    spellings = ["10.1145/3292500", "doi:10.1145/3292500", "https://doi.org/10.1145/3292500"]
    assert len({paper_urn(each, SITE) for each in spellings}) == 1
    arxiv = ["arXiv:1706.03762", "https://arxiv.org/abs/1706.03762v5"]
    assert len({paper_urn(each, SITE) for each in arxiv}) == 1
    for paper_id in [*spellings, *arxiv, "https://papers.example/17"]:
        assert paper_urn(paper_id, SITE) == paper_urn(paper_id, "http://127.0.0.1:8080")
    # Another site's paper 17 is another paper.
    assert paper_urn("17", SITE) != paper_urn("17", "https://other.example")
    assert paper_urn("17", SITE) == paper_urn("17", "http://papers.example:8080")
    assert feed_urn("/trending", SITE) != feed_urn("/trending", "https://other.example")


def test_ids_never_change() -> None:
    # Written down: a reader's program would take every paper for new again.
    assert paper_urn("arXiv:1706.03762", SITE) == "urn:uuid:4ed24d9e-2578-531b-b15d-ac44c4bc5117"
    assert paper_urn("17", SITE) == "urn:uuid:037947af-375a-5e0c-992c-6ef852966213"
    assert (
        feed_urn("/trending?window=week", SITE) == "urn:uuid:6004f2cd-d85b-5ed7-88d5-03308ac677b9"
    )
    assert UUID(paper_urn("17", SITE)).version == 5


def test_order_of_seeds_is_no_other_feed(sample: Feeds) -> None:
    pair = ["arXiv:1706.03762", "arXiv:1301.3781"]
    documents = [
        sample.ask("/feeds/related.atom" + url("", seed=seeds)).body.decode()
        for seeds in (pair, pair[::-1], ["https://arxiv.org/abs/1706.03762", pair[1]])
    ]
    assert len({document.split("<id>", 1)[1].split("</id>")[0] for document in documents}) == 1


def test_plain_text_is_one_line_that_xml_may_hold() -> None:
    assert plain(" a\x00b\x0b \n\t c\ufffe ") == "a\ufffdb\ufffd c\ufffd"
    assert plain("\U0001f9ec") == "\U0001f9ec"


def test_long_titles_are_cut_between_words() -> None:
    assert shortened("word " * 30).endswith("word…")
    assert len(shortened("x" * 500)) == 101
    assert shortened("short") == "short"
