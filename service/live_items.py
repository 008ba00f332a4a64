"""What readers changed in a model since training: newer rows beside the artifact's own.

Everything here is immutable. A replica goes on by another `LiveItems`, which shares the memory of
the one before; a request that holds one sees one state from its first line to its last.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.readers import ReaderModel

_BLOCK = 8_192
"""Rows at once while the moments of a matrix are summed."""


class CoRead(NamedTuple):
    """The papers that a paper's readers read too: `rows` int32, and `similarity` float32 beside
    them."""

    rows: NDArray[np.int32]
    similarity: NDArray[np.float32]

    @property
    def identity(self) -> bytes:
        """Equal if and only if they are."""
        return self.rows.tobytes() + b";" + self.similarity.tobytes()


class ItemState(NamedTuple):
    """The present state of one paper. `factors` and `smoothed_text`: float32 vectors; `readers`:
    how many have it, by weight."""

    factors: NDArray[np.float32]
    smoothed_text: NDArray[np.float32]
    readers: float
    co_read: CoRead


class Moments(NamedTuple):
    """Over the n rows of a matrix: float64 `total` (columns) and `gram` (columns x columns)."""

    total: NDArray[np.float64]
    gram: NDArray[np.float64]

    @classmethod
    def of(cls, matrix: NDArray[np.float32]) -> "Moments":
        """Summed in double precision, so that changes can be added and taken away again."""
        columns = matrix.shape[1]
        total, gram = np.zeros(columns), np.zeros((columns, columns))
        for begin in range(0, len(matrix), _BLOCK):
            block = matrix[begin : begin + _BLOCK].astype(np.float64)
            total += block.sum(axis=0)
            gram += block.T @ block
        return cls(total, gram)


class _Buffer:
    """Rows that are appended and never rewritten; doubled when full."""

    def __init__(self, columns: int, capacity: int) -> None:
        self.rows = np.empty((capacity, columns), np.float32)
        self.filled = 0


@dataclass(frozen=True)
class LiveRows:
    """A float32 matrix, some of whose rows were replaced.

    `slot`: int32 (rows), the place of a row in the buffer, -1 where it is still the base's.
    """

    base: NDArray[np.float32]
    moments: Moments
    slot: NDArray[np.int32]
    _buffer: _Buffer
    _count: int = 0

    @classmethod
    def over(cls, base: NDArray[np.float32]) -> "LiveRows":
        """The base itself."""
        slot = np.full(len(base), -1, np.int32)
        return cls(base, Moments.of(base), slot, _Buffer(base.shape[1], 256))

    def replaced(self, rows: NDArray[np.int32], values: NDArray[np.float32]) -> "LiveRows":
        """With new values (float32, rows x columns) in these rows, each named once."""
        before, after = self[rows].astype(np.float64), values.astype(np.float64)
        moments = Moments(
            self.moments.total + after.sum(axis=0) - before.sum(axis=0),
            self.moments.gram + after.T @ after - before.T @ before,
        )
        slot = self.slot.copy()
        buffer, count = self._buffer, self._count
        if buffer.filled != count or count + len(rows) > len(buffer.rows):
            # Full, or another state went on from this one: those still in use move, twice the room.
            used = np.flatnonzero(slot >= 0)
            roomy = _Buffer(self.base.shape[1], max(256, 2 * (len(used) + len(rows))))
            roomy.rows[: len(used)] = buffer.rows[slot[used]]
            slot[used] = np.arange(len(used))
            buffer, count = roomy, len(used)
        buffer.rows[count : count + len(rows)] = values
        slot[rows] = np.arange(count, count + len(rows))
        buffer.filled = count + len(rows)
        return replace(self, moments=moments, slot=slot, _buffer=buffer, _count=buffer.filled)

    def at(self, rows: NDArray[np.int32]) -> "RowsThen":
        """These rows as they are now."""
        return RowsThen(rows, self.slot[rows], self.base, self._buffer)

    def __getitem__(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        """A copy of these rows, float32 (rows x columns)."""
        return self.at(rows).vectors() if self._count else self.base[rows]

    def products(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Inner products of every row with a vector, float32 (rows)."""
        found: NDArray[np.float32] = self.base @ vector
        if self._count:
            live = np.flatnonzero(self.slot >= 0)
            found[live] = (self._buffer.rows[: self._count] @ vector)[self.slot[live]]
        return found

    @cached_property
    def gram(self) -> NDArray[np.float32]:
        """The matrix's transpose times itself, float32 (columns x columns)."""
        return self.moments.gram.astype(np.float32)

    def mean_and_deviation(self, vector: NDArray[np.float32]) -> tuple[float, float]:
        """Of `products`, from the moments alone."""
        double = vector.astype(np.float64)
        mean = float(self.moments.total @ double) / len(self.base)
        square = float(double @ self.moments.gram @ double) / len(self.base)
        return mean, max(square - mean * mean, 0.0) ** 0.5


