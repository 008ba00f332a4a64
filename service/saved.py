"""A reader's library as arrays: what it holds, what changed in it, and sums over its papers."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.readers import NormalEquations, said_of_text
from service.live_items import LiveItems, RowsThen


class Saved(NamedTuple):
    """A library as arrays: `rows` int32, rising; `weights` float32, signed."""

    rows: NDArray[np.int32]
    weights: NDArray[np.float32]

    @classmethod
    def of(cls, library: Mapping[int, float]) -> "Saved":
        """A library of weights by row."""
        rows = np.fromiter(library, np.int32, len(library))
        weights = np.fromiter(library.values(), np.float32, len(library))
        order = np.argsort(rows)
        return cls(rows[order], weights[order])

    def holds(self, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Which of these papers are in the library."""
        found: NDArray[np.bool_] = np.append(self.rows, -1)[self.rows.searchsorted(rows)] == rows
        return found

    def since(self, before: "Saved") -> "Change":
        """What changed from another library to this one."""
        at = before.rows.searchsorted(self.rows)
        held = np.append(before.rows, -1)[at] == self.rows
        then = np.where(held, np.append(before.weights, np.float32(0))[at], np.float32(0))
        other = ~held | (then != self.weights)
        change = Change(self.rows[other], then[other], self.weights[other])
        if np.count_nonzero(held) == len(before.rows):
            return change
        gone = ~self.holds(before.rows)
        return change.and_gone(before.rows[gone], before.weights[gone])


class Change(NamedTuple):
    """Papers that came, went or changed between two libraries: `rows` int32, each once; `then` and
    `now` their weights, float32, 0 where they are outside."""

    rows: NDArray[np.int32]
    then: NDArray[np.float32]
    now: NDArray[np.float32]

    @property
    def text_weights(self) -> NDArray[np.float32]:
        """How much more of each paper's text joins a profile."""
        return np.subtract(said_of_text(self.now), said_of_text(self.then))

    def and_gone(self, rows: NDArray[np.int32], then: NDArray[np.float32]) -> "Change":
        """With papers that went."""
        return Change(
            np.append(self.rows, rows),
            np.append(self.then, then),
            np.append(self.now, np.zeros_like(then)),
        )


class Sums(NamedTuple):
    """Sums over the papers of a library, of which the queries of two signals are made.

    smoothed_text: float32. equations: of the factors.
    texts, factors: the vectors that were summed.
    moves: how often papers' weights or vectors changed since all were summed.
    """

    smoothed_text: NDArray[np.float32]
    equations: NormalEquations
    texts: RowsThen
    factors: RowsThen
    moves: int = 0

    @classmethod
    def over(cls, saved: Saved, live: LiveItems) -> "Sums":
        """Of a library."""
        rows, weights = saved
        smoothed = said_of_text(weights) @ live.smoothed_text[rows]
        equations = NormalEquations.of(live.factors[rows], weights)
        return cls(smoothed, equations, live.smoothed_text.at(rows), live.factors.at(rows))

    def followed(self, was: Saved, saved: Saved, change: Change, live: LiveItems) -> "Sums":
        """Of a library after a change, by the papers' present state; `was`: before."""
        moved = self.factors.moved(live.factors)
        sums = self
        if moved.any():  # out with the old vectors, in with the new
            rows, weights = was.rows[moved], was.weights[moved]
            nothing = np.zeros_like(weights)
            out, back = Change(rows, weights, nothing), Change(rows, nothing, weights)
            texts, factors = (each.only(moved).vectors() for each in (self.texts, self.factors))
            sums = sums.with_change(out, texts, factors)
            sums = sums.with_change(back, live.smoothed_text[rows], live.factors[rows])
        sums = sums.with_change(change, live.smoothed_text[change.rows], live.factors[change.rows])
        return sums._replace(
            texts=live.smoothed_text.at(saved.rows), factors=live.factors.at(saved.rows)
        )

    def with_change(
        self, change: Change, texts: NDArray[np.float32], factors: NDArray[np.float32]
    ) -> "Sums":
        """After a change of papers with these vectors."""
        return self._replace(
            smoothed_text=self.smoothed_text + change.text_weights @ texts,
            equations=self.equations.reweighted(factors, change.then, change.now),
            moves=self.moves + len(change.rows),
        )
