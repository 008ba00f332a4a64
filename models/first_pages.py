"""The first page of every paper's list as a request without options is answered, laid out once by
training: serving has only to copy it, where it would else put together some fifty pieces.

A page is the `results` of a serialized `relatedpapers.v1.ListRelatedPapersResponse`, in the public
wire format of Protocol Buffers; a test compares with what the service writes itself.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.blend import Blend, falling, score
from models.neighbors import StoredNeighbors
from models.papers import Texts
from models.wire import after_length, double, varint

SIZE = 10
"""Results on a page, unless a request says otherwise."""

POPULARITY = 0.5
"""What contributions of popularity are multiplied by, unless a request says otherwise."""

BLOCK = 1024
"""Papers whose pages are laid out together; more take memory, and no less time."""

_RESULT, _PAPER, _SOURCE_MODEL = b"\x0a", b"\x0a", b"\x10\x01"
_SCORE, _BIAS, _CONTRIBUTION = b"\x19", b"\x21", b"\x2a"
_KEY, _VALUE = b"\x0a", b"\x11"
"""(field number << 3) | kind: of the response, a RelatedPaper, an entry of its contributions."""


class FirstPages:
    """The pages of an artifact, in blocks of one size, of which the last may be smaller."""

    def __init__(self, blocks: list[pa.BinaryArray]) -> None:
        self._size = max(map(len, blocks), default=1)
        self._blocks = [Texts(block).encoded for block in blocks]

    def __getitem__(self, row: int) -> memoryview:
        """The page of a paper; empty where the list is short or holds versions of one work."""
        return self._blocks[row // self._size](row % self._size)


def first_pages(
    neighbors: StoredNeighbors, blend: Blend, work: NDArray[np.int32], papers: pa.BinaryArray
) -> Iterator[pa.BinaryArray]:
    """The pages of BLOCK papers after BLOCK papers.

    work: int32 (papers), equal for versions of one work. papers: as `models.wire` lays them out.
    """
    for begin in range(0, len(work), BLOCK):
        rows = neighbors.rows[begin : begin + BLOCK]
        contributions = neighbors.contributions[begin : begin + BLOCK]
        falls = falling(contributions, blend.term_weights(POPULARITY))
        # One more than a page: the last shows that the list goes on.
        order = np.where(rows < 0, np.inf, falls).argsort(axis=1, kind="stable")[:, : SIZE + 1]
        listed = np.take_along_axis(rows, order, 1)
        full = _full(listed, work[begin : begin + BLOCK], work)
        place = (full[:, None], order[full, :SIZE])
        results = _results(
            blend,
            papers.take(pa.array(listed[full, :SIZE].ravel())),
            blend.bias - falls[place].ravel().astype(np.float64),
            contributions[place].reshape(-1, len(blend.term_names)),
        )
        yield _pages(results, full, len(rows))


def _full(
    listed: NDArray[np.int32], seeds: NDArray[np.int32], work: NDArray[np.int32]
) -> NDArray[np.intp]:
    """Which lists fill a page and go on, no two of their papers being one work, nor the seed's."""
    if listed.shape[1] <= SIZE:
        return np.zeros(0, np.intp)
    works = np.sort(np.column_stack([seeds, work[listed]]), axis=1)
    distinct = (np.diff(works, axis=1) > 0).all(axis=1)
    return np.flatnonzero(distinct & (listed[:, SIZE] >= 0))


def _results(
    blend: Blend,
    papers: pa.BinaryArray,
    logits: NDArray[np.float64],
    contributions: NDArray[np.float32],
) -> pa.BinaryArray:
    """One RelatedPaper for each paper, as a field of the response.

    papers, logits: n of them. contributions: float32 (n x terms), not weighted.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - no server should load it

    # Not by numpy, whose tanh may end in another digit than that of the service.
    scores = np.fromiter(map(score, logits.tolist()), np.float64)
    values = contributions.astype(np.float64) * blend.term_weights(POPULARITY)
    parts = [after_length(_PAPER, papers), _SOURCE_MODEL, _SCORE, double(scores), _BIAS]
    parts.append(double(np.full(len(scores), blend.bias)))
    for name, value in zip(blend.term_names, values.T, strict=True):
        before = _KEY + varint(len(name.encode())) + name.encode() + _VALUE
        before = _CONTRIBUTION + varint(len(before) + 8) + before
        entry = pc.binary_join_element_wise(before, double(value), b"")
        parts.append(pc.if_else(pa.array(value == 0), b"", entry))  # 0 is left out
    return after_length(_RESULT, pc.binary_join_element_wise(*parts, b""))


def _pages(results: pa.BinaryArray, full: NDArray[np.intp], papers: int) -> pa.BinaryArray:
    """The results joined, SIZE for each of the full pages; empty for the other papers."""
    import pyarrow.compute as pc  # noqa: PLC0415 - no server should load it

    offsets = pa.array(np.arange(0, len(results) + 1, SIZE, dtype=np.int32))
    pages = pc.binary_join(pa.ListArray.from_arrays(offsets, results), b"")
    at = np.full(papers, -1)
    at[full] = np.arange(len(full))
    return pages.take(pa.array(at, mask=at < 0)).fill_null(b"")
