"""Small corpora and the index over them, without training anything."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from models.corpus import SCHEMA
from models.layout import basic_papers
from models.papers import PaperIndex, Papers, venue_codes
from models.search_index import open_index, write_index
from models.search_query import parse
from models.searcher import Found, Restriction, Searcher

Paper = dict[str, Any]


def table_of(papers: Sequence[Paper]) -> pa.Table:
    """The table of an artifact. Fields that a paper lacks are empty; it is its own work."""
    rows = [
        {
            "id": f"p{row}",
            "title": "",
            "abstract": "",
            "authors": [],
            "year": 0,
            "venue": "",
            "keywords": [],
            "work": row,
            "citation_count": 0,
            "reference_count": 0,
        }
        | paper
        for row, paper in enumerate(papers)
    ]
    counts = [(name, pa.int32()) for name in ("work", "citation_count", "reference_count")]
    table = pa.Table.from_pylist(rows, schema=pa.schema([*SCHEMA, *counts]))
    return table.append_column("basic", basic_papers(table))


def write(folder: Path, papers: Sequence[Paper], **options: Any) -> None:
    """The index of the papers."""
    table = table_of(papers)
    write_index(folder, table, venue_codes(table)[0], **options)


def searcher_of(folder: Path, papers: Sequence[Paper], **options: Any) -> Searcher:
    """What answers queries over the papers."""
    write(folder, papers, **options)
    table = table_of(papers)
    index = PaperIndex.build(table["id"].to_pylist())
    found = Papers(table, index)
    return Searcher(open_index(folder), np.asarray(found.work), found.row)


class Asking:
    """Asks a searcher what a person types."""

    def __init__(self, searcher: Searcher) -> None:
        self.searcher = searcher

    def found(self, query: str, *, prefix: bool = False, **only: Any) -> Found:
        """All that is known of the answer. only: fields of the restriction."""
        return self.searcher.find(parse(query, prefix=prefix), Restriction(**only))

    def rows(self, query: str, *, prefix: bool = False, **only: Any) -> list[int]:
        """The rows, best first; fails if the query was relaxed."""
        found = self.found(query, prefix=prefix, **only)
        assert not found.relaxed
        return found.rows
