"""A paper that is not indexed, as a query: its row in every signal, with the frozen vocabulary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.identifiers import canonical
from models.papers import PaperIndex
from models.popularity import new_paper_features
from models.signals import DenseSignal, Row, Signal, SparseRow
from models.strings import SortedStrings
from models.text import terms


@dataclass(frozen=True)
class Draft:
    """What its author knows of a paper. `references`: ids in any spelling, known or not.

    `year` None stands for the model's last year.
    """

    title: str = ""
    abstract: str = ""
    keywords: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    year: int | None = None


NO_ROW = SparseRow(np.zeros(0, np.int32), np.zeros(0, np.float32))


@dataclass(frozen=True)
class DraftEncoder:
    """What training froze so that a new paper gets the rows it would have had.

    `idf`: float32 (terms of `vocabulary`). `components`: float32, terms x dimensions.
    `external`: the spellings of works outside the corpus. `reference_weight`: float32 (papers +
    external works), the weights of bibliographic coupling.
    """

    vocabulary: SortedStrings
    idf: NDArray[np.float32]
    components: NDArray[np.float32]
    papers: PaperIndex
    external: SortedStrings
    reference_weight: NDArray[np.float32]
    last_year: int

    def features(self, draft: Draft) -> NDArray[np.float32]:
        """The draft's popularity features, float32 (PAPER_TERMS): nobody cites it yet."""
        return new_paper_features(self.last_year - (draft.year or self.last_year))

    def encode(self, draft: Draft, signals: Mapping[str, Signal]) -> dict[str, Row]:
        """The draft's row in each signal. Nothing cites or saves it: no row where that is asked."""
        text = self._text(draft)
        latent = _unit(self.components[text.columns].T @ text.values)
        cited, references = self._references(draft)
        smoothed = latent
        if isinstance(latent_of := signals.get("latent"), DenseSignal) and len(cited):
            smoothed = _unit(latent + latent_of.vectors[cited].sum(axis=0))
        known: dict[str, Row] = {
            "text": text,
            "latent": latent,
            "smoothed_text": smoothed,
            "coupling": self._weighted(references),
            "neighborhood": _neighbors(cited),
        }
        return {
            name: known.get(
                name,
                np.zeros(signal.vectors.shape[1], np.float32)
                if isinstance(signal, DenseSignal)
                else NO_ROW,
            )
            for name, signal in signals.items()
        }

    def _text(self, draft: Draft) -> SparseRow:
        counts = Counter(terms(draft.title, draft.abstract, draft.keywords))
        found = sorted(
            (column, count)
            for term, count in counts.items()
            if (column := self.vocabulary.find(term)) >= 0
        )
        columns = np.array([column for column, _ in found], np.int32)
        frequency = np.array([count for _, count in found], np.float64)
        return SparseRow(columns, _unit((1 + np.log(frequency)) * self.idf[columns]))

    def _references(self, draft: Draft) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Rows of the cited papers, and columns of all known references; both rising."""
        cited, outside = set(), set()
        for reference in draft.references:
            if (row := self.papers.row(reference)) is not None:
                cited.add(row)
            elif (at := self.external.find(canonical(reference))) >= 0:
                outside.add(at)
        papers = len(self.reference_weight) - len(self.external)
        columns = sorted(cited) + [papers + at for at in sorted(outside)]
        return np.array(sorted(cited), np.int32), np.array(columns, np.int32)

    def _weighted(self, columns: NDArray[np.int32]) -> SparseRow:
        return SparseRow(columns, _unit(self.reference_weight[columns]))


def _neighbors(cited: NDArray[np.int32]) -> SparseRow:
    """Its neighbourhood: what it cites, and itself, which no column stands for."""
    length = np.sqrt(np.float32(len(cited) + 1))
    return SparseRow(cited, np.full(len(cited), 1 / length, np.float32))


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.sqrt(np.sum(np.square(values, dtype=np.float64)))
    unit: NDArray[np.float32] = (values / max(length, 1e-12)).astype(np.float32)
    return unit
