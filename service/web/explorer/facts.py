"""Facts of a model that pages show: its size, its venues, what is read now. Counted once."""

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from models.artifact import Artifact

_VENUES = 200
_SUBJECTS = 12
_POPULAR = 8
_ASKED = 60
"""How many popular papers are asked for their keywords."""


class Facts(NamedTuple):
    """venues: those with most papers, the largest first. subjects: keywords of the popular papers,
    the commonest first. popular: ids of recent, much cited papers, best first. popularity: the
    names of the terms that know a result alone. first_year, last_year: 0 where there are no dates.
    """

    papers: int
    citations: int
    readers: int
    first_year: int
    last_year: int
    version: str
    venues: Sequence[str]
    subjects: Sequence[str]
    popular: Sequence[str]
    popularity: frozenset[str]


@lru_cache(maxsize=2)
def facts(artifact: Artifact) -> Facts:
    """What pages say of a model."""
    papers, corpus = artifact.papers, artifact.manifest.corpus
    rows = artifact.array("recent_popular")[:_ASKED].tolist()
    keywords = Counter(word for row in rows for word in papers.record(row).keywords)
    known = papers.venue_code[papers.venue_code >= 0]
    count = np.bincount(known, minlength=len(papers.venue_names))
    order = np.argsort(-count, kind="stable")[:_VENUES]
    return Facts(
        papers=corpus["papers"],
        citations=corpus["citations"],
        readers=corpus["readers"],
        first_year=corpus["first_year"],
        last_year=corpus["last_year"],
        version=artifact.version,
        venues=[papers.venue_names[code] for code in order.tolist() if count[code]],
        subjects=[word for word, times in keywords.most_common(_SUBJECTS) if times > 1],
        popular=[papers.id(row) for row in rows[:_POPULAR]],
        popularity=frozenset(
            term["name"] for term in artifact.manifest.terms if term["kind"] == "popularity"
        ),
    )
