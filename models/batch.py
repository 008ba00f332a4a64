"""Ranks many papers at once: training's own lists, and `rank papers`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.blend import Blend
from models.candidates import compared_candidates, in_blocks
from models.neighbors import CANDIDATES_PER_SIGNAL, FAMOUS
from models.popularity import most_cited
from models.signals import Signal


@dataclass(frozen=True)
class RankedBlock:
    """The lists of a block of queries, best first: `rows` int32 (queries x depth, -1 where there
    are fewer), `logits` float32 (-inf there), `contributions` float32 (queries x depth x terms)."""

    queries: NDArray[np.int64]
    rows: NDArray[np.int32]
    logits: NDArray[np.float32]
    contributions: NDArray[np.float32]


def rank_blocks(
    signals: Mapping[str, Signal],
    features: NDArray[np.float32],
    blend: Blend,
    queries: NDArray[np.int64],
    depth: int,
    popularity: float = 1,
    threads: int = 1,
) -> Iterator[RankedBlock]:
    """The best `depth` papers for each query (rows of the corpus), a block of queries at a time.

    Candidates are the union of each signal's top papers and the most cited ones; every signal of
    each is exact. Where that union is shorter than `depth`, the list is.
    """
    weighed = {name: signals[name] for name in blend.signals}
    width = min(max(depth, CANDIDATES_PER_SIGNAL), len(features))
    famous = most_cited(features, FAMOUS)

    def work(block: NDArray[np.int64]) -> RankedBlock:
        rows, similar = compared_candidates(weighed, block, width, famous)
        parts = blend.contributions(similar, features[rows], features[block][:, None])
        logits = np.where(rows >= 0, blend.logits(parts, popularity), np.float32(-np.inf))
        best = np.argsort(-logits, axis=1, kind="stable")[:, :depth]
        return RankedBlock(
            block,
            np.take_along_axis(rows, best, 1),
            np.take_along_axis(logits, best, 1),
            np.take_along_axis(parts, best[..., None], 1),
        )

    return in_blocks(queries, work, threads)
