"""How well papers suit a reader: the model for readers over the items' present state.

score(paper) = bias + sum of contributions, one for each of `models.readers.SIGNALS`: its weight
times the similarity of the paper to the reader's library, in deviations over all papers. The means
that a standardised similarity has taken away make the bias.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.readers import SIGNALS, UNWANTED, ReaderModel, solve_reader
from models.signals import SparseRow
from service.live_items import LiveItems

SAMPLE = 2_048
"""How many papers tell the deviation of the text similarity between two scans of all papers."""

_LEAST_DEVIATION = 1e-9


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


class Profile(NamedTuple):
    """The text of a library: the sum of its papers' rows, by weight.

    terms: float32 (terms). columns: int32, rising, where they may differ from 0.
    sampled: float32, its similarity with each sampled paper; mean: over all papers.
    """

    terms: NDArray[np.float32]
    columns: NDArray[np.int32]
    sampled: NDArray[np.float32]
    mean: float


@dataclass(frozen=True, slots=True)
class Taste:
    """A reader's library as the model sees it.

    text, smoothed_text, factors: the query of each signal; `factors` is the exact solve.
    scale: float32 (signals), weight / deviation; a contribution is it times the similarity.
    bias: the same for every paper.
    sampled: float32, the text similarity of the sampled papers; text_mean: over all papers.
    text_ratio: the deviation of the text similarity over all papers / over the sample.
    """

    saved: Saved
    text: SparseRow
    smoothed_text: NDArray[np.float32]
    factors: NDArray[np.float32]
    scale: NDArray[np.float32]
    bias: float
    sampled: NDArray[np.float32]
    text_mean: float
    text_ratio: float


class ReaderScorer:
    """Solves and scores for the readers of one artifact. Thread-safe: nothing in it changes."""

    def __init__(self, model: ReaderModel) -> None:
        self._text = model.text
        self._weights = model.weights
        papers = self._text.shape[0]
        step = max(1, papers // SAMPLE)
        self._sample_by_term = sp.csr_matrix(self._text[::step].T)
        self._mean_text = np.asarray(self._text.mean(axis=0), np.float32).ravel()

    def profile(self, library: Mapping[int, float]) -> Profile:
        """The text of a library."""
        rows, weights = Saved.of(library)
        part = self._text[rows]
        values = np.repeat(_said_of_text(weights), np.diff(part.indptr)) * part.data
        terms = np.bincount(part.indices, values, part.shape[1]).astype(np.float32)
        columns = np.flatnonzero(terms != 0).astype(np.int32)  # of truth values it is quick
        values = terms[columns]
        mean = float(self._mean_text[columns] @ values)
        return Profile(terms, columns, self._with_sample(columns, values), mean)

    def moved_profile(
        self,
        before: Taste,
        was: Mapping[int, float],
        library: Mapping[int, float],
        changed: Iterable[int],
    ) -> Profile:
        """The same, from the taste of another library; `changed`: the papers that tell the two."""
        terms, columns = self._dense(before.text), before.text.columns
        sampled, mean = before.sampled, before.text_mean
        for row in changed:
            part = slice(self._text.indptr[row], self._text.indptr[row + 1])
            both = np.array([library.get(row, 0.0), was.get(row, 0.0)], np.float32)
            now, then = _said_of_text(both)
            touched, change = self._text.indices[part], (now - then) * self._text.data[part]
            terms[touched] += change
            columns = _with(columns, touched)
            sampled = sampled + self._with_sample(touched, change)
            mean += float(self._mean_text[touched] @ change)
        return Profile(terms, columns, sampled, mean)

    def taste(
        self,
        profile: Profile,
        library: Mapping[int, float],
        live: LiveItems,
        text_ratio: float,
    ) -> Taste:
        """What to score papers with, for a library of signed weights by row, and its text.

        text_ratio: of the last `scanned` taste of this reader, or 1.
        """
        saved = rows, weights = Saved.of(library)
        smoothed = _said_of_text(weights) @ live.smoothed_text[rows]
        factors = solve_reader(live.factors.gram, live.factors[rows], weights)
        deviation = float(profile.sampled.std(dtype=np.float64)) * text_ratio
        return self._taste(saved, profile, smoothed, factors, live, deviation, text_ratio)

    def scanned(self, taste: Taste, live: LiveItems) -> tuple[Taste, NDArray[np.float32]]:
        """The taste with the exact deviation of its text, and the score of every paper (less the
        bias), float32 (papers)."""
        text = taste.text
        profile = Profile(self._dense(text), text.columns, taste.sampled, taste.text_mean)
        scores = self._text @ profile.terms
        exact, assumed = float(scores.std(dtype=np.float64)), self._text_deviation(taste)
        ratio = taste.text_ratio * exact / assumed if assumed else 1.0
        smoothed, factors = taste.smoothed_text, taste.factors
        taste = self._taste(taste.saved, profile, smoothed, factors, live, exact, ratio)
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
        profile: Profile | None = None,
    ) -> NDArray[np.float32]:
        """float32, papers x signals, of these papers. profile: the taste's, if it is at hand."""
        found = np.empty((len(rows), len(SIGNALS)), np.float32)
        terms = self._dense(taste.text) if profile is None else profile.terms
        found[:, 0] = self._text[rows] @ terms
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
        saved: Saved,
        profile: Profile,
        smoothed: NDArray[np.float32],
        factors: NDArray[np.float32],
        live: LiveItems,
        text_deviation: float,
        text_ratio: float,
    ) -> Taste:
        moments = [
            (profile.mean, text_deviation),
            live.smoothed_text.mean_and_deviation(smoothed),
            live.factors.mean_and_deviation(factors),
        ]
        means = np.array([*(mean for mean, _ in moments), 0.0])
        deviations = np.array([*(deviation for _, deviation in moments), 1.0])
        scale = self._weights / np.maximum(deviations, _LEAST_DEVIATION)
        scale[deviations <= _LEAST_DEVIATION] = 0.0  # the same for every paper: it says nothing
        bias = -float(means @ scale)
        text = SparseRow(profile.columns, profile.terms[profile.columns])
        scale = scale.astype(np.float32)
        sampled, mean = profile.sampled, profile.mean
        return Taste(saved, text, smoothed, factors, scale, bias, sampled, mean, text_ratio)

    def _text_deviation(self, taste: Taste) -> float:
        return float(self._weights[0] / taste.scale[0]) if taste.scale[0] else 0.0

    def _with_sample(
        self, terms: NDArray[np.int32], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The inner product of a text with that of each sampled paper, float32."""
        postings = self._sample_by_term
        begin = postings.indptr[terms]
        length = postings.indptr[terms + 1] - begin
        ends = np.cumsum(length)
        at = np.arange(length.sum()) + np.repeat(begin - ends + length, length)
        products = np.repeat(values, length) * postings.data[at]
        return np.bincount(postings.indices[at], products, postings.shape[1]).astype(np.float32)

    def _dense(self, text: SparseRow) -> NDArray[np.float32]:
        dense = np.zeros(self._text.shape[1], np.float32)
        dense[text.columns] = text.values
        return dense


def changed_rows(one: Mapping[int, float], other: Mapping[int, float]) -> set[int]:
    """The papers whose weights differ between two libraries."""
    return {row for row, weight in other.items() if one.get(row) != weight} | (
        one.keys() - other.keys()
    )


def _with(columns: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.int32]:
    """The union of both, rising as both are; `others` are few: a sort would cost much more."""
    places = np.searchsorted(columns, others)
    new = np.append(columns, -1)[places] != others
    return np.insert(columns, places[new], others[new])


def _said_of_text(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of a paper's text joins a profile."""
    return np.where(weights < 0, np.float32(UNWANTED) * weights, weights)
