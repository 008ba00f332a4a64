"""What a query finds in an artifact, for people and for programs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from models.artifact import Artifact
from models.formats import InputError
from models.papers import PaperRecord
from models.search_query import parse
from models.snippets import Highlighter, Span


@dataclass(frozen=True)
class Hit:
    """A paper, its score, and what of its title and abstract matched."""

    paper: PaperRecord
    score: float
    title: list[Span]
    snippet: list[Span]


@dataclass(frozen=True)
class Hits:
    """The first papers that a query found, and how many there are."""

    query: str
    hits: list[Hit]
    total: int
    relaxed: bool
    version: str


def find(artifact: Artifact, query: str, limit: int) -> Hits:
    """Raises InputError for an empty query."""
    asked = parse(query)
    if not asked.text:
        raise InputError("the query is empty; expected words, phrases or fields, as `--help` says")
    found = artifact.searcher.find(asked)
    highlighter = Highlighter(found.query)
    hits = []
    for row, score in zip(found.rows[:limit], found.scores, strict=False):
        paper = artifact.papers.record(row)
        title, snippet = highlighter.title(paper.title), highlighter.snippet(paper.abstract)
        hits.append(Hit(paper, score, title, snippet))
    spelled = asked.text.encode("utf-8", "replace").decode()  # a shell lets any byte through
    return Hits(spelled, hits, found.total, found.relaxed, artifact.version)


def as_lines(found: Hits) -> Iterator[str]:
    """Each paper as a JSON object."""
    for hit in found.hits:
        paper = hit.paper
        yield json.dumps(
            {
                "id": paper.id,
                "score": round(hit.score, 4),
                "title": paper.title,
                "authors": paper.authors,
                "year": paper.year,
                "venue": paper.venue,
                "snippet": "".join(span.text for span in hit.snippet),
            },
            ensure_ascii=False,
        )


def as_table(found: Hits) -> Table | str:
    """The papers as a table, what matched in bold; a sentence if there are none."""
    how_many = f"{found.total:,} {'paper matches' if found.total == 1 else 'papers match'}"
    if not found.hits:
        return f"{how_many}; model {found.version}"
    some = "; none has all of the words, these have some" if found.relaxed else ""
    table = Table(
        "#",
        "score",
        "paper",
        title=escape(found.query),
        caption=f"{how_many}{some}; model {found.version}",
        show_lines=True,
    )
    for rank, hit in enumerate(found.hits, 1):
        paper = hit.paper
        text = _text(hit.title) if hit.title else Text("(no title)")
        byline = [", ".join(paper.authors[:3]), *([str(paper.year)] if paper.year else ())]
        byline += [paper.venue, paper.id]
        text.append("\n" + " · ".join(filter(None, byline)), style="dim")
        if hit.snippet:
            text.append("\n").append_text(_text(hit.snippet))
        table.add_row(str(rank), f"{hit.score:.2f}", text)
    return table


def _text(spans: list[Span]) -> Text:
    return Text.assemble(*((text, "bold" if highlighted else "") for text, highlighted in spans))
