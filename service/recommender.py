"""Which papers are related to these seeds, best first. Knows neither gRPC nor Redis.

A stored list is answered on the event loop, so its path makes few calls of numpy, each of which
costs as much as a dozen lines of Python when the caches hold another request's data.
"""

from collections.abc import Iterator
from functools import lru_cache
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.blend import falling, logistic
from models.neighbors import Query, Ranking
from service.diversity import maximal_marginal_relevance
from service.fallbacks import similar_text
from service.filters import Filter, Passing
from service.lists import Results, Source, Wanted

NEAREST = 100
"""How many of the best candidates a list begins with; `diversity` reorders these."""

DEEPER = (1_000, 10_000)
"""How many of the best are scored when the nearest do not fill a page; several seeds share them."""

POOL = 500
"""How many of the candidates of several seeds are scored against all of them, at the least."""

NOTHING = np.zeros(0, np.int32)


class _Block(NamedTuple):
    """Candidates of one source.

    rows: int32, best first.
    order: where each row's numbers are in the two below; all three are empty for a fallback.
    falling: float32, what the contributions add to the logit, times -1, popularity weighted.
    contributions: float32[rows x terms], not weighted.
    """

    source: Source
    rows: NDArray[np.int32]
    order: NDArray[np.intp]
    falling: NDArray[np.float32]
    contributions: NDArray[np.float32]


class _TermWeights(NamedTuple):
    """What each contribution is multiplied by, in the forms that its users take.

    weights: float32 (terms). numbers: the same as a list.
    """

    weights: NDArray[np.float32]
    numbers: list[float]


