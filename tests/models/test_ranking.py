"""`rank papers` and `rank drafts`: the lists of an artifact, in the order of the queries."""

import json
from pathlib import Path

import numpy as np
import pytest

from models.artifact import Artifact
from models.drafts import Draft
from models.formats import InputError
from models.neighbors import CANDIDATES_PER_SIGNAL
from models.ranking import RankedList, rank_drafts, rank_papers, read_drafts
from models.runs import read_run, write_run
from tests.models.corpora import corpus_of, train_on, two_fields, write_lines


def ranked(
    artifact: Artifact, queries: list[str], depth: int = 10, popularity: float = 1, threads: int = 1
) -> list[RankedList]:
    return list(rank_papers(artifact, queries, depth, popularity, threads))


def test_every_paper_has_a_list_without_itself_in_falling_scores(artifact: Artifact) -> None:
    queries = [paper["id"] for paper in two_fields()]
    lists = ranked(artifact, queries, depth=10)
    assert [query for query, _, _ in lists] == queries
    for query, found, scores in lists:
        assert len(found) == len(set(found)) == len(scores) == 10
        assert query not in found
        assert list(scores) == sorted(scores, reverse=True)


def test_a_list_is_the_one_that_the_scorer_gives(artifact: Artifact) -> None:
    papers, scorer = artifact.papers, artifact.scorer
    for query, found, scores in ranked(artifact, [papers.id(row) for row in range(9)]):
        row = papers.row(query)
        assert row is not None
        expected = scorer.rank(scorer.seed(row), 10)
        assert [papers.row(each) for each in found] == expected.rows.tolist()
        np.testing.assert_allclose(scores, expected.logits, atol=1e-4)


def test_neither_threads_nor_company_change_a_list(artifact: Artifact) -> None:
    queries = [paper["id"] for paper in two_fields()]
    together = ranked(artifact, queries, threads=3)
    assert ranked(artifact, queries[::-1])[::-1] == together
    assert [ranked(artifact, [query])[0] for query in queries[:5]] == together[:5]


def test_a_query_in_another_spelling_is_answered_under_its_own_name(tmp_path: Path) -> None:
    papers = two_fields()
    papers[0]["id"], papers[1]["id"] = "arXiv:1706.03762", "10.1145/ABC"
    artifact = Artifact.open(train_on(corpus_of(papers), tmp_path))
    queries = ["https://arxiv.org/abs/1706.03762v5", "doi:10.1145/abc"]
    for query, paper, (named, found, _) in zip(
        queries, papers, ranked(artifact, queries), strict=False
    ):
        assert named == query
        assert found
        assert paper["id"] not in found


def test_a_depth_beyond_the_stored_lists_and_the_corpus(tmp_path: Path) -> None:
    common = [{"id": f"p{at}", "title": f"common words {at % 40}"} for at in range(260)]
    artifact = Artifact.open(train_on(corpus_of(common), tmp_path))
    stored = artifact.scorer.neighbors.rows.shape[1]
    for depth in (stored + 50, CANDIDATES_PER_SIGNAL + 20, 1_000):
        ((_, found, scores),) = ranked(artifact, ["p7"], depth)
        assert len(found) == len(set(found)) == min(depth, 259)
        assert "p7" not in found
        assert list(scores) == sorted(scores, reverse=True)


def test_an_unknown_paper_is_named(artifact: Artifact) -> None:
    with pytest.raises(InputError, match=r"^no-such-paper: unknown paper; expected ids"):
        ranked(artifact, ["graphs/2001-0", "no-such-paper"])


def test_no_queries_are_an_empty_run(artifact: Artifact, tmp_path: Path) -> None:
    assert write_run(tmp_path / "run.txt", rank_papers(artifact, [], 10, 1, 1)) == 0
    assert (tmp_path / "run.txt").read_text() == ""


def test_without_popularity_fame_plays_no_part(artifact: Artifact) -> None:
    blend, scorer = artifact.blend, artifact.scorer
    ((query, found, scores),) = ranked(artifact, ["graphs/2008-1"], popularity=0)
    row = artifact.papers.row(query)
    assert row is not None
    rows = np.array([artifact.papers.row(each) for each in found], np.int32)
    parts = scorer.score(scorer.seed(row), rows).contributions
    expected = blend.bias + parts[:, ~blend.term_is_popularity].sum(axis=1)
    np.testing.assert_allclose(scores, expected, atol=1e-4)


def drafts_file(path: Path, *records: object) -> Path:
    return write_lines(path / "drafts.jsonl", map(json.dumps, records))


def test_drafts_are_read_with_all_that_they_may_hold(tmp_path: Path) -> None:
    path = drafts_file(
        tmp_path,
        {"id": "d1", "title": "T", "abstract": "A"},
        {"id": "d2", "title": None, "references": ["a"], "external_references": ["b"]},
        {"id": "d3", "year": 2010, "keywords": ["k"], "authors": ["Ada"]},
    )
    assert read_drafts(path) == [
        ("d1", Draft("T", "A")),
        ("d2", Draft(references=("a", "b"))),
        ("d3", Draft(year=2010, keywords=("k",), authors=("Ada",))),
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"title": "T"},
        {"id": "two words"},
        {"id": ""},
        {"id": "lone\ud800"},
        {"id": "d", "title": 5},
        {"id": "d", "abstract": ["A"]},
        {"id": "d", "references": "a"},
        {"id": "d", "year": "2010?"},
        {"id": "d", "year": True},
        {"id": "first"},
        [],
    ],
    ids=str,
)
def test_a_draft_that_is_none_is_refused_by_its_line(record: object, tmp_path: Path) -> None:
    path = drafts_file(tmp_path, {"id": "first"}, record)
    with pytest.raises(InputError, match=r"drafts\.jsonl:2: "):
        read_drafts(path)


def test_a_draft_is_related_to_papers_of_its_field(artifact: Artifact, tmp_path: Path) -> None:
    drafts = [
        ("d1", Draft("Matching in planar graphs", "vertex edge clique coloring")),
        ("d2", Draft(references=("proteins/2010-0", "proteins/2011-1"))),
        ("empty", Draft()),
    ]
    write_run(tmp_path / "run.txt", rank_drafts(artifact, drafts, 10, 1))
    run = read_run(tmp_path / "run.txt")
    assert len(run["d1"]) == len(run["d2"]) == 10
    assert all(each.startswith("graphs/") for each in run["d1"])
    assert all(each.startswith("proteins/") for each in run["d2"])
    assert run.keys() <= {"d1", "d2", "empty"}


def test_a_draft_under_the_id_of_a_paper_does_not_find_that_paper(artifact: Artifact) -> None:
    paper = two_fields()[10]
    draft = Draft(paper["title"], paper["abstract"], references=tuple(paper["references"]))
    ((_, found, _),) = rank_drafts(artifact, [(paper["id"], draft)], 84, 1)
    assert paper["id"] not in found
    ((_, found, _),) = rank_drafts(artifact, [("another", draft)], 84, 1)
    assert paper["id"] in found
