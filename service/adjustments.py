"""What readers change in lists of related papers, between two trainings.

Two papers that readers read together: the `co_readers` term of their pair is computed anew, from
the live similarity, by the blend's own weights if it has the signal, else by DEFAULT_WEIGHT.

One reader, by whose taste a list is ordered: the term `reader` is

    READER_WEIGHT * sign(z) * ln(1 + |z|)

where z is the mean of the reader's standardised similarities to the paper, text, smoothed text and
ALS, by the weights that `rank readers` gives them. Fame among readers is no part of it.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.blend import transformed
from models.live import CO_READ
from models.signals import similarities
from service.lists import Wanted
from service.live_items import CoRead, LiveItems
from service.reader_scores import ReaderScorer, Taste

CO_READERS = "co_readers"
READER = "reader"

DEFAULT_WEIGHT = 4.0
"""Of ln(1 + similarity), in a blend that was fitted without readers: what bibliographic coupling
has in the default blend."""

READER_WEIGHT = 1.0
"""A paper 3 deviations nearer to the reader's taste than others wins 1.4 in the logit, the nearest
ones of a large corpus win about 3: as much as a good text match."""


class CoReadSeed(NamedTuple):
    """A seed of the list whose readers are live, and its share in the mean of the seeds."""

    row: int
    share: float
    co_read: CoRead


class ReaderTaste(NamedTuple):
    """Scores papers for the reader of the list."""

    scorer: ReaderScorer
    taste: Taste
    live: LiveItems

    def contributions(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """The term `reader` of these papers, float32."""
        z = self.scorer.similarity(self.taste, rows, self.live)
        grown = READER_WEIGHT * np.sign(z) * np.log1p(np.abs(z))
        return grown.astype(np.float32)


class Adjustments:
    """An `Adjustment` by live readers, by the reader of the list, or by both."""

    def __init__(
        self, artifact: Artifact, seeds: tuple[CoReadSeed, ...], taste: ReaderTaste | None
    ) -> None:
        self._signal = artifact.scorer.signals.get(CO_READERS)
        self._blend = artifact.blend
        self._seeds = seeds
        self._taste = taste

    @cached_property
    def terms(self) -> tuple[str, ...]:
        """The names of all terms: the model's, then others."""
        names = self._blend.term_names
        if self._seeds and CO_READERS not in names:
            names += (CO_READERS,)
        return (*names, READER) if self._taste else names

    @cached_property
    def candidates(self) -> NDArray[np.int32]:
        """Papers that the readers of a positive seed read too."""
        found = [seed.co_read.rows for seed in self._seeds if seed.share > 0]
        rows = np.unique(np.concatenate(found)) if found else np.zeros(0)
        return rows[~np.isin(rows, [seed.row for seed in self._seeds])].astype(np.int32)

    def applied(
        self, rows: NDArray[np.int32], contributions: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """float32[rows x terms] from the model's own, float32[rows x the model's terms]."""
        adjusted = np.zeros((len(rows), len(self.terms)), np.float32)
        adjusted[:, : contributions.shape[1]] = contributions
        if self._seeds:
            column = self.terms.index(CO_READERS)
            for seed in self._seeds:
                adjusted[:, column] += seed.share * self._change(seed, rows)
        if self._taste:
            adjusted[:, -1] = self._taste.contributions(rows)
        return adjusted

    def _change(self, seed: CoReadSeed, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """What the contribution by one seed becomes, less what it was."""
        trained = np.zeros(len(rows), np.float32)
        if self._signal is not None:
            trained = similarities(self._signal, self._signal.row(seed.row), rows)
        found, similarity = seed.co_read
        # A full list says nothing of the papers that are not in it.
        live = trained.copy() if len(found) >= CO_READ else np.zeros(len(rows), np.float32)
        _, here, there = np.intersect1d(rows, found, assume_unique=True, return_indices=True)
        live[here] = similarity[there]
        return self._contribution(live) - self._contribution(trained)

    def _contribution(self, similarity: NDArray[np.float32]) -> NDArray[np.float32]:
        log, root = transformed(similarity)
        if CO_READERS in self._blend.signals:
            at = self._blend.signals.index(CO_READERS)
            total = self._blend.log[at] * log + self._blend.root[at] * root
        else:
            total = DEFAULT_WEIGHT * log
        return np.asarray(total, np.float32)


def co_read_seeds(wanted: Wanted, live: LiveItems | None) -> Iterator[CoReadSeed]:
    """The seeds whose readers changed since training, positive and negative ones."""
    if live is None or not live.co_read:
        return
    positive = len(wanted.seeds) + (wanted.draft is not None)
    shares = [(row, 1 / positive) for row in wanted.seeds]
    shares += [(row, -wanted.negative_weight / len(wanted.negatives)) for row in wanted.negatives]
    for row, share in shares:
        co_read = live.co_read.get(row)
        if co_read is not None:
            yield CoReadSeed(row, share, co_read)
