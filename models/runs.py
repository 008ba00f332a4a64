"""The field's file formats: TREC runs, qrels, and lists of ids."""

import gzip
import math
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from models.formats import InputError

TAG = "related-papers"

Qrels = dict[str, set[str]]
Run = dict[str, list[str]]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Numbered lines, split at white space, without the blank ones."""
    try:
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, line.split()
    except (OSError, UnicodeDecodeError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: can't be read: {error}") from error


def read_ids(path: Path) -> list[str]:
    """An id a line, in order. Raises InputError where a line holds more, or an id comes again."""
    ids: dict[str, int] = {}
    for number, fields in _lines(path):
        if len(fields) != 1:
            raise InputError(f"{path}:{number}: {len(fields)} words; expected one id a line")
        if fields[0] in ids:
            raise InputError(
                f"{path}:{number}: {fields[0]} stands in line {ids[fields[0]]} already; expected "
                "each id once (a run ranks a query once)"
            )
        ids[fields[0]] = number
    return list(ids)


def read_qrels(path: Path) -> Qrels:
    """The relevant documents (gain above 0) of each query. Raises InputError."""
    relevant: defaultdict[str, set[str]] = defaultdict(set)
    for number, fields in _lines(path):
        try:
            query, _, document, gain = fields
            if float(gain) > 0:
                relevant[query].add(document)
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: expected `query 0 document gain`, found {' '.join(fields)!r}"
            ) from error
    if not relevant:
        raise InputError(f"{path}: no relevant document; expected lines `query 0 document gain`")
    return dict(relevant)


def read_run(path: Path) -> Run:
    """Each query's documents by rank.

    Raises InputError: also for a document that a query ranks twice, a score that is not a number,
    and scores that rise with the rank.
    """
    rows: defaultdict[str, list[tuple[int, str, float]]] = defaultdict(list)
    for number, fields in _lines(path):
        try:
            query, _, document, rank, score, _ = fields
            rows[query].append((int(rank), document, float(score)))
        except ValueError as error:
            raise InputError(
                f"{path}:{number}: expected `query Q0 document rank score tag`, found "
                f"{' '.join(fields)!r}"
            ) from error
    run: Run = {}
    for query, ranked in rows.items():
        ranked.sort()
        documents = [document for _, document, _ in ranked]
        scores = [score for _, _, score in ranked]
        if len(set(documents)) != len(documents):
            raise InputError(f"{path}: query {query} ranks a document twice")
        rise = any(later > earlier + 1e-9 for earlier, later in pairwise(scores))
        if rise or any(map(math.isnan, scores)):
            raise InputError(
                f"{path}: query {query} has scores that rise with rank, or are no numbers"
            )
        run[query] = documents
    return run


def write_run(path: Path, lists: Iterable[tuple[str, Sequence[str], Sequence[float]]]) -> int:
    """Write each query's documents and scores, best first; returns the number of queries.

    Written aside and renamed: the file is whole or not there. A pipe or a device is no file to
    replace: it is written as it is.
    """
    streamed = path.exists() and not path.is_file() and not path.is_dir()
    target = path if streamed else path.resolve()  # a link stays one
    aside = path if streamed else target.with_name(f".{target.name}.writing")
    queries = 0
    try:
        with aside.open("w", encoding="utf-8") as file:
            for query, documents, scores in lists:
                queries += 1
                for rank, (document, score) in enumerate(zip(documents, scores, strict=True), 1):
                    file.write(f"{query} Q0 {document} {rank} {score:.6f} {TAG}\n")
        if not streamed:
            aside.replace(target)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}") from error
    finally:
        if not streamed:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
    return queries
