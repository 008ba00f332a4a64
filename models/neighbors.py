"""Related papers of an indexed paper or a draft, with the exact reasons."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.blend import Blend
from models.drafts import Draft, DraftEncoder
from models.popularity import most_cited
from models.signals import ROUNDING, Row, Signal, SparseRow, all_similarities, similarities

CANDIDATES_PER_SIGNAL = 200

FAMOUS = 25
"""Most cited papers, and as many recently cited ones, that are candidates of every query."""


@dataclass(frozen=True)
class Ranking:
    """Papers, best first: `rows` int32 (n), `logits` float32 (n), `contributions` float32 (n x
    terms of the blend), with logit = bias + sum of contributions."""

    rows: NDArray[np.int32]
    logits: NDArray[np.float32]
    contributions: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class Query:
    """A paper's row in each signal, its TF-IDF row and its popularity features (float32); `paper`
    is its row in the corpus, -1 for a draft."""

    rows: Mapping[str, Row]
    text: SparseRow
    features: NDArray[np.float32]
    paper: int = -1


@dataclass(frozen=True)
class StoredNeighbors:
    """The lists that training made. `rows` int32, papers x k, -1 where there are fewer;
    `logits` float32, papers x k; `contributions` float32, papers x k x terms."""

    rows: NDArray[np.int32]
    logits: NDArray[np.float32]
    contributions: NDArray[np.float32]

    def length(self, row: int) -> int:
        """Of a paper's list."""
        width: int = self.rows.shape[1]
        if width and self._rows[(row + 1) * width - 1] >= 0:
            return width
        return int(np.count_nonzero(self.rows[row] >= 0))

    def listed(self, row: int) -> list[int]:
        """The rows of a paper's list."""
        begin = row * self.rows.shape[1]
        return self._rows[begin : begin + self.length(row)].tolist()

    def contributed(self, row: int, place: int) -> list[float]:
        """The contributions to one result of a paper's list."""
        _, width, terms = self.contributions.shape
        begin = (row * width + place) * terms
        return list(self._contributions[begin : begin + terms])

    # Views of the same memory: a few items cost numpy three times as much.

    @cached_property
    def _rows(self) -> memoryview:
        return self.rows.reshape(-1).data

    @cached_property
    def _contributions(self) -> "memoryview[float]":
        return cast("memoryview[float]", self.contributions.reshape(-1).data)


@dataclass(frozen=True)
class Scorer:
    """Answers from an artifact's signals. Thread-safe: nothing in it changes.

    `features`: float32, papers x popularity terms. `citations`: CSR, papers x papers, row cites
    column; `cited_by`: its transpose. `recent_popular`: int32, best first.
    """

    signals: Mapping[str, Signal]
    blend: Blend
    features: NDArray[np.float32]
    encoder: DraftEncoder
    neighbors: StoredNeighbors
    citations: sp.csr_matrix
    cited_by: sp.csr_matrix
    undirected: bool
    year: NDArray[np.int16]
    recent_popular: NDArray[np.int32]

    def stored(self, row: int) -> Ranking:
        """The list that training made for a paper, without any computation."""
        count = self.neighbors.length(row)
        return Ranking(
            self.neighbors.rows[row, :count],
            self.neighbors.logits[row, :count],
            self.neighbors.contributions[row, :count],
        )

    def seed(self, row: int) -> Query:
        """An indexed paper as a query."""
        rows = {name: signal.row(row) for name, signal in self.signals.items()}
        return Query(rows, self.encoder.texts.row(row), self.features[row], row)

    def draft(self, draft: Draft, paper: int | None = None) -> Query:
        """An unindexed paper as a query. `paper`: the row of the same paper, where it is indexed
        after all; it is then no candidate."""
        rows = self.encoder.encode(draft, self.signals, paper)
        row = -1 if paper is None else paper
        return Query(rows, self.encoder.text(draft), self.encoder.features(draft), row)

    def candidates(self, query: Query, width: int = CANDIDATES_PER_SIGNAL) -> NDArray[np.int32]:
        """The union of each signal's `width` most similar papers and the most cited ones, int32,
        rising rows; the query is not among them."""
        found = [np.zeros(0, np.int32)]
        for name, signal in self.signals.items():
            products = all_similarities(signal, query.rows[name])
            famous = self._famous[products[self._famous] > ROUNDING]
            found += [_most_similar(products, width), famous]
        rows = np.unique(np.concatenate(found))
        others: NDArray[np.int32] = rows[rows != query.paper]
        return others

    @cached_property
    def _famous(self) -> NDArray[np.int32]:
        return most_cited(self.features, FAMOUS)

    def score(self, query: Query, rows: NDArray[np.int32]) -> Ranking:
        """Exact logits and contributions of these papers, in the order given."""
        products = np.empty((len(rows), len(self.signals)), np.float32)
        for column, (name, signal) in enumerate(self.signals.items()):
            products[:, column] = similarities(signal, query.rows[name], rows)
        contributions = self.blend.contributions(products, self.features[rows], query.features)
        return Ranking(rows, self.blend.logits(contributions), contributions)

    def rank(self, query: Query, depth: int) -> Ranking:
        """The best papers of the whole corpus for a query, at most `depth`."""
        scored = self.score(query, self.candidates(query, max(depth, CANDIDATES_PER_SIGNAL)))
        best = np.lexsort((scored.rows, -scored.logits))[:depth]
        return Ranking(scored.rows[best], scored.logits[best], scored.contributions[best])

    def popular(self) -> NDArray[np.int32]:
        """Recent papers by their citations: the last fallback."""
        return self.recent_popular

    def shared_terms(self, query: Query, row: int, limit: int) -> list[tuple[str, float]]:
        """The terms that both papers hold, each with its part of their TF-IDF cosine, largest
        first; the parts of all shared terms sum to the cosine."""
        wanted, other = query.text, self.encoder.texts.row(row)
        columns, mine, theirs = np.intersect1d(
            wanted.columns, other.columns, assume_unique=True, return_indices=True
        )
        parts = wanted.values[mine] * other.values[theirs]
        best = np.lexsort((columns, -parts))[:limit]
        return [(self.encoder.vocabulary[columns[at]], float(parts[at])) for at in best]

    def co_citing(self, one: int, other: int, limit: int) -> list[int]:
        """Papers that cite both, the most recent first; none in an undirected corpus."""
        if self.undirected:
            return []
        both = np.intersect1d(_row(self.cited_by, one), _row(self.cited_by, other), True)
        order = np.lexsort((both, -self.year[both].astype(np.int32)))[:limit]
        return [int(row) for row in both[order]]


def _row(matrix: sp.csr_matrix, row: int) -> NDArray[np.int32]:
    indices: NDArray[np.int32] = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
    return indices


def _most_similar(products: NDArray[np.float32], width: int) -> NDArray[np.int32]:
    positive = np.flatnonzero(products > ROUNDING)
    if len(positive) > width:
        cut = np.argpartition(-products[positive], width - 1)[:width]
        positive = positive[cut]
    return positive.astype(np.int32)
