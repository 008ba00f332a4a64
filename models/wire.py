"""Papers as lists show them, laid out once by training, so that serving has only to copy them.

A paper is a serialized `relatedpapers.v1.Paper` with the fields of its basic view, in the public
wire format of Protocol Buffers: each field a tag, a length or number, and the bytes.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_TAGS = {"id": b"\x0a", "title": b"\x12", "authors": b"\x1a", "year": b"\x20", "venue": b"\x2a"}
"""(field number << 3) | kind; kind 0 is a number, 2 a text. The numbers are those of paper.proto,
which never change; a test compares with what Protocol Buffers writes."""


def basic_papers(table: pa.Table) -> pa.BinaryArray:
    """binary (papers), from the columns of `models.corpus.SCHEMA`; what is unknown is left out."""
    import pyarrow.compute as pc  # noqa: PLC0415 - no server should load it

    def known_text(name: str) -> pa.Array:
        texts = columns[name]
        return pc.if_else(pc.equal(texts, ""), b"", after_length(_TAGS[name], texts))

    columns = {name: table[name].combine_chunks() for name in _TAGS}
    year, authors = columns["year"], columns["authors"]
    names = pa.ListArray.from_arrays(
        authors.offsets, after_length(_TAGS["authors"], authors.values)
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


def after_length(tag: bytes, contents: pa.Array) -> pa.BinaryArray:
    """Fields of this tag that hold texts, bytes or messages."""
    import pyarrow.compute as pc  # noqa: PLC0415 - no server should load it

    lengths = _varints(pc.binary_length(contents))
    return pc.binary_join_element_wise(tag, lengths, contents.cast(pa.binary()), b"")


def double(numbers: NDArray[np.float64]) -> pa.BinaryArray:
    """The 8 bytes of each number."""
    content = pa.py_buffer(np.ascontiguousarray(numbers, "<f8"))
    return pa.Array.from_buffers(pa.binary(8), len(numbers), [None, content]).cast(pa.binary())


def varint(number: int) -> bytes:
    """A length or number, 0 or more: 7 bits a byte, the lowest first."""
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def _varints(numbers: pa.Array) -> pa.Array:
    coded = numbers.dictionary_encode()
    kinds = [varint(number) for number in coded.dictionary.to_pylist()]
    return pa.array(kinds, pa.binary()).take(coded.indices)
