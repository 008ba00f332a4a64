"""The corpus: papers in Arrow columns, citations as CSR (citing x cited)."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from models.formats import InputError, Line
from models.identifiers import canonical
from models.strings import SortedStrings
from models.works import group_works

UNDIRECTED_SHARE = 0.9
"""Above this share of links that stand in both directions a corpus counts as undirected."""

FIRST_YEAR, LAST_YEAR = 1000, 2100  # years outside are taken for typing errors, hence unknown

_SURROGATE = re.compile("[\ud800-\udfff]")  # json.loads has joined those that make a pair
_LINE_BREAK = re.compile(r"[\t\n\r]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("title", pa.string()),
        ("abstract", pa.string()),
        ("authors", pa.list_(pa.string())),
        ("year", pa.int16()),
        ("venue", pa.string()),
        ("keywords", pa.list_(pa.string())),
    ]
)


@dataclass(frozen=True)
class Corpus:
    """What is known of the papers. Rows are papers, in the order of their first lines.

    `table`: columns of SCHEMA; year 0 where unknown. `citations`: bool CSR, papers x papers,
    row cites column; symmetric if `undirected`. `external`: bool CSR, papers x outside works, its
    columns named by `external_ids`. `work`: int32, papers; equal for versions of one work.
    `notes`: what was mended in reading, and how often.
    """

    table: pa.Table
    citations: sp.csr_matrix
    external: sp.csr_matrix
    external_ids: SortedStrings
    undirected: bool
    work: NDArray[np.int32]
    notes: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def ids(self) -> list[str]:
        """Every id, by row."""
        return list(self.table["id"].to_pylist())

    @property
    def year(self) -> NDArray[np.int16]:
        """Year of publication, int16 (papers); 0 where unknown."""
        return np.asarray(self.table["year"].to_numpy(), np.int16)

    @property
    def authors(self) -> list[list[str]]:
        """Each paper's authors."""
        return list(self.table["authors"].to_pylist())

    def digest(self) -> str:
        """SHA-256 over all that training can see, hexadecimal."""
        state = hashlib.sha256()
        for batch in self.table.combine_chunks().to_batches():
            state.update(repr(batch.to_pydict()).encode("utf-8", "surrogatepass"))
        for matrix in (self.citations, self.external):
            state.update(matrix.indptr.astype(np.int64).tobytes())
            state.update(matrix.indices.astype(np.int64).tobytes())
        state.update(self.external_ids.data.tobytes())
        return state.hexdigest()

    def take(self, rows: NDArray[np.integer[Any]]) -> "Corpus":
        """The corpus of these papers alone; links to the papers left out are gone."""
        return Corpus(
            table=self.table.take(pa.array(rows)),
            citations=sp.csr_matrix(self.citations[rows][:, rows]),
            external=sp.csr_matrix(self.external[rows]),
            external_ids=self.external_ids,
            undirected=self.undirected,
            work=self.work[rows],
        )


def read_corpus(lines: Iterable[Line]) -> Corpus:
    """Check every paper and build the corpus.

    Of papers with one id the last line wins (the order of a dump with its updates appended);
    `notes` counts them, and references to oneself, which are dropped. References to papers that
    are not in the corpus count as external ones.

    Raises InputError: a missing id, one with white space or control characters, a field of the
    wrong type, or no paper at all.
    """
    notes: Counter[str] = Counter()
    papers: dict[str, dict[str, Any]] = {}
    for line in lines:
        paper = _checked(line, notes)
        if paper["id"] in papers:
            notes["papers whose id came again (the last line won)"] += 1
        papers[paper["id"]] = paper
    if not papers:
        raise InputError("no papers: the files hold no record; expected one paper a line")
    return _assemble(list(papers.values()), notes)


def _assemble(papers: list[dict[str, Any]], notes: Counter[str]) -> Corpus:
    row_of = {paper["id"]: row for row, paper in enumerate(papers)}
    for row, paper in enumerate(papers):
        row_of.setdefault(canonical(paper["id"]), row)
    inside = _Links()
    outside: list[tuple[int, str]] = []
    for row, paper in enumerate(papers):
        for reference in paper.pop("references"):
            cited = row_of.get(reference, row_of.get(canonical(reference)))
            if cited == row:
                notes["references of a paper to itself (dropped)"] += 1
            elif cited is not None:
                inside.add(row, cited)
            else:
                outside.append((row, canonical(reference)))
    notes["references to papers outside the corpus"] += len(outside)
    external_ids = SortedStrings.build(name for _, name in outside)
    external = _Links()
    for (row, _), column in zip(
        outside, external_ids.positions([name for _, name in outside]).tolist(), strict=True
    ):
        external.add(row, column)
    citations = inside.matrix(len(papers), len(papers))
    undirected = _is_undirected(citations)
    if undirected:
        citations = sp.csr_matrix((citations + citations.T).astype(bool))
    table = pa.Table.from_pylist(papers, schema=SCHEMA)
    return Corpus(
        table=table,
        citations=citations,
        external=external.matrix(len(papers), len(external_ids)),
        external_ids=external_ids,
        undirected=undirected,
        work=group_works(papers),
        notes={note: count for note, count in notes.items() if count},
    )


class _Links:
    """Pairs of a row and a column, gathered one by one."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.columns: list[int] = []

    def add(self, row: int, column: int) -> None:
        self.rows.append(row)
        self.columns.append(column)

    def matrix(self, rows: int, columns: int) -> sp.csr_matrix:
        """bool CSR, rows x columns; repeated pairs count once."""
        ones = np.ones(len(self.rows), bool)
        matrix = sp.csr_matrix((ones, (self.rows, self.columns)), (rows, columns), dtype=bool)
        matrix.sum_duplicates()
        matrix.sort_indices()
        return matrix


def _is_undirected(citations: sp.csr_matrix) -> bool:
    if citations.nnz == 0:
        return False
    mutual = citations.multiply(citations.T).nnz
    return bool(mutual > UNDIRECTED_SHARE * citations.nnz)


def _checked(line: Line, notes: Counter[str]) -> dict[str, Any]:
    """The fields of one paper, each of its right type; raises InputError naming the line."""
    references = [*line.texts("references"), *line.texts("external_references")]
    return {
        "id": line.identifier("id"),
        "title": _clean(line.text("title"), notes),
        "abstract": _clean(line.text("abstract"), notes),
        "authors": [_clean(each, notes) for each in line.texts("authors")],
        "year": _year(line.whole_number("year"), notes),
        "venue": _clean(line.text("venue"), notes),
        "keywords": [_clean(each, notes) for each in line.texts("keywords")],
        "references": [each.strip() for each in references if _encodable(each.strip())],
    }


def _year(year: int | None, notes: Counter[str]) -> int:
    if year is None:
        return 0
    if not FIRST_YEAR <= year <= LAST_YEAR:
        notes["years before 1000 or after 2100 (taken as unknown)"] += 1
        return 0
    return year


def _encodable(text: str) -> bool:
    return bool(text) and not _SURROGATE.search(text)


def _clean(text: str, notes: Counter[str]) -> str:
    """Text that can be stored and shown: no lone surrogates, no control characters."""
    if _SURROGATE.search(text):
        notes["texts with lone surrogates (replaced by U+FFFD)"] += 1
        text = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
    text = _LINE_BREAK.sub(" ", text)
    if _CONTROL.search(text):
        notes["texts with control characters (replaced by a space)"] += 1
        text = _CONTROL.sub(" ", text)
    return text.strip()
