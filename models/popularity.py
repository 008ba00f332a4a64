"""What is known of a paper whatever the query: its citations and its age."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

PAPER_TERMS = ("citations", "citation_rate", "recent_citations", "age")

RECENT_YEARS = 3
RATE_YEARS = 3


def popularity_features(citations: sp.csr_matrix, year: NDArray[np.integer]) -> NDArray[np.float32]:
    """float32, papers x PAPER_TERMS: ln(1 + citations), ln(1 + citations in 3 years at the mean
    rate of its life), ln(1 + citations from the last 3 years), ln(age in years).

    The age counts from 1 in the corpus's last year; a paper of unknown year has the median age.
    """
    year = year.astype(np.int64)
    known = year > 0
    last = int(year.max(initial=0))
    middle = np.median(last - year[known]) if known.any() else 0
    age = np.where(known, last - year, middle) + 1.0
    count = np.bincount(citations.indices, minlength=citations.shape[1])
    recent = citations[known & (year > last - RECENT_YEARS)]
    recent_count = np.bincount(recent.indices, minlength=citations.shape[1])
    return _features(count, recent_count, age)


def new_paper_features(years_before_last: int) -> NDArray[np.float32]:
    """The features of a paper that nobody cites, float32 (PAPER_TERMS)."""
    age = np.array([max(years_before_last, 0) + 1.0])
    features: NDArray[np.float32] = _features(np.zeros(1), np.zeros(1), age)[0]
    return features


def most_cited(features: NDArray[np.float32], count: int) -> NDArray[np.int32]:
    """The papers with the most citations and those with the most recent ones, `count` of each,
    int32, rising: they may rank where little is similar. Nobody whom nobody cites."""
    everyone = np.arange(len(features))
    rows: list[NDArray[np.int64]] = []
    for name in ("citations", "recent_citations"):
        fame = features[:, PAPER_TERMS.index(name)]
        best = np.lexsort((everyone, -fame))[:count]
        rows.append(best[fame[best] > 0])
    return np.unique(np.concatenate(rows)).astype(np.int32)


def _features(
    count: NDArray[np.number], recent: NDArray[np.number], age: NDArray[np.float64]
) -> NDArray[np.float32]:
    rate = RATE_YEARS * count / (age + 1)
    columns = [np.log1p(count), np.log1p(rate), np.log1p(recent), np.log(age)]
    return np.stack(columns, axis=1).astype(np.float32)
