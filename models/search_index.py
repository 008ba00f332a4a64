"""The search index: a tantivy index over the papers' words, as files of the artifact.

search.meta.json         what tantivy knows of it: schema, segments and their sizes
search.<segment>.<part>  the parts of each segment

The same papers give the same bytes: one thread writes, a block of papers makes a segment, and the
random names that tantivy gives segments are replaced by numbers. tantivy wants a folder of its own,
with names of its own and a lock in it, so it sees the files through a temporary folder of links:
the artifact stays flat, and may be read-only.
"""

import hashlib
import json
import math
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import tantivy
from numpy.typing import NDArray

from models.manifest import ArtifactError
from models.progress import Advance, unheard
from models.search_words import words

META = "search.meta.json"

BLOCK_BYTES = 500_000_000
"""Titles and abstracts in a segment: a writer holds one in memory, about two and a half times as
much."""

_WRITER_BYTES = 4_000_000_000
"""A bound that no block reaches, as it would then become two segments."""

FIELDS = ("text", "title", "author", "venue")
"""Fields of words; `text` holds those of all the others too, and of abstract and keywords."""

SHORT = 3
"""Up to so many letters the beginnings of words are indexed themselves, of titles and names."""

BETWEEN = " | "
"""What stands between two values, so that no phrase spans them: no word of any query."""

BETWEEN_AUTHORS = BETWEEN * 4
"""The same for authors, whose phrases have some slop."""

FAME = 0.2
"""How much each doubling of a paper's citations adds to the score of its text, as a share of it.
Chosen on known items of a training corpus: see tests/benchmarks/search.py."""


_AT_ONCE = 1_000
"""Papers read from the table at once."""


def schema() -> tantivy.Schema:
    """What is known of each paper in the index.

    FIELDS: words with their positions. `starts`: the first letters of words, up to SHORT of them.
    `whole`: a digest of the title's words. `row`, `work`, `year`, `venue_code`: as in `Papers`.
    `fame`: what the score is weighted by, as tantivy wants it.
    """
    builder = tantivy.SchemaBuilder()
    for name in FIELDS:
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    builder.add_text_field("starts", tokenizer_name="whitespace", index_option="basic")
    builder.add_unsigned_field("row", indexed=True, fast=True)
    builder.add_unsigned_field("year", fast=True)
    for name in ("work", "venue_code", "whole"):
        builder.add_unsigned_field(name, indexed=True)
    builder.add_float_field("fame", fast=True)
    return builder.build()


def fame(citation_count: int) -> float:
    """The factor of a paper's score that its citations make: 1 without any."""
    return 1.0 + FAME * math.log2(1 + citation_count)


def digest(in_order: Sequence[str]) -> int:
    """A number for a title's words: equal for equal titles, and hardly ever for others."""
    spelled = " ".join(in_order).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(spelled, digest_size=8).digest(), "big")


