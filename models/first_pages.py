"""The first page of every paper's list as a request without options is answered, laid out once by
training (`models.layout`): serving has only to copy it, where it would else put together some fifty
pieces.
"""

import pyarrow as pa

from models.papers import Texts

SIZE = 10
"""Results on a page, unless a request says otherwise."""

POPULARITY = 0.5
"""What contributions of popularity are multiplied by, unless a request says otherwise."""


class FirstPages:
    """The pages of an artifact, in blocks of one size, of which the last may be smaller."""

    def __init__(self, blocks: list[pa.BinaryArray]) -> None:
        self._size = max(map(len, blocks), default=1)
        self._blocks = [Texts(block).encoded for block in blocks]

    def __getitem__(self, row: int) -> memoryview:
        """The page of a paper; empty where the list is short or holds versions of one work."""
        return self._blocks[row // self._size](row % self._size)
