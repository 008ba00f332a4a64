"""Fits the blend on inner splits: which pairs do the papers left out cite together?"""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from models.blend import Blend, transformed
from models.candidates import compared_candidates, in_blocks
from models.features import Features
from models.logistic import fit_logistic
from models.neighbors import CANDIDATES_PER_SIGNAL, FAMOUS
from models.popularity import PAPER_TERMS, most_cited
from models.split import Split

QUERIES = 2_000
"""Queries a split is fitted on; of more a seeded sample is taken."""

NEGATIVES = 200
"""Unrelated candidates kept for each query (drawn, weighted back)."""

PENALTY = 1e-5


@dataclass(frozen=True)
class Pairs:
    """Pairs to fit on. `similarities`: float32, pairs x signals; `features`: float32, pairs x
    popularity terms of the candidate; `related`: bool; `weight`: float32, how many candidate
    pairs each stands for; `query`: int64, the query's place in the split."""

    similarities: NDArray[np.float32]
    features: NDArray[np.float32]
    related: NDArray[np.bool_]
    weight: NDArray[np.float32]
    query: NDArray[np.int64]

    def take(self, chosen: NDArray[np.bool_]) -> "Pairs":
        """Some of the pairs."""
        return Pairs(*(getattr(self, each.name)[chosen] for each in fields(self)))


def gather_pairs(split: Split, features: Features, seed: int, threads: int) -> Pairs:
    """Every related candidate of each query, and a draw of the others."""
    queries = split.queries
    random = np.random.default_rng(seed)
    if len(queries) > QUERIES:
        queries = np.sort(random.choice(queries, QUERIES, replace=False))

    width = min(CANDIDATES_PER_SIGNAL, len(features.papers))
    famous = most_cited(features.papers, FAMOUS)

    def work(block: NDArray[np.int64]) -> Pairs:
        rows, similar = compared_candidates(features.signals, block, width, famous)
        place, column = np.nonzero(rows >= 0)
        related = related_rows(split, block, rows)
        draw = np.random.default_rng([seed, int(block[0])]).random(len(place))
        unrelated = np.maximum((rows >= 0).sum(axis=1) - related.sum(axis=1), 1)
        share = np.minimum(NEGATIVES / unrelated, 1)[place]
        kept = related[place, column] | (draw < share)
        place, column, share = place[kept], column[kept], share[kept]
        is_related = related[place, column]
        return Pairs(
            similar[place, column],
            features.papers[rows[place, column]],
            is_related,
            np.where(is_related, 1, 1 / share).astype(np.float32),
            block[place],
        )

    blocks = list(in_blocks(queries, work, threads))
    return Pairs(
        *(np.concatenate([getattr(block, each.name) for block in blocks]) for each in fields(Pairs))
    )


def related_rows(
    split: Split, block: NDArray[np.int64], rows: NDArray[np.int32]
) -> NDArray[np.bool_]:
    """Which candidates are related to their query, bool of the shape of `rows`."""
    related = np.zeros(rows.shape, bool)
    for at, query in enumerate(block):
        low, high = split.together.indptr[query], split.together.indptr[query + 1]
        related[at] = np.isin(rows[at], split.together.indices[low:high])
    return related


def fit_blend(signals: tuple[str, ...], parts: list[Pairs]) -> Blend:
    """The blend of least logistic loss over all pairs; more similar is never less related.

    Signals that add nothing beside the others are not in it.
    """
    log_part, root_part = transformed(np.concatenate([part.similarities for part in parts]))
    features = np.concatenate([part.features for part in parts])
    columns = np.hstack([log_part, root_part, features])
    pairs = 2 * log_part.shape[1]
    coefficients, bias = fit_logistic(
        columns,
        np.concatenate([part.related for part in parts]),
        np.concatenate([part.weight for part in parts]),
        np.arange(columns.shape[1]) < pairs,
        PENALTY,
    )
    log, root, paper = np.split(coefficients.astype(np.float32), [pairs // 2, pairs])
    no_seed = np.zeros(len(PAPER_TERMS), np.float32)  # what calibration adds
    blend = Blend(bias, signals, log, root, PAPER_TERMS, paper, no_seed)
    return blend.without_idle_signals()
