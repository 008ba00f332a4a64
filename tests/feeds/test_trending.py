"""What readers did, as it reaches the feed, the room and the first page."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from relatedpapers.v1.recommendation_service_pb2 import ResultSource
from tests.explorer.site import Site
from tests.feeds.asking import Feeds
from tests.feeds.validation import READ
from tests.serving import client_of, serve_both
from tests.support import wait_until
from tests.web.http import Answer

CHOSEN = "graph-05"
READERS = 12
CROWDED = "protein-04"
CROWD = 100


@pytest.fixture(scope="module")
def served(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Feeds]:
    """The toy model, with a state server and an updater, after some readers chose a paper,
    and a crowd of one network another."""
    settings = {"RELATED_PAPERS_TRENDING_WINDOWS": '{"week": 7, "quarter-day": 0.25}'}
    data = tmp_path_factory.mktemp("trending-data")
    with serve_both(toy_model, data, **settings) as (grpc, web):
        with client_of(grpc) as client:
            done = [("save", 3), ("read", 5), ("click", READERS), ("impression", READERS)]
            events = [
                {"reader_id": f"reader-{number}", "paper_id": CHOSEN, "type": kind}
                for kind, count in done
                for number in range(count)
            ]
            events += [
                {
                    "reader_id": f"crowd-{number}",
                    "paper_id": CROWDED,
                    "type": "save",
                    "origin": "one network",
                }
                for number in range(CROWD)
            ]
            assert not any(each.error for each in client.write_feedback(events))

            def counted() -> bool:
                listed = list(client.list_trending_papers(limit=2))
                trends = ResultSource.RESULT_SOURCE_TRENDING
                if {each.source for each in listed} != {trends}:
                    return False
                counts = [sum(why.readers for why in each.reasons) for each in listed]
                return counts == [20, CROWD]

            wait_until(counted, "what readers did is counted")
        yield Feeds(int(web.rpartition(":")[2]), int(grpc.rpartition(":")[2]))


@pytest.mark.parametrize("extension", READ)
def test_feed_says_who_did_what(served: Feeds, extension: str) -> None:
    feed = served.read("trending", extension)
    first, crowded, *others = feed.items
    assert crowded.content.endswith("This week: 1 reader saved it.")
    assert first.content.endswith("This week: 12 readers opened it, 5 read it, 3 saved it.")
    assert first.url.endswith(f"/papers/{CHOSEN}")
    assert all("gathers citations fast" in item.content for item in others)
    assert feed.subtitle.startswith("What readers choose")


def test_what_trends_bears_the_day_when_it_was_last_chosen(served: Feeds) -> None:
    with client_of(served.grpc) as client:
        chosen = next(iter(client.list_trending_papers(limit=1))).last_chosen_time
    day = chosen.ToDatetime(UTC).strftime("%Y-%m-%dT00:00:00.000Z")
    first, _, *others = served.read("trending").items
    assert (first.updated, first.published) == (day, "")
    assert {item.updated for item in others} != {day}
    assert datetime.fromisoformat(first.updated) <= datetime.now(UTC)


def test_facts_for_programs(served: Feeds) -> None:
    first, crowded = (item.facts for item in served.read("trending").items[:2])
    assert crowded["readers"] == {"save": 1}
    facts = first
    assert facts["paper_id"] == CHOSEN
    assert facts["source"] == "trending"
    assert facts["readers"] == {"click": 12, "read": 5, "save": 3}


def test_configured_windows_have_feeds_and_tabs(served: Feeds) -> None:
    feed = served.read("trending", window="quarter-day")
    assert feed.title == "Trending papers in the window “quarter-day”"
    assert "In the window “quarter-day”: 12 readers opened it" in feed.items[0].content
    page = Site(served.web_port).page("/trending")
    windows = [link for link in page.links if link.startswith("/trending?window=")]
    assert windows[:2] == ["/trending?window=quarter-day", "/trending?window=week"]


def test_list_that_says_the_same_later_is_no_other_one(served: Feeds) -> None:
    path = "/feeds/trending.atom"
    with client_of(served.grpc) as client:

        def as_of() -> datetime:
            page = next(iter(client.list_trending_papers(limit=1).pages()))
            return page.as_of.ToDatetime(UTC)

        got = served.ask(path)
        again = {"reader_id": "reader-0", "paper_id": CHOSEN, "type": "impression"}
        assert not any(each.error for each in client.write_feedback([again]))
        wait_until(lambda: as_of() > _updated(got), "the ranking is made anew")
        later = served.ask(path)
        assert _updated(got) < _updated(later) <= as_of()
    assert later.body.partition(b"</updated>")[2] == got.body.partition(b"</updated>")[2]
    assert later.headers["etag"] == got.headers["etag"]
    assert served.ask(path, {"if-none-match": got.headers["etag"]}).status == 304


def _updated(answer: Answer) -> datetime:
    """When the list was made."""
    found = re.search(rb"<updated>(.+?)</updated>", answer.body)
    assert found
    return datetime.fromisoformat(found[1].decode())


def test_room_takes_the_score_apart(served: Feeds) -> None:
    site = Site(served.web_port)
    page = site.page("/trending")
    assert page.text.count("Why?") == 2
    assert re.search(r"saved it\s*1 of 100", page.text)
    assert "100 readers" not in page.text
    for words in ("Counted up to", "12 readers opened it", "It was shown to 12 readers"):
        assert words in page.text
    assert "A fallback: readers chose no others this week." in page.text
    for deed, readers in (("opened it", 12), ("read it", 5), ("saved it", 3)):
        assert re.search(rf"{deed}\s*{readers}\d+\.\d\+\d+\.\d\d", page.text)


def test_first_page_shows_what_trends(served: Feeds) -> None:
    page = Site(served.web_port).page("/")
    trending = page.text.partition("Trending this week")[2]
    assert "1 reader saved it" in trending
    assert "100" not in trending.partition("All that trends")[0]
    assert trending.index("12 readers opened it") < trending.index("All that trends")
    assert "/trending" in page.links
