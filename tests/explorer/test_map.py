"""The map's page, without a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.settings import Settings
from service.urls import paper_url, url
from tests.explorer import hostile
from tests.explorer.site import Site
from tests.models.corpora import write_jsonl
from tests.models.odd_corpora import mutual_references
from tests.serving import Worker, train
from tests.support import ROOT

ATTENTION = "arXiv:1706.03762"


@pytest.fixture(scope="module")
def sample(sample_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over the sample."""
    data = tmp_path_factory.mktemp("map-data")
    worker = Worker(Settings(model=sample_model, port=0, web_port=0, data_dir=data))
    yield Site(worker.web_port)
    worker.kill()


def nodes(body: str) -> list[str]:
    """Where the circles of a map lead, in the order of the tab key."""
    return re.findall(r'<a class="node[^"]*" href="([^"]*)"', body)


def test_map_has_thirty_papers_and_the_list_below_has_the_same(sample: Site) -> None:
    sample.page(paper_url(ATTENTION, "map"))
    body = sample.ask(paper_url(ATTENTION, "map"))[2]
    drawn = nodes(body)
    assert len(drawn) == 31
    assert drawn[0] == paper_url(ATTENTION)
    keys = re.findall(r'<li class="item" data-key="([^"]*)"', body)
    assert drawn[1:] == [paper_url(key, "map") for key in keys]


def test_counts_beside_the_map_are_those_of_the_corpus(sample: Site) -> None:
    by: dict[str, set[str]] = {}
    titles: dict[str, str] = {}
    for line in (ROOT / "models/sample/papers.jsonl").read_text(encoding="utf-8").splitlines():
        paper = json.loads(line)
        titles[paper["title"]] = paper["id"]
        for reference in paper["references"]:
            by.setdefault(reference, set()).add(paper["id"])
    body = sample.ask(paper_url(ATTENTION, "map"))[2]
    rows = re.findall(
        r'<tr><td dir="auto">(.*?)</td><td dir="auto">(.*?)</td><td class="table__number">(\d+)',
        body,
    )
    assert len(rows) > 20
    counts = [int(count) for *_, count in rows]
    assert counts == sorted(counts, reverse=True)
    known = [row for row in rows if row[0] in titles and row[1] in titles]
    assert len(known) > len(rows) / 2  # the others have letters that HTML escapes
    for one, other, count in known:
        assert int(count) == len(by[titles[one]] & by[titles[other]])
    drawn = re.findall(r"<title>(\d+) papers? cites? both</title>", body)
    assert sorted(map(int, drawn), reverse=True) == counts


def test_map_follows_the_controls_of_a_list(sample: Site) -> None:
    plain = nodes(sample.ask(paper_url(ATTENTION, "map"))[2])
    early = nodes(sample.ask(url(paper_url(ATTENTION, "map"), last=2015))[2])
    assert plain != early
    assert len(early) > 1


def test_pages_of_papers_and_maps_lead_to_each_other(sample: Site) -> None:
    assert paper_url(ATTENTION, "map") in sample.page(paper_url(ATTENTION)).links
    assert paper_url(ATTENTION) in sample.page(paper_url(ATTENTION, "map")).links


def test_equal_requests_get_equal_maps_that_may_be_kept(sample: Site) -> None:
    one, other = (sample.ask(paper_url(ATTENTION, "map")) for _ in range(2))
    assert one[2] == other[2]
    assert one[1]["etag"] == other[1]["etag"]


def test_another_spelling_leads_to_the_one_address(sample: Site) -> None:
    status, headers, _ = sample.ask("/map/https://arxiv.org/abs/1706.03762v5")
    assert (status, headers["location"]) == (302, "/map/arXiv:1706.03762")


def test_map_of_an_unknown_paper(sample: Site) -> None:
    assert "no such paper" in sample.page("/map/nothing", status=404).text
    sample.page("/map", status=400)


@pytest.mark.parametrize("number", range(len(hostile.IDS)))
def test_hostile_papers_have_maps(site: Site, number: int) -> None:
    paper_id = hostile.IDS[number]
    address = paper_url(paper_id, "map")
    page = site.page(address)
    assert f"{paper_url(paper_id)}" in page.links
    assert len(nodes(site.ask(address)[2])) > 10


@pytest.fixture(scope="module")
def toy_site(toy_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over the toy corpus."""
    data = tmp_path_factory.mktemp("toy-map-data")
    worker = Worker(Settings(model=toy_model, port=0, web_port=0, data_dir=data))
    yield Site(worker.web_port)
    worker.kill()


@pytest.fixture(scope="module")
def undirected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over a corpus whose links stand in both directions."""
    folder = tmp_path_factory.mktemp("undirected")
    papers = write_jsonl(folder / "papers.jsonl", mutual_references())
    model = train(papers, output=folder / "model")
    worker = Worker(Settings(model=model, port=0, web_port=0, data_dir=folder / "data"))
    yield Site(worker.web_port)
    worker.kill()


def test_links_without_direction_cite_nothing_together(undirected: Site) -> None:
    address = paper_url(str(mutual_references()[3]["id"]), "map")
    page = undirected.page(address)
    assert len(nodes(undirected.ask(address)[2])) > 5
    assert "cited together" not in page.text.lower()
    assert "near in the model" in page.text
    assert "links between them" in undirected.page("/model").text


def test_what_is_merely_popular_is_on_no_map(toy_site: Site) -> None:
    page = toy_site.page("/map/lonely")
    body = toy_site.ask("/map/lonely")[2]
    assert not nodes(body)
    assert "Popular now" in page.text  # the list has it, and says what it is
