"""Which papers suit a reader, best first. Knows neither gRPC nor Redis.

A full scan scores every paper. It leaves a reader's pool, the best 400, and while the library has
not changed by a third since, later lists are made of the pool and of the neighbours of what is new,
all scored exactly: tests/benchmarks measures how near the first 50 come to those of a scan.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.readers import SIGNALS
from service.filters import Filter, Passing
from service.lists import MAX_SHOWN, Source
from service.live_items import LiveItems
from service.reader_scores import ReaderScorer, Taste
from service.saved import Saved

POOL = 400
"""How many of the best papers of a scan are scored again for later lists."""

CHANGED_SHARE = 0.3
"""By how much of its papers a library may change before all papers are scanned again; so the list
of a reader of three or fewer is always made anew."""

MOVED_SHARE = 0.1
"""Likewise, how many changes of items there may be for each paper of the model."""

MAX_CHANGED = 16
"""How many papers may change between two lists; each brings its neighbours into the pool."""

_NOBODY = 1e-3  # readers by weight, beyond what rounding makes of none


@dataclass(frozen=True)
class Standing:
    """Where a reader stands at one moment.

    works: of the library's papers, all of which count as seen.
    source: `TEXT` if nobody else has what the reader wants, so that the papers themselves tell all,
        their texts and citations; else `MODEL`.
    rows: int32, the pool, best first; `contributions`: float32 (pool x signals), beside it.
    scanned, changes: the size of the library at the last full scan, and `changes` of the items.
    changed: how many papers of the library changed since then, each time counted.
    complete: whether the pool holds every paper.
    """

    works: frozenset[int]
    source: Source
    taste: Taste
    rows: NDArray[np.int32]
    contributions: NDArray[np.float32]
    scanned: int
    changes: int
    changed: int
    complete: bool


class Listed(NamedTuple):
    """A stretch of a reader's list.

    source: of all of them.
    contributions: a number for each signal of each row; with the bias they sum to its score. None
        for `POPULAR`, which has no scores.
    more: whether the list goes on.
    """

    source: Source
    rows: list[int]
    bias: float
    contributions: list[list[float]]
    more: bool

    @property
    def sources(self) -> list[Source]:
        """Of each row."""
        return [self.source] * len(self.rows)

    @property
    def scores(self) -> list[float]:
        """Of the rows that have one: any number, and higher is better."""
        return [self.bias + sum(each) for each in self.contributions]

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the contributions."""
        return SIGNALS


