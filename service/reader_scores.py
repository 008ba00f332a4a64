"""How well papers suit a reader: the model for readers over the items' present state.

score(paper) = bias + sum of contributions, one for each of `models.readers.SIGNALS`: its weight
times the similarity of the paper to the reader's library, in deviations over all papers. The means
that a standardised similarity has taken away make the bias.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.readers import SIGNALS, UNWANTED, ReaderModel, solve_reader
from models.signals import SparseRow
from service.live_items import LiveItems

SAMPLE = 2_048
"""How many papers tell the deviation of the text similarity between two scans of all papers."""

_LEAST_DEVIATION = 1e-9


@dataclass(frozen=True, slots=True)
class Taste:
    """A reader's library as the model sees it; the library's papers are rows.

    text, smoothed_text, factors: the query of each signal; `factors` is the exact solve.
    scale: float32 (signals), weight / deviation; a contribution is it times the similarity.
    bias: the same for every paper.
    text_ratio: the deviation of the text similarity over all papers / over the sample.
    """

    text: SparseRow
    smoothed_text: NDArray[np.float32]
    factors: NDArray[np.float32]
    scale: NDArray[np.float32]
    bias: float
    text_ratio: float


class ReaderScorer:
    """Solves and scores for the readers of one artifact. Thread-safe: nothing in it changes."""

    def __init__(self, model: ReaderModel) -> None:
        self._text = model.text
        self._weights = model.weights
        papers = self._text.shape[0]
        step = max(1, papers // SAMPLE)
        self._sample: sp.csr_matrix = self._text[::step]
        self._mean_text = np.asarray(self._text.mean(axis=0), np.float32).ravel()

    def profile(self, library: Mapping[int, float]) -> NDArray[np.float32]:
        """The text of a library, float32 (terms): the sum of its papers' rows, by weight."""
        rows, weights = _arrays(library)
        part = self._text[rows]
        values = np.repeat(_said_of_text(weights), np.diff(part.indptr)) * part.data
        return np.bincount(part.indices, values, part.shape[1]).astype(np.float32)

    def moved_profile(
        self,
        before: Taste,
        was: Mapping[int, float],
        library: Mapping[int, float],
        changed: Iterable[int],
    ) -> NDArray[np.float32]:
        """The same, from the taste of another library; `changed`: the papers that tell the two."""
        profile = self._dense(before.text)
        for row in changed:
            begin, end = self._text.indptr[row], self._text.indptr[row + 1]
            change = np.array([library.get(row, 0.0), was.get(row, 0.0)], np.float32)
            now, then = _said_of_text(change)
            profile[self._text.indices[begin:end]] += (now - then) * self._text.data[begin:end]
        return profile

    def taste(
        self,
        profile: NDArray[np.float32],
        library: Mapping[int, float],
        live: LiveItems,
        text_ratio: float,
    ) -> Taste:
        """What to score papers with, for a library of signed weights by row, and its text.

        text_ratio: of the last `scanned` taste of this reader, or 1.
        """
        rows, weights = _arrays(library)
        smoothed = _said_of_text(weights) @ live.smoothed_text[rows]
        factors = solve_reader(live.factors.gram, live.factors[rows], weights)
        sampled = self._sample @ profile
        deviation = float(sampled.std(dtype=np.float64)) * text_ratio
        return self._taste(profile, smoothed, factors, live, deviation, text_ratio)

    def scanned(self, taste: Taste, live: LiveItems) -> tuple[Taste, NDArray[np.float32]]:
        """The taste with the exact deviation of its text, and the score of every paper (less the
        bias), float32 (papers)."""
        profile = self._dense(taste.text)
        scores = self._text @ profile
        exact, assumed = float(scores.std(dtype=np.float64)), self._text_deviation(taste)
        ratio = taste.text_ratio * exact / assumed if assumed else 1.0
        taste = self._taste(profile, taste.smoothed_text, taste.factors, live, exact, ratio)
        scores *= taste.scale[0]
        scores += live.smoothed_text.products(taste.smoothed_text * taste.scale[1])
        scores += live.factors.products(taste.factors * taste.scale[2])
        scores += live.saves * taste.scale[3]
        return taste, scores

    def contributions(
        self,
        taste: Taste,
        rows: NDArray[np.int32],
        live: LiveItems,
        profile: NDArray[np.float32] | None = None,
    ) -> NDArray[np.float32]:
        """float32, papers x signals, of these papers. profile: the taste's, if it is at hand."""
        found = np.empty((len(rows), len(SIGNALS)), np.float32)
        found[:, 0] = self._text[rows] @ (self._dense(taste.text) if profile is None else profile)
        found[:, 1] = live.smoothed_text[rows] @ taste.smoothed_text
        found[:, 2] = live.factors[rows] @ taste.factors
        found[:, 3] = live.saves[rows]
        found *= taste.scale
        return found

    def similarity(
        self, taste: Taste, rows: NDArray[np.int32], live: LiveItems
    ) -> NDArray[np.float32]:
        """How near papers are to the taste, in deviations over all papers, float32: the mean of the
        similarities by their weights, without how many readers have them."""
        near = self.contributions(taste, rows, live)[:, :-1].sum(axis=1) + np.float32(taste.bias)
        total = float(self._weights[:-1][taste.scale[:-1] > 0].sum())
        return np.asarray(near / (total or 1.0), np.float32)

    def _taste(
        self,
        profile: NDArray[np.float32],
        smoothed: NDArray[np.float32],
        factors: NDArray[np.float32],
        live: LiveItems,
        text_deviation: float,
        text_ratio: float,
    ) -> Taste:
        moments = [
            (float(self._mean_text @ profile), text_deviation),
            live.smoothed_text.mean_and_deviation(smoothed),
            live.factors.mean_and_deviation(factors),
        ]
        means = np.array([*(mean for mean, _ in moments), 0.0])
        deviations = np.array([*(deviation for _, deviation in moments), 1.0])
        scale = self._weights / np.maximum(deviations, _LEAST_DEVIATION)
        scale[deviations <= _LEAST_DEVIATION] = 0.0  # the same for every paper: it says nothing
        bias = -float(means @ scale)
        columns = np.flatnonzero(profile != 0).astype(np.int32)  # of truth values it is quick
        text = SparseRow(columns, profile[columns])
        return Taste(text, smoothed, factors, scale.astype(np.float32), bias, text_ratio)

    def _text_deviation(self, taste: Taste) -> float:
        return float(self._weights[0] / taste.scale[0]) if taste.scale[0] else 0.0

    def _dense(self, text: SparseRow) -> NDArray[np.float32]:
        dense = np.zeros(self._text.shape[1], np.float32)
        dense[text.columns] = text.values
        return dense


def changed_rows(one: Mapping[int, float], other: Mapping[int, float]) -> set[int]:
    """The papers whose weights differ between two libraries."""
    return {row for row, _ in one.items() ^ other.items()}


def _arrays(library: Mapping[int, float]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows, rising, and their weights."""
    rows = np.fromiter(library, np.int32, len(library))
    weights = np.fromiter(library.values(), np.float32, len(library))
    order = np.argsort(rows)
    return rows[order], weights[order]


def _said_of_text(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of a paper's text joins a profile."""
    return np.where(weights < 0, np.float32(UNWANTED) * weights, weights)
