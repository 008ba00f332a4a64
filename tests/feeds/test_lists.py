"""What feeds hold: the newest that match a search, the newest like some papers, what trends."""

import re
from urllib.parse import parse_qsl

import pytest

from service.web.newest import spans
from tests.feeds.asking import Feeds
from tests.feeds.conftest import PUBLIC
from tests.feeds.validation import READ, Read
from tests.serving import client_of
from tests.support import ROOT

SEED = "arXiv:1706.03762"
LISTS: list[tuple[str, dict[str, object]]] = [
    ("trending", {}),
    ("trending", {"window": "day", "first": 2018}),
    ("search", {"q": "attention"}),
    ("search", {"q": "learning", "first": 2012, "last": 2015}),
    ("search", {"venue": ["ICML", "NeurIPS"]}),
    ("search", {"q": "qwertyuiop"}),
    ("related", {"seed": [SEED]}),
    ("related", {"seed": [SEED, "arXiv:1301.3781"], "less": ["arXiv:1810.04805"], "first": 2015}),
]


def ids(feed: Read) -> list[str]:
    return [item.facts["paper_id"] for item in feed.items]


def years(feed: Read) -> list[int]:
    return [item.facts["year"] for item in feed.items]


@pytest.mark.parametrize(("name", "query"), LISTS)
def test_both_formats_say_the_same(sample: Feeds, name: str, query: dict[str, object]) -> None:
    atom, json = (sample.read(name, extension, **query) for extension in READ)
    assert atom.title == json.title
    assert atom.subtitle == json.subtitle
    assert atom.page == json.page
    assert atom.url.replace(".atom", ".json") == json.url
    assert [item._replace(facts={}) for item in json.items] == atom.items


@pytest.mark.parametrize(("name", "query"), LISTS)
def test_addresses_are_public_and_lead_back(
    sample: Feeds, name: str, query: dict[str, object]
) -> None:
    feed = sample.read(name, **query)
    assert all(item.url.startswith(f"{PUBLIC}/papers/") for item in feed.items)
    again = sample.ask(feed.url.removeprefix(PUBLIC))
    assert READ["json"](again.body) == feed
    page = sample.ask(feed.page.removeprefix(PUBLIC))
    assert page.status == 200
    assert page.headers["content-type"].startswith("text/html")


def test_searches_of_the_readme_find_papers(sample: Feeds) -> None:
    readme = (ROOT / "README.md").read_text()
    addresses = re.findall(r"`(?:/feeds/search.atom)?\?(q=[^`]+)`", readme)
    searches = [dict(parse_qsl(each)) for each in addresses]
    searches += [{"q": each} for each in re.findall(r'--search "([^"]+)"', readme)]
    searches += [{"q": each} for each in re.findall(r'"searchQuery": "([^"]+)"', readme)]
    assert len(searches) == 4
    for search in searches:
        assert sample.read("search", **search).items, search


@pytest.mark.parametrize(
    ("query", "last"), [("learning", None), ("network", None), ("learning", 2015), ("a", None)]
)
def test_search_lists_the_newest_of_all_that_match(
    sample: Feeds, query: str, last: int | None
) -> None:
    bound = {} if last is None else {"last_year": last}
    with client_of(sample.grpc) as client:
        matching = list(client.search_papers(query, filter=bound, limit=1000))
    assert len(matching) > 30
    newest = sorted((each.paper.year for each in matching), reverse=True)[:30]
    feed = sample.read("search", q=query, last=last or "")
    assert years(feed) == newest
    assert set(ids(feed)) <= {each.paper.id for each in matching}


def test_search_of_few_papers_lists_them_all(sample: Feeds) -> None:
    with client_of(sample.grpc) as client:
        matching = {each.paper.id for each in client.search_papers("attention year:2015", limit=99)}
    feed = sample.read("search", q="attention", first=2015, last=2015)
    assert set(ids(feed)) == matching
    assert feed.title == "New papers: attention, 2015"


def test_search_waits_for_a_paper_with_every_word(sample: Feeds) -> None:
    # A page would list papers with any of the words; a feed of those would tell of nothing new.
    assert sample.read("search", q="attention qwertyuiop").items == []


@pytest.mark.parametrize(("first", "last"), [(1990, 2023), (2020, 2020), (2021, 2020), (1, 2100)])
def test_spans_of_years_are_all_years_once(first: int, last: int) -> None:
    covered = [year for begin, end in spans(first, last) for year in range(end, begin - 1, -1)]
    assert covered == list(range(last, first - 1, -1))


def test_related_lists_the_newest_of_the_nearest(sample: Feeds) -> None:
    with client_of(sample.grpc) as client:
        near = list(client.list_related_papers(paper_ids=[SEED], popularity=0.0, limit=100))
    scored = [each.paper for each in near if each.HasField("score")]
    expected = sorted(scored, key=lambda paper: -paper.year)[:30]
    feed = sample.read("related", seed=SEED)
    assert ids(feed) == [paper.id for paper in expected]
    assert SEED not in ids(feed)
    assert feed.title == "New papers like “Attention Is All You Need”"
    assert "Related by " in feed.items[0].content


def test_related_to_several_papers(sample: Feeds) -> None:
    feed = sample.read("related", seed=[SEED, "arXiv:1301.3781", "nobody"])
    assert feed.title == "New papers like “Attention Is All You Need” and 1 other"
    assert not {SEED, "arXiv:1301.3781"} & set(ids(feed))


def test_trending_without_feedback_names_its_fallback(sample: Feeds) -> None:
    feed = sample.read("trending")
    assert feed.title == "Trending papers this week"
    assert feed.subtitle.startswith("Too few readers chose papers lately")
    with client_of(sample.grpc) as client:
        listed = [each.paper.id for each in client.list_trending_papers(limit=30)]
    assert ids(feed) == listed
    assert {item.facts["source"] for item in feed.items} == {"popular_fallback"}
    assert all("gathers citations fast" in item.content for item in feed.items)
