"""The rank commands: lists for papers, drafts and readers from one artifact."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.batch import rank_blocks
from models.candidates import in_blocks
from models.drafts import Draft
from models.formats import InputError, read_jsonl
from models.libraries import wanted, wanted_count
from models.neighbors import CANDIDATES_PER_SIGNAL
from models.readers import RankedPapers
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
    ids = papers.ids()
    position = 0
    for block in rank_blocks(signals, features, artifact.blend, rows, depth, popularity, threads):
        for found, logits in zip(block.rows, block.logits, strict=True):
            known = found >= 0
            yield queries[position], [ids[row] for row in found[known]], logits[known].tolist()
            position += 1


def _known(row: int | None, paper_id: str) -> int:
    if row is None:
        raise InputError(f"{paper_id}: unknown paper; expected ids of papers in the model")
    return row


def read_drafts(path: Path) -> list[tuple[str, Draft]]:
    """Ids and drafts of a JSON Lines file. Raises InputError."""
    drafts: dict[str, Draft] = {}
    for line in read_jsonl([path]):
        name = line.identifier("id")
        if name in drafts:
            raise line.error(f'"id" {name!r} comes again; expected each once (a run ranks it once)')
        drafts[name] = Draft(
            title=line.text("title"),
            abstract=line.text("abstract"),
            keywords=tuple(line.texts("keywords")),
            authors=tuple(line.texts("authors")),
            references=(*line.texts("references"), *line.texts("external_references")),
            year=line.whole_number("year"),
        )
    return list(drafts.items())


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


def rank_readers(
    artifact: Artifact, readers: Sequence[str], depth: int, threads: int
) -> Iterator[RankedList]:
    """Papers for each reader, none that the reader has. A reader who wants nothing, known or not,
    gets the papers that most readers have, or recent popular ones where nobody has any."""
    model, libraries = artifact.reader_model, artifact.libraries
    known = np.array([artifact.readers.find(reader) for reader in readers], np.int64)
    # -1, an unknown reader: the 0 at the end.
    size, liked = (np.append(np.diff(each.indptr), 0) for each in (libraries, wanted(libraries)))
    popular = _popular(artifact)

    def work(block: NDArray[np.int64]) -> list[RankedPapers]:
        rows = known[block]
        personal = np.flatnonzero(liked[rows])
        has = libraries[np.maximum(rows, 0)] if len(artifact.readers) else libraries
        ranked = [
            _fallback(popular, has[at].indices if size[rows[at]] else NOTHING, depth)
            for at in range(len(block))
        ]
        if model is not None and len(personal):
            lists = model.rank(libraries[rows[personal]], depth)
            for at, each in zip(personal, lists, strict=True):
                ranked[at] = each
        return ranked

    ids = artifact.papers.ids()
    position = 0
    for block in in_blocks(np.arange(len(readers)), work, threads):
        for rows, scores in block:
            yield readers[position], [ids[row] for row in rows.tolist()], scores.tolist()
            position += 1


NOTHING = np.zeros(0, np.int32)


def _popular(artifact: Artifact) -> RankedPapers:
    """The non-personal list, all papers: what most readers have, ties by recent citations."""
    saves = wanted_count(artifact.libraries)
    citations, _, recent, *_ = np.array(artifact.scorer.features).T
    best = np.lexsort((-citations, -recent, -saves)).astype(np.int32)
    return best, np.log1p(saves[best]).astype(np.float32)


def _fallback(popular: RankedPapers, library: NDArray[np.int32], depth: int) -> RankedPapers:
    """The first of the popular papers that a library does not hold."""
    rows, scores = popular
    new = np.flatnonzero(~np.isin(rows[: depth + len(library)], library))[:depth]
    return rows[new], scores[new]
