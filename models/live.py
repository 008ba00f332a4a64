"""What live readers change in a model's papers: deltas that serving lays over the artifact.

The delta of a paper is a pure function of the artifact and of the live libraries:

- Its factors are the exact ALS solve (equation 4 of Hu, Koren and Volinsky 2008, users and papers
  exchanged) over all its users: live readers, and whom training knew, i.e. readers, citation
  neighbourhoods and terms. Users' vectors are solved against the artifact's own factors, and the
  Gram matrix is that of the users whom training knew. So nothing that the artifact knew is
  forgotten, and readers who do not have the paper do not move its factors.
- Its smoothed text is the row that `models.smoothing` gives for all readers together.
- Its co-read papers are those of the greatest cosine as `models.readers.co_readers` defines it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.known_users import KnownUsers, Library
from models.readers import solve_reader

CO_READ = 50
"""Co-read papers that are kept of each paper."""

CoRead = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Rows of papers and their cosines, best first."""


@dataclass(frozen=True)
class ItemDeltas:
    """What live readers make of papers, n of them.

    changed: bool (n), whether a live reader has the paper, or one whom training knew had it and is
    live or deleted by now; everywhere else the artifact's own rows hold.
    item_factors: float32, n x factors. smoothed_text: float32, n x dimensions.
    readers: float32 (n), the summed weights of those who want the paper.
    co_read: for each paper at most CO_READ others that its readers want too.
    """

    changed: NDArray[np.bool_]
    item_factors: NDArray[np.float32]
    smoothed_text: NDArray[np.float32]
    readers: NDArray[np.float32]
    co_read: list[CoRead]


class LiveReaders:
    """The libraries of live readers over one artifact. Not thread-safe.

    A live library stands in place of the one that training knew of that reader, so it holds all of
    it that is still true. `deleted` tells which of the artifact's readers count as never known.
    """

    def __init__(
        self, artifact: Artifact, deleted: Callable[[str], bool] = lambda _: False
    ) -> None:
        """Raises ValueError for a model that knows neither texts nor links nor readers."""
        model = artifact.reader_model
        if model is None:
            raise ValueError(f"{artifact.folder}: nothing in it tells papers apart for readers")
        self._factors, self._dimensions = model.item_factors.shape[1], model.smoothed_text.shape[1]
        self._known = KnownUsers(artifact, model)
        self._norms = self._known.norms()
        self._trained = artifact.readers
        self._live: dict[str, Library] = {}
        self._readers_of: dict[int, set[str]] = {}
        self._touched: set[int] = set()
        self._unsettled: set[int] = set()
        for at in range(len(self._trained)):
            if deleted(self._trained[at]):
                self.replace(self._trained[at], {})

    def replace(self, reader: str, library: Mapping[int, float]) -> None:
        """Set a reader's library: signed weights by row; empty for a reader who is gone."""
        at = self._trained.find(reader)
        trained = self._known.take_out(at) if at >= 0 else None
        before, after = self._live.pop(reader, None), self._known.solved(library)
        for each in filter(None, (trained, before)):
            self._count(each, -1)
        self._count(after, 1)
        for row in [] if before is None else before.rows.tolist():
            self._readers_of[row].discard(reader)
        for row in after.rows.tolist():
            self._readers_of.setdefault(row, set()).add(reader)
        if len(after.rows):
            self._live[reader] = after

    def _count(self, library: Library, sign: int) -> None:
        self._touched.update(library.rows.tolist())
        self._norms[library.rows] += sign * library.rarity * library.wanted.astype(np.float64) ** 2

    def touched(self) -> NDArray[np.int32]:
        """The papers, rising, that are or were in the libraries replaced since the last call."""
        rows, self._touched = self._touched, set()
        self._unsettled |= rows
        return np.array(sorted(rows), np.int32)

    def indirect(self) -> NDArray[np.int32]:
        """The papers, rising, whose deltas may have changed since the last call: those that have
        common readers with a touched one. Of most the cosines alone moved, and little. The touched
        ones are among them: what was computed of one is older than what touched the next.
        """
        changed, self._unsettled = self._unsettled, set()
        partners = {
            row
            for paper in changed
            for library in self._libraries(paper)
            for row in library.rows.tolist()
        }
        return np.array(sorted(row for row in partners if self._is_changed(row)), np.int32)

    def deltas(self, rows: NDArray[np.int32]) -> ItemDeltas:
        """The deltas of these papers, in the order given."""
        count = len(rows)
        found = ItemDeltas(
            changed=np.array([self._is_changed(int(row)) for row in rows], bool),
            item_factors=np.zeros((count, self._factors), np.float32),
            smoothed_text=np.zeros((count, self._dimensions), np.float32),
            readers=np.zeros(count, np.float32),
            co_read=[],
        )
        for place, row in enumerate(rows.tolist()):
            vectors, weights, trained = self._known.users(row)
            live = self._live_libraries(row)
            mine = [_weight(each, row) for each in live]
            found.item_factors[place] = solve_reader(
                self._known.gram,
                np.vstack([vectors, *(each.vector for each in live)]),
                np.concatenate([weights, np.array(mine, np.float32)]),
            )
            common = _Common(row, [*trained, *live])
            found.readers[place] = common.readers
            found.smoothed_text[place] = self._known.smoothed_text(row, common.rows, common.shares)
            found.co_read.append(common.most_similar(self._norms))
        return found

    def _is_changed(self, row: int) -> bool:
        return bool(self._readers_of.get(row)) or bool(self._known.changed[row])

    def _live_libraries(self, row: int) -> list[Library]:
        # In the order of their ids: sums do not depend on the order of events.
        return [self._live[reader] for reader in sorted(self._readers_of.get(row, ()))]

    def _libraries(self, row: int) -> list[Library]:
        return [*self._known.users(row)[2], *self._live_libraries(row)]


NONE = np.zeros(0, np.float64)


class _Common:
    """What the readers of a paper want beside it.

    rows: int32, rising, the paper itself among them. shares, products: float64, what each counts as
    common text and as co-read. readers: the summed weights of those who want the paper.
    """

    def __init__(self, row: int, libraries: list[Library]) -> None:
        mine = np.array([max(_weight(each, row), 0) for each in libraries])
        self.row, self.readers = row, float(mine.sum())
        if not libraries:
            self.rows, self.shares, self.products = np.zeros(0, np.int32), NONE, NONE
            return
        sizes = [len(each.rows) for each in libraries]
        self.rows, place = np.unique(
            np.concatenate([each.rows for each in libraries]), return_inverse=True
        )
        wanted = np.concatenate([each.wanted for each in libraries]).astype(np.float64)
        share = mine * [each.share for each in libraries]
        rarity = mine * [each.rarity for each in libraries]
        self.shares = _sums(place, np.repeat(share, sizes) * wanted)
        self.products = _sums(place, np.repeat(rarity, sizes) * wanted)

    def most_similar(self, norms: NDArray[np.float64]) -> CoRead:
        """The others with the greatest cosines; `norms`: squared, of all papers."""
        others = (self.products > 0) & (self.rows != self.row)
        rows = self.rows[others]
        cosines = self.products[others] / np.sqrt(norms[rows] * norms[self.row])
        # Rounded first: equal ones stay equal, whatever the norms were summed from.
        rounded = np.minimum(cosines, 1).astype(np.float32)
        best = np.lexsort((rows, -rounded))[:CO_READ]
        return rows[best], rounded[best]


def _sums(place: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.bincount(place, values).astype(np.float64)


def _weight(library: Library, row: int) -> float:
    return float(library.weights[np.searchsorted(library.rows, row)])