class RowsThen(NamedTuple):
    """Some rows of a `LiveRows` at one moment, which holds no memory for the others.

    rows, slot: int32, as there.
    """

    rows: NDArray[np.int32]
    slot: NDArray[np.int32]
    base: NDArray[np.float32]
    buffer: _Buffer

    def moved(self, now: LiveRows) -> NDArray[np.bool_]:
        """Which of them may differ from what they are now; never none that does."""
        then, present = self.slot, now.at(self.rows)
        if present.buffer is self.buffer:  # a place in it is written once
            return np.not_equal(then, present.slot)
        return (then >= 0) | (present.slot >= 0)

    def only(self, which: NDArray[np.bool_]) -> "RowsThen":
        """Some of them."""
        return self._replace(rows=self.rows[which], slot=self.slot[which])

    def vectors(self) -> NDArray[np.float32]:
        """A copy of them, float32 (rows x columns)."""
        found: NDArray[np.float32] = self.base[self.rows]
        live = self.slot >= 0
        found[live] = self.buffer.rows[self.slot[live]]
        return found


@dataclass(frozen=True)
class LiveItems:
    """The state of every paper of one model.

    model: the papers as they were trained.
    version: number of the last publication that is in it, 0 for the papers as they were trained.
    changes: how many papers were changed on the way from there, each time counted.
    factors, smoothed_text, saves: as in `ReaderModel`.
    co_read: of the papers where readers changed it, by row.
    """

    model: ReaderModel
    version: int
    changes: int
    factors: LiveRows
    smoothed_text: LiveRows
    saves: NDArray[np.float32]
    co_read: Mapping[int, CoRead]

    @classmethod
    def over(cls, model: ReaderModel) -> "LiveItems":
        """The papers as they were trained. Reads their matrices once, to sum them."""
        factors, smoothed = LiveRows.over(model.item_factors), LiveRows.over(model.smoothed_text)
        return cls(model, 0, 0, factors, smoothed, model.saves, {})

    def changed(self, version: int, states: Mapping[int, ItemState | None]) -> "LiveItems":
        """With the present state of these papers, by row; None is as it was trained."""
        if not states:
            return replace(self, version=version)
        rows = np.fromiter(states, np.int32, len(states))
        factors, smoothed = self.model.item_factors[rows], self.model.smoothed_text[rows]
        saves, co_read = np.array(self.saves), dict(self.co_read)
        saves[rows] = self.model.saves[rows]
        for place, (row, state) in enumerate(states.items()):
            if state is None:
                co_read.pop(row, None)
                continue
            factors[place], smoothed[place] = state.factors, state.smoothed_text
            saves[row] = np.log1p(max(state.readers, 0.0))
            co_read[row] = state.co_read
        return replace(
            self,
            version=version,
            changes=self.changes + len(states),
            factors=self.factors.replaced(rows, factors),
            smoothed_text=self.smoothed_text.replaced(rows, smoothed),
            saves=saves,
            co_read=co_read,
        )
