"""How good a run is. Binary gains; every query of the qrels counts, an absent one as 0."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from models.runs import Qrels, Run

NDCG_DEPTH, MAP_DEPTH, RECALL_DEPTHS = 10, 100, (20, 50, 100, 300)


def ndcg(hits: Sequence[bool], relevant: int, depth: int = NDCG_DEPTH) -> float:
    """Normalised discounted cumulative gain in [0, 1] (Järvelin and Kekäläinen 2002).

    `hits`: whether each ranked document is relevant; `relevant`: how many there are at all. The
    ideal list holds all of them, whatever the length of the ranking.
    """
    gained = sum(1 / math.log2(at + 2) for at, hit in enumerate(hits[:depth]) if hit)
    return gained / sum(1 / math.log2(at + 2) for at in range(min(depth, relevant)))


def average_precision(hits: Sequence[bool], relevant: int, depth: int = MAP_DEPTH) -> float:
    """Mean precision at the rank of each relevant document, in [0, 1]; those that were not found
    count 0, at most `depth` of them."""
    found, total = 0, 0.0
    for rank, hit in enumerate(hits[:depth], 1):
        if hit:
            found += 1
            total += found / rank
    return total / min(relevant, depth)


def recall(hits: Sequence[bool], relevant: int, depth: int) -> float:
    """Share of the relevant documents among the first `depth`, in [0, 1]."""
    return sum(hits[:depth]) / relevant


@dataclass(frozen=True)
class Evaluation:
    """`figures`: means over the queries, by name; `queries`: how many; `answered`: of these, how
    many the run ranks."""

    figures: dict[str, float]
    queries: int
    answered: int


def evaluate(relevant: Qrels, run: Run) -> Evaluation:
    """nDCG@10, MAP@100, recall and capped recall (divided by what the depth can hold) of a run."""
    totals: dict[str, float] = {}

    def add(name: str, value: float) -> None:
        totals[name] = totals.get(name, 0.0) + value

    for query, wanted in relevant.items():
        hits = [document in wanted for document in run.get(query, [])]
        add(f"ndcg@{NDCG_DEPTH}", ndcg(hits, len(wanted)))
        add(f"map@{MAP_DEPTH}", average_precision(hits, len(wanted)))
        for depth in RECALL_DEPTHS:
            add(f"recall@{depth}", recall(hits, len(wanted), depth))
            add(f"capped-recall@{depth}", sum(hits[:depth]) / min(depth, len(wanted)))
    figures = {name: total / len(relevant) for name, total in totals.items()}
    return Evaluation(figures, len(relevant), sum(query in run for query in relevant))