def write_index(
    folder: Path,
    table: pa.Table,
    venue_code: NDArray[np.int32],
    *,
    block_bytes: int = BLOCK_BYTES,
    advance: Advance = unheard,
) -> None:
    """Index the papers of an artifact (its table) into files in its folder.

    Within a segment the best-cited papers come first, so that they win where scores are equal.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - no server should load it

    sizes = pc.add(pc.binary_length(table["title"]), pc.binary_length(table["abstract"]))
    blocks = np.cumsum(sizes.to_numpy()) // block_bytes
    falling = -table["citation_count"].to_numpy()
    metas = []
    for number, block in enumerate(np.unique(blocks)):
        rows = np.flatnonzero(blocks == block)
        rows = rows[np.argsort(falling[rows], kind="stable")]
        with _scratch(folder) as aside:
            _write_segment(aside, _documents(table, rows, venue_code, advance))
            metas.append(_adopt(aside, folder, number))
    segments = [segment for meta in metas for segment in meta["segments"]]
    text = json.dumps(metas[0] | {"segments": segments}, indent=1, sort_keys=True)
    (folder / META).write_text(text + "\n", encoding="utf-8")


def open_index(folder: Path) -> tantivy.Index:
    """The index of an artifact, memory-mapped. Raises ArtifactError."""
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
        with _scratch() as seen:
            (seen / META.removeprefix("search.")).write_text(json.dumps(meta))
            for number, segment in enumerate(meta["segments"]):
                for part in folder.glob(f"search.{number}.*"):
                    name = uuid.UUID(segment["segment_id"]).hex + part.suffix
                    (seen / name).symlink_to(part.absolute())
            index = tantivy.Index.open(str(seen))
            index.config_reader("manual")  # it never changes
            index.searcher()  # maps every file, which then needs no name
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(
            f"{folder / META}: can't be opened ({error}); train it again"
        ) from error
    return index


@contextmanager
def _scratch(within: Path | None = None) -> Iterator[Path]:
    """A folder for tantivy, removed afterwards. A thread of its own, which sees once that the
    index is new, may make a lock file there while the folder is being removed: hence again."""
    folder = Path(tempfile.mkdtemp(prefix=".search-", dir=within))
    try:
        yield folder
    finally:
        for _ in range(100):
            shutil.rmtree(folder, ignore_errors=True)
            if not folder.exists():
                break


def _write_segment(folder: Path, documents: Iterable[tantivy.Document]) -> None:
    writer = tantivy.Index(schema(), str(folder)).writer(_WRITER_BYTES, num_threads=1)
    for document in documents:
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()


def _adopt(aside: Path, folder: Path, number: int) -> dict[str, Any]:
    """Give the one segment of an index its number and its place; the index's meta, so changed."""
    meta: dict[str, Any] = json.loads((aside / "meta.json").read_text(encoding="utf-8"))
    (segment,) = meta["segments"]
    name = uuid.UUID(segment["segment_id"]).hex
    for part in aside.glob(f"{name}.*"):
        part.replace(folder / f"search.{number}{part.suffix}")
    segment["segment_id"] = str(uuid.UUID(int=number + 1))
    return meta


def _documents(
    table: pa.Table, rows: NDArray[np.intp], venue_code: NDArray[np.int32], advance: Advance
) -> Iterator[tantivy.Document]:
    for begin in range(0, len(rows), _AT_ONCE):
        chosen = rows[begin : begin + _AT_ONCE]
        papers = table.take(pa.array(chosen)).to_pylist()
        for row, paper in zip(chosen.tolist(), papers, strict=True):
            yield _document(row, paper, int(venue_code[row]))
        advance(len(papers))


def _document(row: int, paper: dict[str, Any], venue_code: int) -> tantivy.Document:
    title = words(paper["title"])
    names = [words(author) for author in paper["authors"]]
    spelled = " ".join(title)
    authors = [" ".join(name) for name in names]
    venue = " ".join(words(paper["venue"]))
    abstract = " ".join(words(paper["abstract"]))
    keywords = [" ".join(words(keyword)) for keyword in paper["keywords"]]
    everything = [spelled, abstract, *authors, venue, *keywords]
    document = tantivy.Document()
    document.add_text("text", BETWEEN.join(filter(None, everything)))
    document.add_text("title", spelled)
    document.add_text("author", BETWEEN_AUTHORS.join(filter(None, authors)))
    document.add_text("venue", venue)
    document.add_text("starts", _starts(title, *names))
    document.add_unsigned("row", row)
    document.add_unsigned("work", paper["work"])
    document.add_unsigned("year", paper["year"])
    if venue_code >= 0:
        document.add_unsigned("venue_code", venue_code)
    if title:
        document.add_unsigned("whole", digest(title))
    # tantivy weights a score by log2(2 + the field).
    document.add_float("fame", 2.0 ** fame(paper["citation_count"]) - 2.0)
    return document


def _starts(*in_order: list[str]) -> str:
    """The first letters of the words, one to SHORT of them, each once."""
    starts = dict.fromkeys(word[:SHORT] for each in in_order for word in each)
    return " ".join({start[:length]: None for start in starts for length in range(1, SHORT + 1)})