class Recommender:
    """Lists over one artifact."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._papers = artifact.papers
        self._scorer = artifact.scorer
        self._blend = artifact.blend
        self.passing = Passing(artifact.papers)
        self._work = artifact.papers.work.data  # a view whose items are Python numbers
        self._term_weights = lru_cache(maxsize=64)(self._weights_of_terms)

    def related(self, wanted: Wanted, offset: int, size: int) -> Results:
        """Results offset .. offset + size of the list.

        The list is a fixed sequence: the nearest hundred, then the rest that the model scores,
        then text, then popular papers; each passes the filter, and no two are one work. So pages
        neither repeat nor skip, and a page is full while candidates remain.
        """
        end = offset + size
        if wanted.plain and (results := self._nearest(wanted, offset, size)):
            return results
        taken = {self._work[row] for row in wanted.seeds + wanted.negatives}
        taken.update(self._work[row] for row in wanted.filter.excluded)
        bias, weights = self._bias(wanted), self._weights(wanted)
        rows: list[int] = []
        sources: list[Source] = []
        logits: list[float] = []
        contributions: list[list[float]] = []
        more = False
        for number, block in enumerate(self._blocks(wanted)):
            limit = end + 1 - len(sources)
            diverse = number == 0 and wanted.diversity > 0.0
            admitted = len(block.rows) if diverse else limit
            listed = block.rows.tolist()
            kept = self._admit(block.rows, listed, wanted.filter, taken, admitted)
            if diverse:
                kept = self._diverse(wanted, block, kept, limit)
            rows += [listed[place] for place in kept]
            sources += [block.source] * len(kept)
            if block.source is Source.MODEL:
                places = block.order[kept]
                logits += [bias - each for each in block.falling[places].tolist()]
                contributions += (block.contributions[places] * weights).tolist()
            # A result of the last source, too, shows that the list goes on.
            more = len(sources) > end or (
                len(sources) == end and self._goes_on(wanted.filter, set(taken))
            )
            if more:
                break
        return Results(
            rows=rows[offset:end],
            sources=sources[offset:end],
            bias=bias,
            logits=logits[offset:end],
            contributions=contributions[offset:end],
            more=more,
            terms=wanted.adjustment.terms if wanted.adjustment else self._blend.term_names,
        )

    def _nearest(self, wanted: Wanted, offset: int, size: int) -> Results | None:
        """`related` where the stored list is all it takes, at half the cost; else None."""
        seed, work, bias = wanted.seeds[0], self._work, self._blend.bias
        neighbors, weights = self._scorer.neighbors, self._term_weights(wanted.popularity)
        listed = neighbors.listed(seed)
        falls = falling(neighbors.contributions[seed, : len(listed)], weights.weights)
        taken = {work[seed]}
        kept: list[int] = []
        for place in falls.argsort(kind="stable").tolist():
            if (each := work[listed[place]]) not in taken:
                taken.add(each)
                kept.append(place)
                if len(kept) > offset + size:  # the last one shows that the list goes on
                    break
        else:
            return None
        kept = kept[offset:-1]
        logits, numbers = falls.tolist(), weights.numbers
        return Results(
            rows=[listed[place] for place in kept],
            sources=[Source.MODEL] * size,
            bias=bias,
            logits=[bias - logits[place] for place in kept],
            contributions=[
                list(map(mul, neighbors.contributed(seed, place), numbers)) for place in kept
            ],
            more=True,
            terms=self._blend.term_names,
        )

    def queries(self, wanted: Wanted) -> list[Query]:
        """One for each seed, then the draft's if there is one."""
        queries = [self._scorer.seed(row) for row in wanted.seeds]
        return queries if wanted.draft is None else [*queries, self._scorer.draft(wanted.draft)]

    def nearest_queries(self, queries: list[Query], rows: NDArray[np.int32]) -> list[int]:
        """For each row, which query it is most related to."""
        if len(queries) == 1:
            return [0] * len(rows)
        logits = [self._scorer.score(query, rows).logits for query in queries]
        nearest: list[int] = np.argmax(np.stack(logits), axis=0).tolist()
        return nearest

    def _bias(self, wanted: Wanted) -> float:
        """The negatives' bias is subtracted like the rest of their logits."""
        return self._blend.bias * (1.0 - wanted.negative_weight if wanted.negatives else 1.0)

    def _blocks(self, wanted: Wanted) -> Iterator[_Block]:
        """Ever larger parts of the corpus; a row may come again, its work is taken by then."""
        nearest = [self._scorer.stored(row) for row in wanted.seeds]
        joining = wanted.adjustment.candidates if wanted.adjustment else NOTHING
        if wanted.stored:
            first = self._joined(wanted.seeds[0], nearest[0], joining)
            yield self._by_logit(wanted, first.rows, first.contributions)
        queries = self.queries(wanted)
        if not wanted.stored:
            nearest += [self._scorer.rank(draft, NEAREST) for draft in queries[len(nearest) :]]
            yield self._combined(wanted, queries, nearest, joining)
        for depth in DEEPER:
            share = max(depth // len(queries), NEAREST)
            ranked = [self._scorer.rank(query, share) for query in queries]
            yield self._combined(wanted, queries, ranked)
            if all(len(ranking) < share for ranking in ranked):
                break
        yield self._fallback(Source.TEXT, similar_text(self._scorer, queries))
        yield self._fallback(Source.POPULAR, self._scorer.popular())

    def _joined(self, seed: int, ranking: Ranking, joining: NDArray[np.int32]) -> Ranking:
        """A seed's ranking and the papers that join it, which come last."""
        if len(joining) == 0:
            return ranking
        others = joining[~np.isin(joining, ranking.rows)]
        scored = self._scorer.score(self._scorer.seed(seed), others)
        return Ranking(
            np.concatenate([ranking.rows, scored.rows]),
            np.concatenate([ranking.logits, scored.logits]),
            np.concatenate([ranking.contributions, scored.contributions]),
        )

    def _combined(
        self,
        wanted: Wanted,
        queries: list[Query],
        rankings: list[Ranking],
        joining: NDArray[np.int32] = NOTHING,
    ) -> _Block:
        """All that is ranked for one of the queries, or joins, scored against each of them."""
        if len(rankings) == 1 and not wanted.negatives:
            return self._by_logit(wanted, rankings[0].rows, rankings[0].contributions)
        rows = np.union1d(self._pool(rankings), joining)
        contributions = self._mean_contributions(queries, rows)
        if wanted.negatives:
            negatives = [self._scorer.seed(row) for row in wanted.negatives]
            against = self._mean_contributions(negatives, rows)
            contributions -= np.float32(wanted.negative_weight) * against
        return self._by_logit(wanted, rows, contributions)

    def _pool(self, rankings: list[Ranking]) -> NDArray[np.int32]:
        """The rows of all rankings, int32; of too many, those with the largest sum of scores."""
        rows, places = np.unique(
            np.concatenate([ranking.rows for ranking in rankings]), return_inverse=True
        )
        limit = max(POOL, *map(len, rankings))
        if len(rows) > limit:
            scores = logistic(np.concatenate([ranking.logits for ranking in rankings]))
            total = np.bincount(places, scores)
            rows = rows[np.sort(np.argsort(-total, kind="stable")[:limit])]
        return rows

    def _mean_contributions(
        self, queries: list[Query], rows: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        """float32[rows x terms], the mean over the queries."""
        total = np.zeros((len(rows), len(self._blend.term_names)), dtype=np.float32)
        for query in queries:
            total += self._scorer.score(query, rows).contributions
        return total / np.float32(len(queries))

    def _by_logit(
        self, wanted: Wanted, rows: NDArray[np.int32], contributions: NDArray[np.float32]
    ) -> _Block:
        """A block of the model: popularity weighted as asked, best first, of equals the first."""
        if wanted.adjustment is not None:
            contributions = wanted.adjustment.applied(rows, contributions)
        falls = falling(contributions, self._weights(wanted))
        order = falls.argsort(kind="stable")
        return _Block(Source.MODEL, rows[order], order, falls, contributions)

    def _goes_on(self, wanted: Filter, taken: set[int]) -> bool:
        """Whether a popular paper is left to list."""
        popular = self._scorer.popular()
        return len(self._admit(popular, popular.tolist(), wanted, taken, 1)) > 0

    def _fallback(self, source: Source, rows: NDArray[np.int32]) -> _Block:
        nothing = np.empty(0, np.float32)
        return _Block(source, rows, np.empty(0, np.intp), nothing, nothing[:, None])

    def _weights(self, wanted: Wanted) -> NDArray[np.float32]:
        """float32 (terms): what each contribution is multiplied by."""
        weights = self._term_weights(wanted.popularity).weights
        if wanted.adjustment is None:
            return weights
        others = len(wanted.adjustment.terms) - len(weights)
        return np.concatenate([weights, np.ones(others, np.float32)])

    def _weights_of_terms(self, popularity: float) -> _TermWeights:
        weights = self._blend.term_weights(popularity)
        weights.flags.writeable = False  # it is kept
        return _TermWeights(weights, weights.tolist())

    def _admit(
        self,
        rows: NDArray[np.int32],
        listed: list[int],
        wanted: Filter,
        taken: set[int],
        limit: int,
    ) -> list[int]:
        """Places of the first `limit` rows that pass the filter; their works are then taken.

        listed: the same as `rows`.
        """
        kept: list[int] = []
        for place in self.passing.places(rows, wanted):
            work = self._work[listed[place]]
            if work not in taken:
                taken.add(work)
                kept.append(place)
                if len(kept) == limit:
                    break
        return kept

    def _diverse(self, wanted: Wanted, block: _Block, kept: list[int], limit: int) -> list[int]:
        """`kept` in the order of maximal marginal relevance.

        Both sides are the model's own score at this popularity, so they share a scale. Two papers
        are as similar as the stored list of the one says; out of it, they are not.
        """
        rows = block.rows[kept]
        places = np.argsort(rows)
        weights = self._term_weights(wanted.popularity).weights

        def similarity(place: int) -> NDArray[np.float64]:
            ranking = self._scorer.stored(int(rows[place]))
            found = np.searchsorted(rows, ranking.rows, sorter=places) % len(rows)
            at = places[found]
            known = rows[at] == ranking.rows
            result = np.zeros(len(rows))
            logits = self._blend.bias + ranking.contributions[known] @ weights
            result[at[known]] = logistic(logits)
            return result

        relevance = logistic(self._bias(wanted) - block.falling[block.order[kept]])
        order = maximal_marginal_relevance(relevance, similarity, wanted.diversity, limit)
        return [kept[at] for at in order.tolist()]
