"""How well papers suit a reader: the model for readers over the items' present state.

score(paper) = bias + sum of contributions, one for each of `models.readers.SIGNALS`: its weight
times the similarity of the paper to the reader's library, in deviations over all papers. The means
that a standardised similarity has taken away make the bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.readers import UNWANTED, ReaderModel, solve_reader
from models.signals import SparseRow
from service.live_items import LiveItems

SAMPLE = 4_096
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

    @property
    def content_alone(self) -> bool:
        """Whether the factors know none of the reader's papers."""
        return not self.factors.any()


class ReaderScorer:
    """Solves and scores for the readers of one artifact. Thread-safe: nothing in it changes."""

    def __init__(self, model: ReaderModel) -> None:
        self._text = model.text
        self._weights = model.weights
        papers = self._text.shape[0]
        step = max(1, papers // SAMPLE)
        self._sample: sp.csr_matrix = self._text[::step]
        self._mean_text = np.asarray(self._text.mean(axis=0), np.float32).ravel()

    def taste(self, library: Mapping[int, float], live: LiveItems, text_ratio: float) -> Taste:
        """What to score papers with, for a library of signed weights by row.

        text_ratio: of the last `scanned` taste of this reader, or 1.
        """
        rows = np.fromiter(library, np.int32, len(library))
        weights = np.fromiter(library.values(), np.float32, len(library))
        order = np.argsort(rows)
        rows, weights = rows[order], weights[order]
        profile = np.where(weights < 0, np.float32(UNWANTED), np.float32(1)) * weights
        text = self._profile(rows, profile)
        smoothed = profile @ live.smoothed_text[rows]
        factors = solve_reader(live.factors.gram, live.factors[rows], weights)
        sampled = self._sample @ self._dense(text)
        deviation = float(sampled.std(dtype=np.float64)) * text_ratio
        return self._taste(text, smoothed, factors, live, deviation, text_ratio)

    def scanned(self, taste: Taste, live: LiveItems) -> tuple[Taste, NDArray[np.float32]]:
        """The taste with the exact deviation of its text, and the score of every paper (less the
        bias), float32 (papers)."""
        text = self._text @ self._dense(taste.text)
        exact = float(text.std(dtype=np.float64))
        ratio = exact * taste.text_ratio / max(self._text_deviation(taste), _LEAST_DEVIATION)
        taste = self._taste(
            taste.text, taste.smoothed_text, taste.factors, live, exact, ratio or 1.0
        )
        text *= taste.scale[0]
        text += live.smoothed_text.products(taste.smoothed_text * taste.scale[1])
        text += live.factors.products(taste.factors * taste.scale[2])
        text += live.saves * taste.scale[3]
        return taste, text

    def contributions(
        self, taste: Taste, rows: NDArray[np.int32], live: LiveItems
    ) -> NDArray[np.float32]:
        """float32, papers x signals, of these papers."""
        found = np.empty((len(rows), 4), np.float32)
        found[:, 0] = self._text[rows] @ self._dense(taste.text)
        found[:, 1] = live.smoothed_text[rows] @ taste.smoothed_text
        found[:, 2] = live.factors[rows] @ taste.factors
        found[:, 3] = live.saves[rows]
        found *= taste.scale
        return found

    def _taste(
        self,
        text: SparseRow,
        smoothed: NDArray[np.float32],
        factors: NDArray[np.float32],
        live: LiveItems,
        text_deviation: float,
        text_ratio: float,
    ) -> Taste:
        moments = [
            (float(self._mean_text[text.columns] @ text.values), text_deviation),
            live.smoothed_text.mean_and_deviation(smoothed),
            live.factors.mean_and_deviation(factors),
        ]
        means = np.array([*(mean for mean, _ in moments), 0.0])
        deviations = np.array([*(deviation for _, deviation in moments), 1.0])
        scale = self._weights / np.maximum(deviations, _LEAST_DEVIATION)
        scale[deviations <= _LEAST_DEVIATION] = 0.0  # the same for every paper: it says nothing
        bias = -float(means @ scale)
        return Taste(text, smoothed, factors, scale.astype(np.float32), bias, text_ratio)

    def _text_deviation(self, taste: Taste) -> float:
        return float(self._weights[0] / taste.scale[0]) if taste.scale[0] else 0.0

    def _profile(self, rows: NDArray[np.int32], weights: NDArray[np.float32]) -> SparseRow:
        """The weighted sum of the papers' texts."""
        part = self._text[rows]
        values = np.repeat(weights, np.diff(part.indptr)) * part.data
        summed = np.bincount(part.indices, values, part.shape[1])
        columns = np.flatnonzero(summed)
        return SparseRow(columns.astype(np.int32), summed[columns].astype(np.float32))

    def _dense(self, text: SparseRow) -> NDArray[np.float32]:
        dense = np.zeros(self._text.shape[1], np.float32)
        dense[text.columns] = text.values
        return dense
