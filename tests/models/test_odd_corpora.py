"""Every odd corpus trains, and what it gives keeps the promises of every artifact."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from models.artifact import Artifact
from models.blend import logistic
from models.drafts import Draft
from models.neighbors import Ranking, Scorer
from tests.models.corpora import Paper, corpus_in, corpus_of, train_on, two_fields, write_jsonl
from tests.models.odd_corpora import ODD, with_odd_texts


def assert_is_a_ranking(ranking: Ranking, scorer: Scorer, papers: int) -> None:
    """Distinct papers, best first, each logit the bias plus its contributions."""
    rows, logits = ranking.rows, ranking.logits
    assert ((rows >= 0) & (rows < papers)).all()
    assert len(np.unique(rows)) == len(rows)
    assert (np.diff(logits) <= 0).all()
    assert np.isfinite(ranking.contributions).all()
    expected = scorer.blend.bias + ranking.contributions.sum(axis=1, dtype=np.float64)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(logistic(logits), 1 / (1 + np.exp(-expected)), atol=1e-4)


def assert_answers(artifact: Artifact) -> None:
    scorer, papers = artifact.scorer, len(artifact.papers)
    for row in range(0, papers, 5):
        stored = scorer.stored(row)
        ranked = scorer.rank(scorer.seed(row), 10)
        for ranking in (stored, ranked):
            assert_is_a_ranking(ranking, scorer, papers)
            assert row not in ranking.rows
        np.testing.assert_allclose(stored.logits[:10], ranked.logits, atol=1e-4)
    for draft in (
        Draft(),
        Draft("Planar graphs", "vertex edge", ("graphs",), ("Graphs Author 1",), ("unknown",)),
        Draft(title="\ud800 \x00", references=(artifact.papers.id(0), "\udfff")),
        Draft(title="vertex", year=1066),
    ):
        assert_is_a_ranking(scorer.rank(scorer.draft(draft), 10), scorer, papers)
    popular = scorer.popular()
    assert len(np.unique(popular)) == len(popular) == min(papers, 1_000)


Trained = Callable[[str], Artifact]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """The artifact of an odd corpus, trained when it is first asked for."""

    @cache
    def train(name: str) -> Artifact:
        corpus = corpus_of(ODD[name]())
        return Artifact.open(train_on(corpus, tmp_path_factory.mktemp("odd"), threads=1))

    return train


@pytest.mark.parametrize("name", ODD)
def test_an_odd_corpus_trains(name: str, trained: Trained) -> None:
    artifact = trained(name)
    assert len(artifact.papers) == len(ODD[name]())
    assert_answers(artifact)


@pytest.fixture(scope="module")
def fields() -> dict[str, str]:
    return {paper["id"]: paper["venue"] for paper in two_fields()}


def neighbours_of_one_field(artifact: Artifact, fields: dict[str, str]) -> float:
    """The share of papers' first five neighbours that are of their own field."""
    papers, same = artifact.papers, []
    for row in range(len(papers)):
        for other in artifact.scorer.stored(row).rows[:5]:
            same.append(fields[papers.id(row)] == fields[papers.id(int(other))])  # noqa: PERF401
    assert len(same) >= 4 * len(papers)
    return float(np.mean(same))


@pytest.mark.parametrize(
    "name", ["citations alone", "text alone", "no years", "mutual references", "no titles"]
)
def test_either_kind_of_evidence_tells_the_fields_apart(
    name: str, fields: dict[str, str], trained: Trained
) -> None:
    assert neighbours_of_one_field(trained(name), fields) == 1


def test_all_evidence_together_tells_the_fields_apart(
    artifact: Artifact, fields: dict[str, str]
) -> None:
    assert neighbours_of_one_field(artifact, fields) == 1
    assert_answers(artifact)


def test_an_undirected_corpus_claims_no_common_citing_papers(trained: Trained) -> None:
    artifact = trained("mutual references")
    assert artifact.manifest.corpus["undirected"]
    assert not {"co_citation", "coupling"} & set(artifact.blend.signals)
    scorer = artifact.scorer
    for row in range(9):
        for other in scorer.stored(row).rows[:9]:
            assert scorer.co_citing(row, int(other), 5) == []


def test_papers_that_cite_both_are_named_the_most_recent_first(artifact: Artifact) -> None:
    papers: list[Paper] = two_fields()
    row = {paper["id"]: at for at, paper in enumerate(papers)}
    one, other = papers[60]["references"][:2]
    both = [paper for paper in papers if {one, other} <= set(paper["references"])]
    found = artifact.scorer.co_citing(row[one], row[other], 100)
    assert sorted(found) == sorted(row[paper["id"]] for paper in both)
    years = [papers[at]["year"] for at in found]
    assert years == sorted(years, reverse=True)


def test_odd_texts_survive_the_way_through_a_file(tmp_path: Path) -> None:
    corpus = corpus_in(write_jsonl(tmp_path / "papers.jsonl", with_odd_texts()))
    artifact = Artifact.open(train_on(corpus, tmp_path / "model", threads=1))
    titles = {artifact.papers.record(row).title for row in range(len(artifact.papers))}
    assert "مقدمة في الرسوم البيانية" in titles
    assert "\N{REPLACEMENT CHARACTER} lone \N{REPLACEMENT CHARACTER}" in titles
    assert_answers(artifact)
