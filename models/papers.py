"""What is known of each paper, read from memory-mapped Arrow as it is asked for."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.identifiers import canonical
from models.strings import SortedStrings

ROWS_KEPT = 65_536
"""Spellings of ids whose rows are remembered: a search costs fifty times as much."""

Number = TypeVar("Number", np.int16, np.int32)


@dataclass(frozen=True)
class PaperRecord:
    """One paper; `year` is None where unknown, texts are empty where unknown."""

    id: str
    title: str
    abstract: str
    authors: tuple[str, ...]
    year: int | None
    venue: str
    keywords: tuple[str, ...]
    citation_count: int
    reference_count: int


@dataclass(frozen=True)
class PaperIndex:
    """From every spelling of an id to its row: `spellings` sorted, `rows` int32 beside them."""

    spellings: SortedStrings
    rows: NDArray[np.int32]

    @classmethod
    def build(cls, ids: list[str]) -> "PaperIndex":
        """An id as it stands goes before another paper's canonical spelling."""
        row_of: dict[str, int] = {}
        for row, paper_id in enumerate(ids):
            row_of.setdefault(canonical(paper_id), row)
        row_of.update((paper_id, row) for row, paper_id in enumerate(ids))
        spellings = SortedStrings.build(row_of)
        rows = (row_of[spellings[at]] for at in range(len(spellings)))
        return cls(spellings, np.fromiter(rows, np.int32, len(spellings)))

    def row(self, paper_id: str) -> int | None:
        """The row of an id or of another spelling of it; None for an unknown paper."""
        at = self.spellings.find(paper_id)
        if at < 0:
            at = self.spellings.find(canonical(paper_id))
        return None if at < 0 else self._rows[at]

    @cached_property
    def _rows(self) -> memoryview:
        return self.rows.data  # a view of the same memory: numpy takes ten times as long for one


class Texts:
    """The strings or bytes of an Arrow column, read where they lie: a tenth of what its scalars
    cost. What is null has no bytes."""

    def __init__(self, column: pa.StringArray | pa.BinaryArray) -> None:
        _, offsets, data = column.buffers()
        begin = column.offset
        self._offsets = memoryview(offsets).cast("i")[begin : begin + len(column) + 1]
        self._data = memoryview(data or b"")

    def __getitem__(self, row: int) -> str:
        return str(self.encoded(row), "utf-8")

    def encoded(self, row: int) -> memoryview:
        """The bytes of a string."""
        begin, end = self._offsets[row : row + 2]
        return self._data[begin:end]


def venue_codes(table: pa.Table) -> tuple[NDArray[np.int32], list[str]]:
    """For each paper the place of its venue among the names, int32, -1 where unknown; the names."""
    venue = table["venue"].combine_chunks().dictionary_encode()
    names: list[str] = venue.dictionary.to_pylist()
    code = np.asarray(venue.indices.to_numpy(zero_copy_only=False), np.int32)
    unknown = np.array([not name for name in names] or [True])
    return np.where(unknown[code], np.int32(-1), code) if len(code) else code, names


class Papers:
    """The papers of an artifact, one row each.

    `year`: int16, 0 where unknown. `work`: int32, equal for versions of one work.
    `citation_count`: int32, citations from papers of the corpus.
    `basic`: of a row, the bytes that `models.layout` made.
    """

    def __init__(self, table: pa.Table, index: PaperIndex) -> None:
        self._columns = {
            name: table[name].combine_chunks()
            if table[name].num_chunks != 1
            else table[name].chunk(0)
            for name in table.column_names
        }
        self._ids, self._titles, self._abstracts = (
            Texts(self._columns[name]) for name in ("id", "title", "abstract")
        )
        self.basic = Texts(self._columns["basic"]).encoded
        self._row = lru_cache(maxsize=ROWS_KEPT)(index.row)
        self._size = int(table.num_rows)
        self.year = self._numbers("year", np.int16)
        self.work = self._numbers("work", np.int32)
        self.citation_count = self._numbers("citation_count", np.int32)
        self.reference_count = self._numbers("reference_count", np.int32)
        self._table = table

    @property
    def venue_code(self) -> NDArray[np.int32]:
        """The place of each paper's venue in `venue_names`, int32, -1 where unknown."""
        return self._venues_by_code[0]

    @property
    def venue_names(self) -> list[str]:
        """Every venue."""
        return self._venues_by_code[1]

    @cached_property
    def _venues_by_code(self) -> tuple[NDArray[np.int32], list[str]]:
        return venue_codes(self._table)  # .1 s, most of it for a module: no start waits for it

    def _numbers(self, name: str, kind: type[Number]) -> NDArray[Number]:
        return np.asarray(self._columns[name].to_numpy(zero_copy_only=False), kind)

    def __len__(self) -> int:
        return self._size

    def row(self, paper_id: str) -> int | None:
        """The row of the paper with this id, in any spelling of a DOI or arXiv id; else None."""
        return self._row(paper_id)

    def title(self, row: int) -> str:
        """Empty where unknown."""
        return self._titles[row]

    def abstract(self, row: int) -> str:
        """Empty where unknown."""
        return self._abstracts[row]

    def id(self, row: int) -> str:
        """The id as the corpus spells it."""
        return self._ids[row]

    def ids(self) -> list[str]:
        """Every id, by row."""
        return list(self._columns["id"].to_pylist())

    def record(self, row: int) -> PaperRecord:
        """All that is known of one paper."""
        value = {
            name: column[row].as_py() for name, column in self._columns.items() if name != "basic"
        }
        return PaperRecord(
            id=value["id"],
            title=value["title"],
            abstract=value["abstract"],
            authors=tuple(value["authors"]),
            year=value["year"] or None,
            venue=value["venue"],
            keywords=tuple(value["keywords"]),
            citation_count=value["citation_count"],
            reference_count=value["reference_count"],
        )
