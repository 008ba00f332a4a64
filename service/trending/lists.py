"""Lists of trending papers: those that readers chose, then recent ones by their citations. Knows
neither gRPC nor Redis."""

from collections.abc import Collection, Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.popularity import PAPER_TERMS, RECENT_YEARS
from service.filters import Filter, Passing
from service.lists import MAX_SHOWN
from service.trending.ranking import Ranking


class Ranked(NamedTuple):
    """A ranking in terms of one model. rows: int32, of the papers that the model knows, best first;
    places: int32, theirs in the ranking."""

    ranking: Ranking
    rows: NDArray[np.int32]
    places: NDArray[np.int32]


class Listed(NamedTuple):
    """A stretch of a list.

    rows: papers; places: of each in the ranking, None for the fallback.
    more: whether the list goes on.
    """

    rows: list[int]
    places: list[int | None]
    more: bool


class TrendingLists:
    """Lists over the papers of one artifact. Thread-safe."""

    def __init__(self, artifact: Artifact) -> None:
        self._papers = artifact.papers
        self._features = artifact.scorer.features
        self._passing = Passing(artifact.papers)
        self._work = artifact.papers.work

    def ranked(self, ranking: Ranking) -> Ranked:
        """A ranking without the papers that this model does not know."""
        found = [self._papers.row(paper) for paper in ranking.papers]
        places = [place for place, row in enumerate(found) if row is not None]
        rows = [row for row in found if row is not None]
        return Ranked(ranking, np.array(rows, np.int32), np.array(places, np.int32))

    def page(
        self, ranked: Ranked | None, wanted: Filter, shown: Collection[int], size: int
    ) -> Listed:
        """The best results that were not shown, each work once."""
        size = min(size, MAX_SHOWN - len(shown))
        left_out = np.array([*wanted.excluded, *shown], np.int32)
        taken = set(self._work[left_out].tolist())
        listed = Listed([], [], more=False)
        for row, place in self._candidates(ranked, wanted):
            work = int(self._work[row])
            if work in taken:
                continue
            if len(listed.rows) == size:
                return listed._replace(more=len(shown) + size < MAX_SHOWN)
            taken.add(work)
            listed.rows.append(row)
            listed.places.append(place)
        return listed

    def _candidates(
        self, ranked: Ranked | None, wanted: Filter
    ) -> Iterator[tuple[int, int | None]]:
        if ranked is not None:
            for at in self._passing.places(ranked.rows, wanted):
                yield int(ranked.rows[at]), int(ranked.places[at])
        for at in self._passing.places(self._gathering, wanted):
            yield int(self._gathering[at]), None

    @cached_property
    def _gathering(self) -> NDArray[np.int32]:
        """Every paper, those of the last three years of the corpus first, by citations a year;
        then the others by the citations that they got in these years."""
        year = self._papers.year.astype(np.int32)
        recent = year > max(int(year.max(initial=0)) - RECENT_YEARS, 0)
        rate = self._features[:, PAPER_TERMS.index("citation_rate")]
        late = self._features[:, PAPER_TERMS.index("recent_citations")]
        pace = np.where(recent, rate, late)
        return np.lexsort((-year, -pace, ~recent)).astype(np.int32)
