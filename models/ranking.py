"""The rank commands: lists for papers, drafts and readers from one artifact."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from models.artifact import Artifact
from models.batch import rank_blocks
from models.drafts import Draft
from models.formats import InputError, Line, read_jsonl
from models.neighbors import CANDIDATES_PER_SIGNAL
from models.signals import in_memory

RankedList = tuple[str, Sequence[str], Sequence[float]]
"""A query's id, the ids of its papers, best first, and their scores."""


def rank_papers(
    artifact: Artifact, queries: Sequence[str], depth: int, popularity: float, threads: int
) -> Iterator[RankedList]:
    """The papers related to each query, scored by their logit. Raises InputError: unknown id."""
    papers, scorer = artifact.papers, artifact.scorer
    rows = np.array([_known(papers.row(query), query) for query in queries], np.int64)
    signals = {name: in_memory(signal) for name, signal in scorer.signals.items()}
    features = np.array(scorer.features)
    position = 0
    for block in rank_blocks(signals, features, artifact.blend, rows, depth, popularity, threads):
        for found, logits in zip(block.rows, block.logits, strict=True):
            known = found >= 0
            ids = [papers.id(row) for row in found[known]]
            yield queries[position], ids, logits[known].tolist()
            position += 1


def _known(row: int | None, paper_id: str) -> int:
    if row is None:
        raise InputError(f"{paper_id}: unknown paper; expected ids of papers in the model")
    return row


def read_drafts(path: Path) -> list[tuple[str, Draft]]:
    """Ids and drafts of a JSON Lines file. Raises InputError."""
    return [(_text(line, "id"), _draft(line)) for line in read_jsonl([path])]


def _draft(line: Line) -> Draft:
    year = line.fields.get("year")
    if year is not None and (isinstance(year, bool) or not isinstance(year, int)):
        raise line.error(f'"year" is {year!r}; expected a whole number')
    return Draft(
        title=_text(line, "title", ""),
        abstract=_text(line, "abstract", ""),
        keywords=_texts(line, "keywords"),
        authors=_texts(line, "authors"),
        references=_texts(line, "references") + _texts(line, "external_references"),
        year=year or None,
    )


def _text(line: Line, name: str, default: str | None = None) -> str:
    value = line.fields.get(name)
    if value is None and default is not None:
        return default
    if not isinstance(value, str) or (default is None and len(value.split()) != 1):
        raise line.error(f'"{name}" is {value!r}; expected a string')
    return value


def _texts(line: Line, name: str) -> tuple[str, ...]:
    values = line.fields.get(name) or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise line.error(f'"{name}" is not a list of strings; expected one')
    return tuple(values)


def rank_drafts(
    artifact: Artifact, drafts: Sequence[tuple[str, Draft]], depth: int, popularity: float
) -> Iterator[RankedList]:
    """The papers related to each draft; a paper of the draft's own id is left out."""
    papers, scorer, blend = artifact.papers, artifact.scorer, artifact.blend
    for name, draft in drafts:
        query = scorer.draft(draft, paper=papers.row(name))
        rows = scorer.candidates(query, max(depth, CANDIDATES_PER_SIGNAL))
        scored = scorer.score(query, rows)
        logits = blend.logits(scored.contributions, popularity)
        best = np.lexsort((rows, -logits))[:depth]
        yield name, [papers.id(row) for row in rows[best]], logits[best].tolist()
