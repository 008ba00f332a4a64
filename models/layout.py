"""Papers as lists show them, and the first page of every list, laid out once by training, so that
serving has only to copy them.

Both are in the public wire format of Protocol Buffers: each field a tag, a length or number, and
the bytes. A paper is a serialized `relatedpapers.v1.Paper` with the fields of its basic view, a
page the `results` of a serialized `relatedpapers.v1.ListRelatedPapersResponse`; tests compare with
what Protocol Buffers and the service write.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from models.blend import Blend, falling, score
from models.first_pages import POPULARITY, SIZE
from models.neighbors import StoredNeighbors
from models.wire import varint

BLOCK = 1024
"""Papers whose pages are laid out together; more take memory, and no less time."""

_TAGS = {"id": b"\x0a", "title": b"\x12", "authors": b"\x1a", "year": b"\x20", "venue": b"\x2a"}
"""(field number << 3) | kind; kind 0 is a number, 2 a text. The numbers are those of paper.proto,
which never change; a test compares with what Protocol Buffers writes."""

_RESULT, _PAPER, _SOURCE_MODEL = b"\x0a", b"\x0a", b"\x10\x01"
_SCORE, _BIAS, _CONTRIBUTION = b"\x19", b"\x21", b"\x2a"
_KEY, _VALUE = b"\x0a", b"\x11"
"""(field number << 3) | kind: of the response, a RelatedPaper, an entry of its contributions."""


def basic_papers(table: pa.Table) -> pa.BinaryArray:
    """binary (papers), from the columns of `models.corpus.SCHEMA`; what is unknown is left out."""

    def known_text(name: str) -> pa.Array:
        texts = columns[name]
        return pc.if_else(pc.equal(texts, ""), b"", _after_length(_TAGS[name], texts))

    columns = {name: table[name].combine_chunks() for name in _TAGS}
    year, authors = columns["year"], columns["authors"]
    names = pa.ListArray.from_arrays(
        authors.offsets, _after_length(_TAGS["authors"], authors.values)
    )
    return pc.binary_join_element_wise(
        known_text("id"),
        known_text("title"),
        pc.binary_join(names, b""),
        pc.if_else(
            pc.equal(year, 0), b"", pc.binary_join_element_wise(_TAGS["year"], _varints(year), b"")
        ),
        known_text("venue"),
        b"",
    )


def first_pages(
    neighbors: StoredNeighbors, blend: Blend, work: NDArray[np.int32], papers: pa.BinaryArray
) -> Iterator[pa.BinaryArray]:
    """The pages of BLOCK papers after BLOCK papers.

    work: int32 (papers), equal for versions of one work. papers: as `basic_papers` lays them out.
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
    # Not by numpy, whose tanh may end in another digit than that of the service.
    scores = np.fromiter(map(score, logits.tolist()), np.float64)
    values = contributions.astype(np.float64) * blend.term_weights(POPULARITY)
    parts = [_after_length(_PAPER, papers), _SOURCE_MODEL, _SCORE, _double(scores), _BIAS]
    parts.append(_double(np.full(len(scores), blend.bias)))
    for name, value in zip(blend.term_names, values.T, strict=True):
        before = _KEY + varint(len(name.encode())) + name.encode() + _VALUE
        before = _CONTRIBUTION + varint(len(before) + 8) + before
        entry = pc.binary_join_element_wise(before, _double(value), b"")
        parts.append(pc.if_else(pa.array(value == 0), b"", entry))  # 0 is left out
    return _after_length(_RESULT, pc.binary_join_element_wise(*parts, b""))


def _pages(results: pa.BinaryArray, full: NDArray[np.intp], papers: int) -> pa.BinaryArray:
    """The results joined, SIZE for each of the full pages; empty for the other papers."""
    offsets = pa.array(np.arange(0, len(results) + 1, SIZE, dtype=np.int32))
    pages = pc.binary_join(pa.ListArray.from_arrays(offsets, results), b"")
    at = np.full(papers, -1)
    at[full] = np.arange(len(full))
    return pages.take(pa.array(at, mask=at < 0)).fill_null(b"")


def _after_length(tag: bytes, contents: pa.Array) -> pa.BinaryArray:
    """Fields of this tag that hold texts, bytes or messages."""
    lengths = _varints(pc.binary_length(contents))
    return pc.binary_join_element_wise(tag, lengths, contents.cast(pa.binary()), b"")


def _double(numbers: NDArray[np.float64]) -> pa.BinaryArray:
    """The 8 bytes of each number."""
    content = pa.py_buffer(np.ascontiguousarray(numbers, "<f8"))
    return pa.Array.from_buffers(pa.binary(8), len(numbers), [None, content]).cast(pa.binary())


def _varints(numbers: pa.Array) -> pa.Array:
    coded = numbers.dictionary_encode()
    kinds = [varint(number) for number in coded.dictionary.to_pylist()]
    return pa.array(kinds, pa.binary()).take(coded.indices)
