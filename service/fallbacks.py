"""What fills a list when the model's candidates run out. Fallbacks rank, and give no score."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.neighbors import Query, Scorer
from models.signals import all_similarities


def similar_text(scorer: Scorer, queries: Sequence[Query]) -> NDArray[np.int32]:
    """Every paper that shares a term with a query, int32, by the sum of its TF-IDF cosines."""
    texts = scorer.encoder.texts
    cosines = [all_similarities(texts, query.text) for query in queries]
    total = np.sum(cosines, axis=0)
    rows = np.flatnonzero(total > 0)
    return rows[np.argsort(-total[rows], kind="stable")].astype(np.int32)
