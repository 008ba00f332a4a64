"""What an answer says, as messages of relatedpapers.v1.

The results of a list are put together as bytes, from parts that are kept: half the cost of filling
messages. It rests on one rule of the wire format: a message is its fields one after the other, and
a double is the last 8 bytes of its field.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, zip_longest

from models.papers import Papers, Summary
from relatedpapers.v1.model_service_pb2 import Corpus, Measurement, Model, Term
from relatedpapers.v1.paper_pb2 import Paper, PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    Evidence,
    ListRelatedPapersResponse,
    RelatedPaper,
    ResultSource,
    SharedTerm,
)
from relatedpapers.v1.status_pb2 import ItemStatus
from service import evidence
from service.catalog import Version
from service.errors import Reason, ServiceError
from service.lists import Results, Source
from service.reader_lists import Listed
from service.validation import cut

KEPT = 65_536
"""Papers kept in their basic view, as bytes, half a kilobyte each: lists share many of them, and
one that is kept costs a tenth of one that is read."""

# Enum values are looked up once: an attribute of a protobuf enum is a search.
_ID = PaperView.PAPER_VIEW_ID
_BASIC = PaperView.PAPER_VIEW_BASIC


def _before_double(message: RelatedPaper) -> bytes:
    """The bytes of a message that ends with a double, without that double."""
    return message.SerializeToString()[:-8]


_double = struct.Struct("<d").pack
_BEFORE_SCORE = _before_double(RelatedPaper(score=1.0))
_BEFORE_BIAS = _before_double(RelatedPaper(bias=1.0))
_SOURCES = {
    Source(number): RelatedPaper(source=ResultSource.Name(number)).SerializeToString()
    for number in ResultSource.values()
    if number != ResultSource.RESULT_SOURCE_UNSPECIFIED
}
# A field that holds an empty message ends with its length, 0; one that holds a short text or a
# small number ends with a byte for each character, or for the number, after it.
_BEFORE_ID = Paper(id="x").SerializeToString()[:-2]
_BEFORE_TITLE = Paper(title="x").SerializeToString()[:-2]
_BEFORE_AUTHOR = Paper(authors=["x"]).SerializeToString()[:-2]
_BEFORE_VENUE = Paper(venue="x").SerializeToString()[:-2]
_BEFORE_YEAR = Paper(year=1).SerializeToString()[:-1]
_BEFORE_PAPER = RelatedPaper(paper=Paper()).SerializeToString()[:-1]
_BEFORE_RESULT = ListRelatedPapersResponse(results=[RelatedPaper()]).SerializeToString()[:-1]


def paper(papers: Papers, row: int, view: int) -> Paper:
    """One paper, as much of it as the view says."""
    return Paper.FromString(_serialized(papers, row, view))


def _serialized(papers: Papers, row: int, view: int) -> bytes:
    if view == _ID:
        return Paper(id=papers.id(row)).SerializeToString()
    if view == _BASIC:
        return _basic(papers.summary(row))
    record = papers.record(row)
    return Paper(
        id=record.id,
        title=record.title,
        authors=record.authors,
        year=record.year,
        venue=record.venue,
        abstract=record.abstract,
        keywords=record.keywords,
        citation_count=record.citation_count,
        reference_count=record.reference_count,
    ).SerializeToString()


def serialized_results(
    papers: Papers, listed: Results | Listed, view: int, explained: Iterable[evidence.Evidence] = ()
) -> bytes:
    """The results of a ListRelatedPapersResponse or a RecommendPapersResponse, in their order; the
    fields that both kinds of results have are numbered alike.

    explained: the evidence of none, or of each.
    """
    bias, terms = _BEFORE_BIAS + _double(listed.bias), listed.terms
    scored = zip(listed.scores, listed.contributions, strict=True)
    parts: list[bytes] = []
    for row, source, score, found in zip_longest(listed.rows, listed.sources, scored, explained):
        fields = [_paper_field(papers, row, view), _SOURCES[source]]
        if score is not None:
            total, contributions = score
            fields += (_BEFORE_SCORE, _double(total), bias, _contributions(terms, contributions))
        if found is not None:
            message = RelatedPaper(evidence=evidence_message(papers, found, view))
            fields.append(message.SerializeToString())
        result = b"".join(fields)
        parts += (_BEFORE_RESULT, _length(len(result)), result)
    return b"".join(parts)


def _basic(summary: Summary) -> bytes:
    """What the basic view of a Paper serialises to, straight from the bytes of its texts."""
    parts = [_text(_BEFORE_ID, summary.id), _text(_BEFORE_TITLE, summary.title)]
    parts += [_BEFORE_AUTHOR + _length(len(name)) + name for name in summary.authors]
    if summary.year:
        parts.append(_BEFORE_YEAR + _length(summary.year))
    parts.append(_text(_BEFORE_VENUE, summary.venue))
    return b"".join(parts)


def _text(before: bytes, text: memoryview) -> bytes:
    return before + _length(len(text)) + text if text else b""


def _paper_field(papers: Papers, row: int, view: int) -> bytes:
    """The `paper` of a RelatedPaper."""
    return _basic_field(papers, row) if view == _BASIC else _field(_serialized(papers, row, view))


@lru_cache(maxsize=KEPT)
def _basic_field(papers: Papers, row: int) -> bytes:
    return _field(_serialized(papers, row, _BASIC))


def _field(paper: bytes) -> bytes:
    return _BEFORE_PAPER + _length(len(paper)) + paper


def _contributions(terms: tuple[str, ...], values: list[float]) -> bytes:
    """The `contributions` of a RelatedPaper, without those of 0."""
    layout, parts = _layout(terms, tuple(map(bool, values)))
    parts = parts.copy()
    parts[1::2] = filter(None, values)
    return layout.pack(*parts)


@lru_cache(maxsize=4096)
def _layout(
    terms: tuple[str, ...], present: tuple[bool, ...]
) -> tuple[struct.Struct, list[bytes | float]]:
    """How the contributions of these terms lie in memory, and what `pack` takes: before each
    number what stands before it."""
    parts: list[bytes | float] = []
    for term in compress(terms, present):
        parts += (_before_double(RelatedPaper(contributions={term: 1.0})), 0.0)
    before = [len(part) for part in parts if isinstance(part, bytes)]
    return struct.Struct("<" + "".join(f"{length}sd" for length in before)), parts


@lru_cache(maxsize=4096)
def _length(size: int) -> bytes:
    """A length or number as the wire format writes it: 7 bits a byte, the lowest first."""
    low, high = size & 0x7F, size >> 7
    return bytes([low | 0x80]) + _length(high) if high else bytes([low])


def evidence_message(papers: Papers, found: evidence.Evidence, view: int) -> Evidence:
    """What connects a result to its seed."""
    return Evidence(
        seed_paper_id="" if found.seed is None else papers.id(found.seed),
        shared_terms=[SharedTerm(term=term, weight=weight) for term, weight in found.terms],
        citing_papers=[paper(papers, row, view) for row in found.citing],
    )


def item_status(error: ServiceError) -> ItemStatus:
    """Why an item of a batch failed."""
    return ItemStatus(
        code=error.code, reason=error.reason, message=error.message, metadata=error.metadata
    )


def unknown_papers(paper_ids: Sequence[str]) -> ServiceError:
    """The error of a call all of whose papers are unknown."""
    first = cut(paper_ids[0])
    others = f" and {len(paper_ids) - 1:,} more" if len(paper_ids) > 1 else ""
    message = (
        f"The model knows no paper {first!r}{others}: give an id of its corpus, or the DOI, arXiv "
        "id or URL of one."
    )
    return ServiceError(Reason.PAPER_NOT_FOUND, message, paper_id=first)


def model(version: Version) -> Model:
    """One version, as its manifest describes it."""
    manifest = version.manifest
    corpus = manifest.corpus
    message = Model(
        version=manifest.version,
        serving=version.serving,
        format_version=manifest.format_version,
        corpus=Corpus(
            paper_count=corpus["papers"],
            citation_count=corpus["citations"],
            reader_count=corpus.get("readers", 0),
            first_year=corpus["first_year"] or None,
            last_year=corpus["last_year"] or None,
            sha256=corpus["sha256"],
            undirected=corpus["undirected"],
        ),
        terms=[
            Term(
                name=term["name"],
                popularity=term["kind"] == "popularity",
                description=term.get("description", ""),
            )
            for term in manifest.terms
        ],
        evaluation=[
            Measurement(name=name, value=value) for name, value in _figures(manifest.evaluation)
        ],
    )
    message.create_time.FromNanoseconds(version.written_nanoseconds)
    return message


def _figures(evaluation: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, float]]:
    """The numbers of a nested evaluation, named by their path."""
    for name, value in evaluation.items():
        if isinstance(value, Mapping):
            yield from _figures(value, f"{prefix}{name}.")
        elif isinstance(value, int | float):
            yield prefix + name, float(value)
