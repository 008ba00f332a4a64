"""Why a result is related, from the corpus itself: shared terms, and the papers that cite both."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from service.lists import Results, Wanted
from service.recommender import Recommender

TERMS = 10
CITING = 5


class Evidence(NamedTuple):
    """What connects one result to the seed that is most related to it.

    seed: its row, or None for the draft.
    terms: at most TERMS words or pairs of words with their shares of the TF-IDF cosine.
    citing: rows of at most CITING papers that cite both, the most recent first.
    """

    seed: int | None
    terms: list[tuple[str, float]]
    citing: list[int]


def explain(recommender: Recommender, wanted: Wanted, results: Results) -> Iterator[Evidence]:
    """The evidence for each result, in their order."""
    scorer = recommender.artifact.scorer
    queries = recommender.queries(wanted)
    nearest = recommender.nearest_queries(queries, np.array(results.rows, np.int32))
    for row, query in zip(results.rows, nearest, strict=True):
        seed = wanted.seeds[query] if query < len(wanted.seeds) else None
        citing = [] if seed is None else scorer.co_citing(seed, row, CITING)
        yield Evidence(seed, scorer.shared_terms(queries[query], row, TERMS), citing)
