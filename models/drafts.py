"""A paper that is not indexed, as a query: its row in every signal, with the frozen vocabulary."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.citations import LEAST_LIKENESS, RARE_VISIT, SELF_WEIGHT
from models.identifiers import canonical
from models.papers import PaperIndex
from models.popularity import new_paper_features
from models.shared_neighbors import ITSELF, NEAREST
from models.signals import (
    DenseSignal,
    Row,
    Signal,
    SparseRow,
    SparseSignal,
    all_similarities,
)
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


NEAR_TEXTS = 20
"""Nearest texts that lend a paper their neighbourhoods."""


@dataclass(frozen=True)
class DraftEncoder:
    """What training froze so that a new paper gets the rows it would have had.

    `idf`: float32 (terms of `vocabulary`). `components`: float32, terms x dimensions.
    `external`: the spellings of works outside the corpus. `reference_weight`: float32 (papers +
    external works), the weights of bibliographic coupling. `authors`: their keys. `texts`: TF-IDF,
    papers x terms; `latent`: float32, papers x dimensions. `steps`: float32 CSR, papers x papers,
    the walk of models.citations. `near`: the signals that list its nearest papers, by name.
    """

    vocabulary: SortedStrings
    idf: NDArray[np.float32]
    components: NDArray[np.float32]
    papers: PaperIndex
    external: SortedStrings
    reference_weight: NDArray[np.float32]
    authors: SortedStrings
    texts: SparseSignal
    latent: NDArray[np.float32]
    steps: sp.csr_matrix
    near: Mapping[str, Signal]
    last_year: int

    def features(self, draft: Draft) -> NDArray[np.float32]:
        """The draft's popularity features, float32 (PAPER_TERMS): nobody cites it yet."""
        return new_paper_features(self.last_year - (draft.year or self.last_year))

    def encode(
        self, draft: Draft, signals: Mapping[str, Signal], paper: int | None = None
    ) -> dict[str, Row]:
        """The draft's row in each signal. Nobody cites or saves it: no row where that is asked.

        `paper`: the row of the same paper where it is indexed after all; it lends nothing.
        """
        text = self.text(draft)
        latent = _unit(self.components[text.columns].T @ text.values)
        cited, references = self._references(draft)
        near = self._nearest(self.texts, text, NEAR_TEXTS, paper)
        known: dict[str, Row] = {
            "text": text,
            "latent": latent,
            "smoothed_text": _unit(SELF_WEIGHT * latent + self.latent[cited].sum(axis=0)),
            "text_neighborhood": self._walks(latent, cited, near),
            "neighborhood": _neighbors(cited),
            "coupling": SparseRow(references, _unit(self.reference_weight[references])),
            "authors": self._authors(draft),
        }
        if "shared_neighbors" in signals:
            known["shared_neighbors"] = self._shared_neighbors(known, paper)
        return {name: known.get(name, _no_row(signal)) for name, signal in signals.items()}

    def _nearest(self, signal: Signal, row: Row, k: int, paper: int | None) -> SparseRow:
        """The k most similar papers among those that have links, each by its share."""
        similarity = all_similarities(signal, row)
        similarity[np.diff(self.steps.indptr) < 2] = 0  # alone in its own neighbourhood
        if paper is not None:
            similarity[paper] = 0
        best = np.lexsort((np.arange(len(similarity)), -similarity))[:k]
        best = np.sort(best[similarity[best] > 0])
        total = similarity[best].sum(dtype=np.float64)
        return SparseRow(
            best.astype(np.int32), (similarity[best] / max(total, 1e-12)).astype(np.float32)
        )

    def _shared_neighbors(self, known: Mapping[str, Row], paper: int | None) -> SparseRow:
        """Its nearest papers by several signals, and itself, which no column stands for."""
        total = np.zeros(self.steps.shape[0], np.float64)
        for name, signal in self.near.items():
            near = self._nearest(signal, known[name], NEAREST, paper)
            total[near.columns] += near.values
        columns = np.flatnonzero(total)
        length = np.sqrt(np.sum(total**2) + ITSELF**2)
        return SparseRow(columns.astype(np.int32), (total[columns] / length).astype(np.float32))

    def _walks(
        self, latent: NDArray[np.float32], cited: NDArray[np.int32], near: SparseRow
    ) -> SparseRow:
        """Its walks from itself (no column stands for it) and from its nearest texts."""
        alike = np.maximum(self.latent[cited] @ latent, LEAST_LIKENESS)
        itself = max(float(latent @ latent), LEAST_LIKENESS)
        total = itself + alike.sum(dtype=np.float64)
        visits = np.zeros(self.steps.shape[1], np.float64)
        visits[cited] += alike / total
        visits += near.values @ self.steps[near.columns]
        length = np.sqrt(np.sum(visits**2) + (itself / total) ** 2)
        columns = np.flatnonzero(visits >= RARE_VISIT * length)
        length = np.sqrt(np.sum(visits[columns] ** 2) + (itself / total) ** 2)
        return SparseRow(columns.astype(np.int32), (visits[columns] / length).astype(np.float32))

    def _authors(self, draft: Draft) -> SparseRow:
        found = sorted({self.authors.find(author_key(name)) for name in draft.authors} - {-1})
        return SparseRow(np.array(found, np.int32), np.ones(len(found), np.float32))

    def text(self, draft: Draft) -> SparseRow:
        """The draft's TF-IDF row."""
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


def _no_row(signal: Signal) -> Row:
    if isinstance(signal, DenseSignal):
        return np.zeros(signal.vectors.shape[1], np.float32)
    return SparseRow(np.zeros(0, np.int32), np.zeros(0, np.float32))


def author_key(name: str) -> str:
    """What two spellings of an author have in common: the letters' case does not matter."""
    return " ".join(name.casefold().split())


def _neighbors(cited: NDArray[np.int32]) -> SparseRow:
    """Its neighbourhood: what it cites, and itself, which no column stands for."""
    length = np.sqrt(np.float32(len(cited) + 1))
    return SparseRow(cited, np.full(len(cited), 1 / length, np.float32))


def _unit(values: NDArray[np.floating]) -> NDArray[np.float32]:
    length = np.sqrt(np.sum(np.square(values, dtype=np.float64)))
    unit: NDArray[np.float32] = (values / max(length, 1e-12)).astype(np.float32)
    return unit
