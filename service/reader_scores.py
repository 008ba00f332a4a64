"""How well papers suit a reader: the model for readers over the items' present state.

score(paper) = bias + sum of contributions, one for each of `models.readers.SIGNALS`: its weight
times the similarity of the paper to the reader's library, in deviations over all papers. The means
that a standardised similarity has taken away make the bias.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple, TypedDict

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.readers import SIGNALS, ReaderModel, said_of_text
from models.signals import SparseRow
from service.live_items import LiveItems
from service.saved import Change, Saved, Sums

SAMPLE = 2_048
"""How many papers tell the deviation of the text similarity between two scans of all papers."""

MANY = 256
"""Papers of a library from which on its sums are kept, 40 KB: they change by what a new event
changes, and to read a thousand papers anew for it costs a millisecond."""

_LEAST_DEVIATION = 1e-9


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
    sums: of a library of at least `MANY` papers.
    scale: float32 (signals), weight / deviation; a contribution is it times the similarity.
    bias: the same for every paper.
    sampled: float32, the text similarity of the sampled papers; text_mean: over all papers.
    text_ratio: the deviation of the text similarity over all papers / over the sample.
    """

    saved: Saved
    text: SparseRow
    smoothed_text: NDArray[np.float32]
    factors: NDArray[np.float32]
    sums: Sums | None
    scale: NDArray[np.float32]
    bias: float
    sampled: NDArray[np.float32]
    text_mean: float
    text_ratio: float


class _Scaling(TypedDict):
    scale: NDArray[np.float32]
    bias: float


class ReaderScorer:
    """Solves and scores for the readers of one artifact. Thread-safe: nothing in it changes."""

    def __init__(self, model: ReaderModel) -> None:
        self._text = model.text
        self._weights = model.weights
        papers = self._text.shape[0]
        step = max(1, papers // SAMPLE)
        self._sample_by_term = sp.csr_matrix(self._text[::step].T)
        self._mean_text = np.asarray(self._text.mean(axis=0), np.float32).ravel()

    def has_text(self, saved: Saved) -> bool:
        """Whether any paper of a library has."""
        indptr = self._text.indptr
        return bool(np.any(indptr[saved.rows + 1] > indptr[saved.rows]))

    def profile(self, saved: Saved) -> Profile:
        """The text of a library."""
        rows, weights = saved
        part = self._text[rows]
        values = np.repeat(said_of_text(weights), np.diff(part.indptr)) * part.data
        terms = np.bincount(part.indices, values, part.shape[1]).astype(np.float32)
        columns = np.flatnonzero(terms != 0).astype(np.int32)  # of truth values it is quick
        values = terms[columns]
        mean = float(self._mean_text[columns] @ values)
        return Profile(terms, columns, self._with_sample(columns, values), mean)

    def moved_profile(self, before: Taste, change: Change) -> Profile:
        """The same, from the taste of the library before a change."""
        terms, columns = self._dense(before.text), before.text.columns
        sampled, mean = before.sampled, before.text_mean
        for row, weight in zip(change.rows.tolist(), change.text_weights, strict=True):
            part = slice(self._text.indptr[row], self._text.indptr[row + 1])
            touched, values = self._text.indices[part], weight * self._text.data[part]
            terms[touched] += values
            columns = _with(columns, touched)
            sampled = sampled + self._with_sample(touched, values)
            mean += float(self._mean_text[touched] @ values)
        return Profile(terms, columns, sampled, mean)

    def taste(self, profile: Profile, saved: Saved, live: LiveItems) -> Taste:
        """What to score papers with, for a library and its text."""
        return self._of_sums(saved, Sums.over(saved, live), profile, live, text_ratio=1.0)

    def moved_taste(
        self,
        profile: Profile,
        before: Taste,
        saved: Saved,
        live: LiveItems,
        change: Change,
    ) -> Taste:
        """The same, from the taste of the library before a change."""
        sums = before.sums and before.sums.followed(before.saved, saved, change, live)
        # Beyond as many moves, rounding would add up to more than that of summing all papers anew.
        if sums is None or sums.moves > len(saved.rows):
            sums = Sums.over(saved, live)
        return self._of_sums(saved, sums, profile, live, before.text_ratio)

    def _of_sums(
        self, saved: Saved, sums: Sums, profile: Profile, live: LiveItems, text_ratio: float
    ) -> Taste:
        smoothed, factors = sums.smoothed_text, sums.equations.solved(live.factors.gram)
        deviation = _deviation(profile.sampled) * text_ratio
        return Taste(
            saved=saved,
            text=SparseRow(profile.columns, profile.terms[profile.columns]),
            smoothed_text=smoothed,
            factors=factors,
            sums=sums if len(saved.rows) >= MANY else None,
            **self._scaling(profile.mean, deviation, smoothed, factors, live),
            sampled=profile.sampled,
            text_mean=profile.mean,
            text_ratio=text_ratio,
        )

    def scanned(self, taste: Taste, live: LiveItems) -> tuple[Taste, NDArray[np.float32]]:
        """The taste with the exact deviation of its text, and the score of every paper (less the
        bias), float32 (papers)."""
        scores = self._text @ self._dense(taste.text)
        exact, assumed = _deviation(scores), self._text_deviation(taste)
        ratio = taste.text_ratio * exact / assumed if assumed else 1.0
        scaling = self._scaling(taste.text_mean, exact, taste.smoothed_text, taste.factors, live)
        taste = replace(taste, **scaling, text_ratio=ratio)
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

    def _scaling(
        self,
        text_mean: float,
        text_deviation: float,
        smoothed: NDArray[np.float32],
        factors: NDArray[np.float32],
        live: LiveItems,
    ) -> _Scaling:
        moments = [
            (text_mean, text_deviation),
            live.smoothed_text.mean_and_deviation(smoothed),
            live.factors.mean_and_deviation(factors),
        ]
        means = np.array([*(mean for mean, _ in moments), 0.0])
        deviations = np.array([*(deviation for _, deviation in moments), 1.0])
        scale = self._weights / np.maximum(deviations, _LEAST_DEVIATION)
        scale[deviations <= _LEAST_DEVIATION] = 0.0  # the same for every paper: it says nothing
        return {"scale": scale.astype(np.float32), "bias": -float(means @ scale)}

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


def _with(columns: NDArray[np.int32], others: NDArray[np.int32]) -> NDArray[np.int32]:
    """The union of both, rising as both are; `others` are few: a sort would cost much more."""
    if len(columns) == 0:
        return others
    places = columns.searchsorted(others)
    new = columns.take(places, mode="clip") != others
    return np.insert(columns, places[new], others[new]) if new.any() else columns


def _deviation(values: NDArray[np.float32]) -> float:
    """Their standard deviation, summed in double precision; numpy's own takes three times as long
    for a few thousand."""
    centred = values.astype(np.float64)
    centred -= centred.sum() / len(centred)
    return math.sqrt(centred.dot(centred) / len(centred))
