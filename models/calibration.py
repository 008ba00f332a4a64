"""From a fitted blend to a probability, and how good both are on pairs they have not seen."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.batch import RankedBlock, rank_blocks
from models.blend import Blend, logistic
from models.evaluation import ndcg
from models.features import Features
from models.fitting import Pairs, fit_blend, related_rows
from models.logistic import fit_logistic
from models.split import Split

FOLDS = 4
QUERIES = 2_000
DEPTH = 100
"""Calibration sees the first 100 papers of each list, related or not."""

PENALTY = 1e-9
SHOWN = 10


@dataclass(frozen=True)
class Held:
    """Lists made by blends that had not seen their queries. `queries`: int64 (n); `rows`: int32,
    n x DEPTH, -1 where there are fewer; `logits`: float32; `related`: bool."""

    queries: NDArray[np.int64]
    rows: NDArray[np.int32]
    logits: NDArray[np.float32]
    related: NDArray[np.bool_]


def held_out_lists(
    split: Split,
    features: Features,
    parts: list[Pairs],
    signals: tuple[str, ...],
    seed: int,
    threads: int,
) -> Held:
    """Rank papers of the split, each by a blend fitted without the pairs of its fold.

    `parts[0]` are the split's own pairs. Every paper may be a query, also one without any
    related paper; of more than QUERIES a seeded draw.
    """
    papers = len(features.papers)
    random = np.random.default_rng(seed)
    fold = random.integers(0, FOLDS, papers)
    queries = np.arange(papers)
    if papers > QUERIES:
        queries = np.sort(random.choice(papers, QUERIES, replace=False))

    def fit_without(at: int) -> Blend:
        return fit_blend(signals, [parts[0].take(fold[parts[0].query] != at), *parts[1:]])

    with ThreadPoolExecutor(threads) as pool:
        blends = list(pool.map(fit_without, range(FOLDS)))
    blocks: list[RankedBlock] = []
    for at, blend in enumerate(blends):
        chosen = queries[fold[queries] == at]
        blocks += rank_blocks(
            features.signals, features.papers, blend, chosen, DEPTH, threads=threads
        )
    rows = np.concatenate([_padded(block.rows, -1) for block in blocks])
    found = np.concatenate([block.queries for block in blocks])
    logits = np.concatenate([_padded(block.logits, -np.inf) for block in blocks])
    return Held(found, rows, logits, related_rows(split, found, rows))


def _padded(values: NDArray[Any], filler: float) -> NDArray[Any]:
    missing = DEPTH - values.shape[1]
    return np.pad(values, ((0, 0), (0, missing)), constant_values=filler)


@dataclass(frozen=True)
class Calibration:
    """A query's pairs have the logit slope * logit + seed . features of the query + intercept."""

    slope: float
    seed: NDArray[np.float32]
    intercept: float

    def logits(
        self, logits: NDArray[np.float32], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """float32, queries x depth, from logits of that shape and the queries' features."""
        shift = features @ self.seed + np.float32(self.intercept)
        return np.float32(self.slope) * logits + shift[:, None]


def fit_calibration(
    held: Held, features: NDArray[np.float32], chosen: NDArray[np.bool_] | None = None
) -> Calibration:
    """Fit to all pairs of the lists of the chosen queries (after Platt 1999).

    `features`: float32, papers x popularity terms. Without both related and unrelated pairs the
    logit stays.
    """
    use = held.rows >= 0
    if chosen is not None:
        use = use & chosen[:, None]
    related = held.related[use]
    if related.all() or not related.any():
        return Calibration(1.0, np.zeros(features.shape[1], np.float32), 0.0)
    of_query = np.broadcast_to(
        features[held.queries][:, None], (*held.rows.shape, features.shape[1])
    )
    columns = np.hstack([held.logits[use][:, None], of_query[use]])
    rising = np.arange(columns.shape[1]) == 0
    ones = np.ones(len(related), np.float32)
    weights, intercept = fit_logistic(columns, related, ones, rising, PENALTY)
    return Calibration(float(weights[0]), weights[1:].astype(np.float32), intercept)


def reliability(held: Held, features: NDArray[np.float32], seed: int) -> list[dict[str, float]]:
    """For each tenth of the score: pairs, mean score, share of related ones.

    Cross-fitted by query: each list's scores come from the calibration of the other folds.
    """
    fold = np.random.default_rng(seed + 1).integers(0, FOLDS, len(held.queries))
    score = np.zeros_like(held.logits)
    for at in range(FOLDS):
        of_fold = fold == at
        fitted = fit_calibration(held, features, ~of_fold)
        logits = fitted.logits(held.logits[of_fold], features[held.queries[of_fold]])
        score[of_fold] = logistic(logits)
    use = held.rows >= 0
    score, related = score[use], held.related[use]
    tenth = np.minimum((score * 10).astype(int), 9)
    return [
        {
            "from": float(at / 10),
            "pairs": int((tenth == at).sum()),
            "mean_score": round(float(score[tenth == at].mean()), 4),
            "related": round(float(related[tenth == at].mean()), 4),
        }
        for at in np.unique(tenth)
    ]


def inner_figures(split: Split, held: Held) -> dict[str, float]:
    """How the lists of queries not seen did: nDCG@10 over queries with a related paper, coverage
    (share of papers in some first ten), share of slots of the most shown 1 %, and recall@100 of
    related papers that nobody cites."""
    known = {query: at for at, query in enumerate(held.queries.tolist())}
    relevant = np.diff(split.together.indptr)
    cited = np.diff(split.corpus.citations.T.tocsr().indptr) > 0
    gains: list[float] = []
    found = total = 0
    for query, at in known.items():
        wanted = split.together.indices[
            split.together.indptr[query] : split.together.indptr[query + 1]
        ]
        if relevant[query]:
            gains.append(ndcg(held.related[at].tolist(), int(relevant[query])))
            uncited = wanted[~cited[wanted]]
            found += int(np.isin(uncited, held.rows[at]).sum())
            total += len(uncited)
    shown = held.rows[:, :SHOWN]
    slots = np.sort(np.bincount(shown[shown >= 0], minlength=len(cited)))[::-1]
    top = max(1, round(0.01 * len(slots)))
    return {
        "ndcg@10": round(float(np.mean(gains)), 4) if gains else 0.0,
        "queries": len(gains),
        "coverage": round(float((slots > 0).mean()), 4),
        "share_of_slots_of_top_percent": round(float(slots[:top].sum() / max(slots.sum(), 1)), 4),
        "recall@100_of_uncited": round(found / total, 4) if total else 0.0,
    }
