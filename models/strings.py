"""Sorted strings that are searched where they lie: memory-mapped, nothing is loaded or hashed."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FENCE = 16
"""One string in so many is kept in memory, so that a search touches few pages."""


@dataclass(frozen=True)
class SortedStrings:
    """Distinct strings in the order of their UTF-8 bytes.

    `data`: uint8, all strings one after the other. `offsets`: int64, strings + 1 positions in it.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    @classmethod
    def build(cls, strings: Iterable[str]) -> "SortedStrings":
        """Repeated strings are kept once."""
        encoded = sorted({string.encode() for string in strings})
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(each) for each in encoded], out=offsets[1:])
        return cls(np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, position: int) -> str:
        return self._bytes(position).decode()

    def _bytes(self, position: int) -> bytes:
        begin, end = self._offsets[position : position + 2]
        return bytes(self._data[begin:end])

    # Views of the same memory: numpy takes three times as long for a single item.

    @cached_property
    def _data(self) -> memoryview:
        return self.data.data

    @cached_property
    def _offsets(self) -> memoryview:
        return self.offsets.data

    def find(self, string: str) -> int:
        """Position of the string, or -1 where it is not among them."""
        try:
            wanted = string.encode()
        except UnicodeEncodeError:  # a lone surrogate: nothing here can be equal to it
            return -1
        begin = (bisect_right(self._fence, wanted) - 1) * FENCE
        if begin < 0:  # before the first
            return -1
        ends = self._offsets[begin : begin + FENCE + 1].tolist()
        first = ends[0]
        block = bytes(self._data[first : ends[-1]])
        for place, (low, high) in enumerate(pairwise(ends), begin):
            if block[low - first : high - first] == wanted:
                return place
        return -1

    @cached_property
    def _fence(self) -> list[bytes]:
        """Every FENCE-th string: most of a search is among these, in memory and in C."""
        return [self._bytes(at) for at in range(0, len(self), FENCE)]

    def positions(self, strings: Sequence[str]) -> NDArray[np.int32]:
        """Positions of many strings, -1 for the unknown; for many a dictionary pays."""
        if len(strings) < 500:
            return np.fromiter((self.find(each) for each in strings), np.int32, len(strings))
        position = {self._bytes(at): at for at in range(len(self))}
        return np.fromiter(
            (position.get(each.encode("utf-8", "surrogatepass"), -1) for each in strings),
            np.int32,
            len(strings),
        )
