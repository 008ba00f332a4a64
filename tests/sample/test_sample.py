"""The sample corpus keeps what its README promises."""

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from models.identifiers import canonical
from models.sample.readers import PAPERS, READERS, SAVES, SEED, Graph, read_graph, simulate
from tests.support import ROOT

INTERACTIONS = PAPERS.with_name("interactions.jsonl")
FIELDS = {"id", "title", "abstract", "authors", "year", "venue", "keywords", "references"}
DOI = re.compile(r"10\.\d{4,5}/[!-~]+")
ARXIV = re.compile(r"arXiv:(\d{2})(0[1-9]|1[0-2])\.(\d{4,5})")
POSTED_YEARS_LATER = {"arXiv:1205.2618"}
"""Papers that came out long before they went to arXiv."""
Record = dict[str, Any]


def records(path: Path) -> list[Record]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def papers() -> list[Record]:
    return records(PAPERS)


@pytest.fixture(scope="module")
def events() -> list[Record]:
    return records(INTERACTIONS)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return read_graph(PAPERS)


def test_there_are_a_few_hundred_papers(papers: list[Record]) -> None:
    assert 200 <= len(papers) <= 400


def test_ids_and_titles_are_unique(papers: list[Record]) -> None:
    assert len({canonical(paper["id"]) for paper in papers}) == len(papers)
    assert len({paper["title"].casefold() for paper in papers}) == len(papers)


def test_every_paper_is_complete(papers: list[Record]) -> None:
    for paper in papers:
        assert set(paper) == FIELDS, paper["id"]
        texts = [paper["title"], paper["abstract"], paper["venue"]]
        texts += paper["authors"] + paper["keywords"]
        assert all(text and text == " ".join(text.split()) for text in texts), paper["id"]
        assert paper["authors"], paper["id"]
        assert 3 <= len(paper["keywords"]) <= 6, paper["id"]
        for values in (paper["authors"], paper["keywords"], paper["references"]):
            assert len(set(values)) == len(values), paper["id"]


def test_ids_are_dois_or_arxiv_ids(papers: list[Record]) -> None:
    for paper in papers:
        assert DOI.fullmatch(paper["id"]) or ARXIV.fullmatch(paper["id"]), paper["id"]
        assert canonical(paper["id"]).startswith(("doi:", "arxiv:")), paper["id"]


def test_years_of_arxiv_ids_agree_with_the_papers(papers: list[Record]) -> None:
    for paper in papers:
        if paper["id"] in POSTED_YEARS_LATER:
            continue
        if match := ARXIV.fullmatch(paper["id"]):
            year, month, number = match.groups()
            assert abs(2000 + int(year) - paper["year"]) <= 1, paper["id"]
            # Numbers have five digits since January 2015.
            assert len(number) == (5 if (year, month) >= ("15", "01") else 4), paper["id"]


def test_summaries_are_short_sentences(papers: list[Record]) -> None:
    for paper in papers:
        assert 10 <= len(paper["abstract"].split()) <= 60, paper["id"]
        assert paper["abstract"].endswith("."), paper["id"]


def test_references_lead_to_other_papers_that_are_not_later(papers: list[Record]) -> None:
    years = {paper["id"]: paper["year"] for paper in papers}
    for paper in papers:
        for reference in paper["references"]:
            assert reference in years, f"{paper['id']} cites {reference}, which is not there"
            assert reference != paper["id"], paper["id"]
            assert years[reference] <= paper["year"], f"{paper['id']} cites {reference}"


def test_most_papers_have_a_link(papers: list[Record]) -> None:
    linked = {paper["id"] for paper in papers if paper["references"]}
    linked.update(reference for paper in papers for reference in paper["references"])
    assert len(linked) >= 0.8 * len(papers)


def test_every_field_is_a_cluster(papers: list[Record]) -> None:
    fields = Counter(paper["keywords"][0] for paper in papers)
    assert len(fields) >= 10
    assert min(fields.values()) >= 10


def test_papers_are_in_the_order_of_fields_and_years(papers: list[Record]) -> None:
    order = list(dict.fromkeys(paper["keywords"][0] for paper in papers))
    keys = [(order.index(paper["keywords"][0]), paper["year"]) for paper in papers]
    assert keys == sorted(keys)


def test_readme_states_the_counts(papers: list[Record], events: list[Record]) -> None:
    readme = PAPERS.with_name("README.md").read_text(encoding="utf-8")
    fields = {paper["keywords"][0] for paper in papers}
    years = [paper["year"] for paper in papers]
    assert f"| {len(papers)} well-known papers of {len(fields)} fields" in readme
    assert f"{min(years)}–{max(years)}" in readme
    assert f"what {len({event['user'] for event in events})} **simulated** readers" in readme
    assert f"--seed {SEED} > " in readme


def test_interactions_are_what_the_simulation_writes() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "models.sample.readers", "--seed", str(SEED)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    assert written == INTERACTIONS.read_bytes()


def test_events_are_saves_of_papers_that_are_there(
    papers: list[Record], events: list[Record]
) -> None:
    ids = {paper["id"] for paper in papers}
    for event in events:
        assert set(event) == {"user", "paper", "type"}
        assert event["paper"] in ids
        assert event["type"] == "save"
    assert len({(event["user"], event["paper"]) for event in events}) == len(events)


def test_libraries_are_of_the_stated_sizes(events: list[Record]) -> None:
    sizes = Counter(event["user"] for event in events)
    assert len(sizes) == READERS
    fewest, most = SAVES
    assert fewest <= min(sizes.values())
    assert max(sizes.values()) <= most


def test_a_reader_does_not_depend_on_the_others(graph: Graph) -> None:
    few, many = (list(simulate(graph, seed=1, readers=readers)) for readers in (3, 5))
    assert many[: len(few)] == few
    assert list(simulate(graph, seed=2, readers=3)) != few


def test_libraries_follow_the_links_and_the_fields(
    papers: list[Record], events: list[Record], graph: Graph
) -> None:
    """Pairs of papers in one library are linked, or of one field, far more often than any two."""
    fields = [paper["keywords"][0] for paper in papers]
    rows = {paper_id: row for row, paper_id in enumerate(graph.ids)}
    libraries: dict[str, list[int]] = {}
    for event in events:
        libraries.setdefault(event["user"], []).append(rows[event["paper"]])

    def shares(groups: list[list[int]]) -> tuple[float, float]:
        pairs = [(one, two) for group in groups for one in group for two in group if one < two]
        linked = sum(two in graph.cited[one] for one, two in pairs)
        alike = sum(fields[one] == fields[two] for one, two in pairs)
        return linked / len(pairs), alike / len(pairs)

    linked, alike = shares(list(libraries.values()))
    linked_by_chance, alike_by_chance = shares([list(range(len(papers)))])
    assert linked > 3 * linked_by_chance
    assert alike > 3 * alike_by_chance
