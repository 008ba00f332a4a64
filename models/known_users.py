"""Whom training knew as users of papers: readers, citation neighbourhoods and terms."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.artifact import Artifact
from models.citations import links
from models.collective import collective_users
from models.libraries import library_sizes, wanted, wanted_count
from models.readers import ReaderModel, co_reader_weight, solve_reader
from models.smoothing import text_weight


@dataclass(frozen=True, slots=True)
class Library:
    """A reader's papers (int32 `rows`, rising) with their signed `weights`, and the reader's
    `vector` of factors (all float32).

    share: what a common reader counts in smoothed text, 1 / size of the library.
    rarity: the reader's weight among co-readers, squared.
    """

    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    vector: NDArray[np.float32]
    share: float
    rarity: float

    @property
    def wanted(self) -> NDArray[np.float32]:
        """The weights, 0 for what is not wanted."""
        return np.maximum(self.weights, np.float32(0))


class KnownUsers:
    """The users that an artifact was trained on; readers among them can be taken out.

    gram: float32, factors x factors, of the vectors of all users, those taken out included.
    changed: int32 (papers), how many of its readers were taken out.
    """

    def __init__(self, artifact: Artifact, model: ReaderModel) -> None:
        self._libraries = artifact.libraries
        self._linked = links(artifact.sparse("citations"))
        users = collective_users(self._libraries, self._linked, model.text)
        self._users_of = sp.csr_matrix(users.T)
        self._vectors = artifact.array("readers.user_factors")
        self._item_factors = model.item_factors
        self._item_gram = self._item_factors.T @ self._item_factors
        self._latent = artifact.array("signals.latent")
        self._text_weight = text_weight(self._linked)
        self._sizes = library_sizes(self._libraries)
        self._out = np.zeros(self._libraries.shape[0], bool)
        self.gram = self._vectors.T @ self._vectors
        self.changed = np.zeros(self._libraries.shape[1], np.int32)

    def norms(self) -> NDArray[np.float64]:
        """float64 (papers): the squared length of each paper's row of `co_readers`, unscaled."""
        rarity = co_reader_weight(self._sizes, len(self.changed))
        liked = wanted(self._libraries).astype(np.float64)
        return wanted_count(sp.csr_matrix(sp.diags_array(rarity**2) @ liked.multiply(liked)))

    def take_out(self, reader: int) -> Library | None:
        """The library of a reader, by place in the artifact, who from now on is none of the users;
        None the second time."""
        if self._out[reader]:
            return None
        library = self.library(reader)
        self._out[reader] = True
        self.changed[library.rows] += 1
        return library

    def library(self, reader: int) -> Library:
        """The library that training knew of a reader, by place in the artifact."""
        part = slice(self._libraries.indptr[reader], self._libraries.indptr[reader + 1])
        rows, weights = self._libraries.indices[part], self._libraries.data[part]
        return self._library(rows, weights, self._vectors[reader])

    def solved(self, weights: Mapping[int, float]) -> Library:
        """Any library, signed weights by row, with its vector solved against the artifact's own
        factors."""
        rows = np.array(sorted(weights), np.int32)
        values = np.array([weights[row] for row in rows.tolist()], np.float32)
        vector = solve_reader(self._item_gram, self._item_factors[rows], values)
        return self._library(rows, values, vector)

    def _library(
        self, rows: NDArray[np.int32], weights: NDArray[np.float32], vector: NDArray[np.float32]
    ) -> Library:
        size = max(float(weights[weights > 0].sum(dtype=np.float64)), 1.0)
        rarity = float(co_reader_weight(np.array(size), len(self.changed))) ** 2
        return Library(rows, weights, vector, 1 / size, rarity)

    def users(self, row: int) -> tuple[NDArray[np.float32], NDArray[np.float32], list[Library]]:
        """Of a paper: the vectors of its users (users x factors), what the paper weighs for each,
        and the libraries of the readers among them."""
        part = slice(self._users_of.indptr[row], self._users_of.indptr[row + 1])
        users, weights = self._users_of.indices[part], self._users_of.data[part]
        readers = len(self._out)
        left = users[users < readers]
        if len(left):
            stays = np.append(self._out, False)[np.minimum(users, readers)] == 0
            users, weights = users[stays], weights[stays]
            left = users[users < readers]
        return self._vectors[users], weights, [self.library(int(each)) for each in left]

    def smoothed_text(
        self, row: int, common: NDArray[np.int32], counts: NDArray[np.float64]
    ) -> NDArray[np.float32]:
        """The row of `models.smoothing.spread_text`, float32, where these papers (rising rows, the
        paper itself among them or not) have common readers that count so much."""
        part = slice(self._linked.indptr[row], self._linked.indptr[row + 1])
        rows = np.concatenate([common, self._linked.indices[part], [row]]).astype(np.int32)
        linked = part.stop - part.start
        weight = np.concatenate([np.where(common == row, 0, counts), np.ones(linked + 1)])
        spread = (weight * self._text_weight[rows]).astype(np.float32) @ self._latent[rows]
        unit: NDArray[np.float32] = spread / max(float(np.linalg.norm(spread)), 1e-12)
        return unit.astype(np.float32)
