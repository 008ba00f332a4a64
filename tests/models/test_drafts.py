"""A draft answers as the same paper would if it were indexed without citations."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.artifact import Artifact
from models.blend import logistic
from models.drafts import Draft
from tests.models.corpora import corpus_in, train_on, write_jsonl

HELD_OUT = 200


@pytest.fixture(scope="module")
def uncited(datasets: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """All papers known in 2014, and 200 of them that nobody cites, as nobody knew them yet: in the
    last year and without references."""
    with gzip.open(datasets / "vis-until-2014" / "papers.jsonl.gz", "rt") as file:
        papers = [json.loads(line) for line in file]
    cited = {reference for paper in papers for reference in paper.get("references", [])}
    able = [paper for paper in papers if paper["id"] not in cited and paper.get("abstract")]
    drawn = np.random.default_rng(0).choice(len(able), HELD_OUT, replace=False)
    last = max(paper["year"] for paper in papers)
    for paper in (new := [able[at] for at in drawn]):
        paper.update(year=last, references=[], external_references=[])
    return papers, new


@pytest.fixture(scope="module")
def indexed(
    uncited: tuple[list[dict[str, Any]], list[dict[str, Any]]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Artifact:
    """A model that knows them."""
    folder = tmp_path_factory.mktemp("uncited")
    corpus = corpus_in(write_jsonl(folder / "papers.jsonl", uncited[0]))
    return Artifact.open(train_on(corpus, folder / "model"))


def _draft(paper: dict[str, Any]) -> Draft:
    return Draft(
        title=paper["title"],
        abstract=paper["abstract"],
        keywords=tuple(paper.get("keywords", ())),
        authors=tuple(paper.get("authors", ())),
    )


@pytest.mark.datasets
def test_the_same_top_ten_and_scores_as_the_indexed_paper(
    uncited: tuple[list[dict[str, Any]], list[dict[str, Any]]], indexed: Artifact
) -> None:
    scorer = indexed.scorer
    for paper in uncited[1]:
        row = indexed.papers.row(paper["id"])
        assert row is not None
        stored = scorer.stored(row)
        drafted = scorer.rank(scorer.draft(_draft(paper), paper=row), 10)
        assert drafted.rows.tolist() == stored.rows[:10].tolist()
        difference = logistic(drafted.logits) - logistic(stored.logits[:10])
        assert np.abs(difference).max() < 1e-3


@pytest.mark.datasets
def test_every_signal_of_a_draft_is_the_indexed_papers(
    uncited: tuple[list[dict[str, Any]], list[dict[str, Any]]], indexed: Artifact
) -> None:
    scorer = indexed.scorer
    others = np.arange(0, len(indexed.papers), 7, dtype=np.int32)
    for paper in uncited[1][:50]:
        row = indexed.papers.row(paper["id"])
        assert row is not None
        candidates = others[others != row]
        as_draft = scorer.score(scorer.draft(_draft(paper), paper=row), candidates)
        as_indexed = scorer.score(scorer.seed(row), candidates)
        np.testing.assert_allclose(as_draft.contributions, as_indexed.contributions, atol=1e-4)
