"""Sorted strings that are searched where they lie: memory-mapped, nothing is loaded or hashed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


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
        return self.data[self.offsets[position] : self.offsets[position + 1]].tobytes()

    def find(self, string: str) -> int:
        """Position of the string, or -1 where it is not among them."""
        try:
            wanted = string.encode()
        except UnicodeEncodeError:  # a lone surrogate: nothing here can be equal to it
            return -1
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            if self._bytes(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self) and self._bytes(low) == wanted else -1

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
