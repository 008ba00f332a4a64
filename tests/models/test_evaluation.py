"""Measures by hand, and against an independent program."""

import json
import math
import random
import subprocess
import sys
from pathlib import Path

import pytest

from models.evaluation import average_precision, evaluate, ndcg, recall
from models.runs import read_qrels, read_run
from tests.models.corpora import write_lines

HITS = [True, False, True, False, False]
"""Of four relevant documents the first and the third of five ranked."""


def test_ndcg() -> None:
    ideal = 1 + 1 / math.log2(3) + 1 / 2 + 1 / math.log2(5)
    assert ndcg(HITS, 4) == pytest.approx((1 + 1 / 2) / ideal)
    # The ideal list is as long as there are relevant documents, not as the ranking.
    assert ndcg([True], 3, depth=3) == pytest.approx(1 / (1 + 1 / math.log2(3) + 1 / 2))
    assert ndcg(HITS, 4, depth=1) == 1
    assert ndcg([True] * 10, 25) == 1
    assert ndcg([], 4) == 0


def test_average_precision() -> None:
    assert average_precision(HITS, 4) == pytest.approx((1 / 1 + 2 / 3) / 4)
    assert average_precision(HITS, 2) == pytest.approx((1 / 1 + 2 / 3) / 2)
    # No more than `depth` documents can be found.
    assert average_precision([True, True, True], 5, depth=2) == 1
    assert average_precision([], 4) == 0


def test_recall() -> None:
    assert recall(HITS, 4, 1) == 0.25
    assert recall(HITS, 4, 3) == 0.5
    assert recall(HITS, 4, 100) == 0.5


def test_every_query_of_the_judgements_counts() -> None:
    relevant = {"q1": {"a"}, "q2": {"b", "c"}}
    result = evaluate(relevant, {"q1": ["a"], "unasked": ["b"]})
    assert (result.queries, result.answered) == (2, 1)
    assert result.figures["ndcg@10"] == 0.5
    assert result.figures["recall@20"] == 0.5
    assert result.figures["capped-recall@300"] == 0.5


def test_capped_recall_divides_by_what_the_depth_can_hold() -> None:
    wanted = {str(number) for number in range(40)}
    result = evaluate({"q": wanted}, {"q": [str(number) for number in range(20)]})
    assert result.figures["recall@20"] == 0.5
    assert result.figures["capped-recall@20"] == 1
    assert result.figures["capped-recall@50"] == 0.5


def random_files(seed: int, folder: Path) -> tuple[Path, Path]:
    """Judgements and a run over them: unanswered and unjudged queries, gains of 0, equal scores,
    lists longer than any depth, lines in any order."""
    draw = random.Random(seed)  # noqa: S311 - no secret
    documents = [f"10.1/{number}" for number in range(500)]
    qrels, run = [], []
    for query in range(12):
        judged = draw.sample(documents, draw.choice([1, 4, 40, 150]))
        qrels += [f"q{query} 0 {document} {draw.choice([0, 1, 1, 7])}" for document in judged]
        qrels.append(f"q{query} 0 certainly 1")
    for query in range(3, 15):
        length = draw.choice([1, 9, 120, 400])
        score = 9.0
        for rank, document in enumerate(draw.sample(documents, length), 1):
            score -= draw.choice([0, 0.25])
            run.append(f"q{query} Q0 {document} {rank} {score:.6f} tag")
    draw.shuffle(run)
    return write_lines(folder / "qrels.txt", qrels), write_lines(folder / "run.txt", run)


@pytest.mark.datasets
@pytest.mark.parametrize("seed", range(4))
def test_the_figures_are_those_of_an_independent_program(
    seed: int, datasets: Path, tmp_path: Path
) -> None:
    qrels, run = random_files(seed, tmp_path)
    program = datasets.parent / "score" / "score.py"
    output = subprocess.check_output([sys.executable, program, qrels, run], text=True)
    expected = json.loads(output)
    result = evaluate(read_qrels(qrels), read_run(run))
    assert result.queries == expected.pop("queries")
    assert result.answered == expected.pop("queries answered")
    assert result.figures == pytest.approx(expected, abs=1e-5)
    assert 0 < result.figures["ndcg@10"] < 1