class ReaderLists:
    """Lists for the readers of one artifact. Thread-safe.

    A model that knows nothing of readers makes popular lists alone.
    """

    def __init__(self, artifact: Artifact) -> None:
        self._model = artifact.reader_model
        self._neighbors = artifact.scorer.neighbors.rows
        self._recent = artifact.scorer.popular()
        self._passing = Passing(artifact.papers)
        self._work = artifact.papers.work
        self._popular: tuple[LiveItems | None, NDArray[np.int32]] = None, self._recent

    @cached_property
    def scorer(self) -> ReaderScorer:
        """What scores papers for readers."""
        if self._model is None:
            raise RuntimeError("a model that knows nothing of readers scores nothing")
        return ReaderScorer(self._model)

    def refreshed(
        self, library: Mapping[int, float], live: LiveItems, before: Standing
    ) -> Standing | None:
        """The standing after a small change: the pool before and the neighbours of what is new.

        None if so much has changed that only `scanned` is good enough.
        """
        saved, was = Saved.of(library), before.taste.saved
        change = saved.since(was)
        changed = change.rows
        total = before.changed + len(changed)
        moved = live.changes - before.changes
        if len(changed) > MAX_CHANGED or not (
            before.complete
            or (
                total <= CHANGED_SHARE * before.scanned
                and moved <= MOVED_SHARE * len(self._neighbors)
            )
        ):
            return None
        works = before.works.union(self._works(changed))
        if not saved.holds(changed).all():  # some went
            works = frozenset(self._works(saved.rows))
            if not self.scorer.has_text(saved):
                return None  # rounding would be left of their text, and be all that there is
        profile = self.scorer.moved_profile(before.taste, change)
        taste = self.scorer.moved_taste(profile, before.taste, saved, live, change)
        found = [self._near(row, live) for row in changed.tolist()]
        rows = np.sort(np.concatenate([before.rows, *found]))
        rows = rows[np.diff(rows, prepend=-1) > 0]
        pool = _pool(rows, self.scorer.contributions(taste, rows, live, profile))
        source = _source(saved, live)
        return replace(before, works=works, source=source, taste=taste, changed=total, **pool)

    def scanned(self, library: Mapping[int, float], live: LiveItems) -> Standing:
        """The standing after every paper was scored."""
        saved = Saved.of(library)
        profile = self.scorer.profile(saved)
        taste, scores = self.scorer.scanned(self.scorer.taste(profile, saved, live), live)
        scores[saved.rows] = -np.inf
        rows = _highest(scores, POOL)
        pool = _pool(rows, self.scorer.contributions(taste, rows, live, profile))
        complete = len(scores) <= POOL
        return Standing(
            frozenset(self._works(saved.rows)),
            _source(saved, live),
            taste,
            **pool,
            scanned=len(library),
            changes=live.changes,
            changed=0,
            complete=complete,
        )

    def page(
        self, standing: Standing, wanted: Filter, shown: Collection[int], size: int
    ) -> Listed | None:
        """The best results that were not shown; None if the pool is too small to tell."""
        places, more = self._first(standing.rows, wanted, standing.works, shown, size)
        if not more and not standing.complete and len(shown) + len(places) < MAX_SHOWN:
            return None
        return Listed(
            source=standing.source,
            rows=standing.rows[places].tolist(),
            bias=standing.taste.bias,
            contributions=standing.contributions[places].tolist(),
            more=more,
        )

    def deep_page(
        self,
        standing: Standing,
        live: LiveItems,
        wanted: Filter,
        shown: Collection[int],
        size: int,
    ) -> Listed:
        """Likewise, out of all papers. live: the state that the standing was made with."""
        _, scores = self.scorer.scanned(standing.taste, live)
        everyone = np.arange(len(scores), dtype=np.int32)
        passing = everyone[list(self._passing.places(everyone, wanted))]
        order = passing[np.lexsort((passing, -scores[passing]))]
        places, more = self._first(order, wanted, standing.works, shown, size)
        rows = order[places]
        found = self.scorer.contributions(standing.taste, rows, live)
        bias, source = standing.taste.bias, standing.source
        return Listed(source, rows.tolist(), bias, found.tolist(), more)

    def popular_page(
        self,
        library: Mapping[int, float],
        live: LiveItems | None,
        wanted: Filter,
        shown: Collection[int],
        size: int,
    ) -> Listed:
        """What most readers have, then what was cited lately: for a reader without a wanted paper.

        Papers that the reader hid are left out.
        """
        order = self._by_readers(live)
        works = self._works(Saved.of(library).rows)
        places, more = self._first(order, wanted, works, shown, size)
        return Listed(Source.POPULAR, order[places].tolist(), 0.0, [], more)

    def _near(self, row: int, live: LiveItems) -> NDArray[np.int32]:
        """The row, its stored neighbours, and what its readers read too."""
        stored = self._neighbors[row]
        found = [stored[stored >= 0], np.array([row], np.int32)]
        if row in live.co_read:
            found.append(live.co_read[row].rows)
        return np.concatenate(found)

    def _first(
        self,
        rows: NDArray[np.int32],
        wanted: Filter,
        works: Iterable[int],
        shown: Collection[int],
        size: int,
    ) -> tuple[list[int], bool]:
        """Places of the first rows that may be listed, and whether the list goes on.

        works: of the reader's papers.
        """
        taken = {*works, *self._works([*wanted.excluded, *shown])}
        size = min(size, MAX_SHOWN - len(shown))
        work = self._work[rows].tolist()
        kept: list[int] = []
        for place in self._passing.places(rows, wanted):
            each = work[place]
            if each not in taken:
                if len(kept) == size:
                    return kept, len(shown) + size < MAX_SHOWN
                taken.add(each)
                kept.append(place)
        return kept, False

    def _works(self, rows: NDArray[np.int32] | list[int]) -> list[int]:
        works: list[int] = self._work[np.asarray(rows, np.int32)].tolist()
        return works

    def _by_readers(self, live: LiveItems | None) -> NDArray[np.int32]:
        known, order = self._popular
        if live is not None and known is not live:
            order = self._recent[np.argsort(-live.saves[self._recent], kind="stable")]
            self._popular = live, order
        return order


def _source(saved: Saved, live: LiveItems) -> Source:
    wanted = saved.weights > 0
    readers = np.expm1(live.saves[saved.rows[wanted]])
    alone = bool(np.all(readers - saved.weights[wanted] < _NOBODY))
    return Source.TEXT if alone else Source.MODEL


class _Pool(TypedDict):
    rows: NDArray[np.int32]
    contributions: NDArray[np.float32]


def _pool(rows: NDArray[np.int32], contributions: NDArray[np.float32]) -> _Pool:
    """The best of them (rows rising), best first, of equals the first."""
    scores = contributions.sum(axis=1, dtype=np.float64)
    order = np.argsort(-scores, kind="stable")[:POOL]
    return {"rows": rows[order], "contributions": contributions[order]}


def _highest(scores: NDArray[np.float32], count: int) -> NDArray[np.int32]:
    """Rows of the highest scores above minus infinity, int32, rising."""
    if count < len(scores):
        rows = np.sort(np.argpartition(scores, len(scores) - count)[-count:])
    else:
        rows = np.arange(len(scores))
    return rows[np.isfinite(scores[rows])].astype(np.int32)
