"""What an answer says, as messages of relatedpapers.v1.

The results of a list are put together as bytes, from parts that are kept: half the cost of filling
messages. It rests on one rule of the wire format: a message is its fields one after the other, and
a double is the last 8 bytes of its field.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import zip_longest

from models.papers import Papers
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
from service.recommender import Recommender, Results, Source

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
# A field that holds an empty message ends with its length, 0.
_BEFORE_PAPER = RelatedPaper(paper=Paper()).SerializeToString()[:-1]
_BEFORE_RESULT = ListRelatedPapersResponse(results=[RelatedPaper()]).SerializeToString()[:-1]


def paper(papers: Papers, row: int, view: int) -> Paper:
    """One paper, as much of it as the view says."""
    return Paper.FromString(_serialized(papers, row, view))


def _serialized(papers: Papers, row: int, view: int) -> bytes:
    if view == _BASIC:
        return _basic(papers, row)
    if view == _ID:
        return Paper(id=papers.id(row)).SerializeToString()
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


@lru_cache(maxsize=KEPT)
def _basic(papers: Papers, row: int) -> bytes:
    paper_id, title, authors, year, venue = papers.summary(row)
    return Paper(
        id=paper_id, title=title, authors=authors, year=year, venue=venue
    ).SerializeToString()


def serialized_results(
    recommender: Recommender,
    results: Results,
    view: int,
    explained: Iterable[evidence.Evidence] = (),
) -> bytes:
    """The results of a ListRelatedPapersResponse, in their order; `explained`: none, or of each."""
    papers = recommender.artifact.papers
    before_terms = _before_terms(recommender.artifact.blend.term_names)
    bias = _BEFORE_BIAS + _double(results.bias)
    scored = zip(results.scores, results.contributions.tolist(), strict=True)
    parts: list[bytes] = []
    for row, source, found in zip_longest(results.rows, results.sources, explained):
        paper = _serialized(papers, row, view)
        fields = [_BEFORE_PAPER, _length(len(paper)), paper, _SOURCES[source]]
        if source is Source.MODEL:
            score, contributions = next(scored)
            fields += (_BEFORE_SCORE, _double(score), bias)
            for before, value in zip(before_terms, contributions, strict=True):
                if value != 0.0:
                    fields += (before, _double(value))
        if found is not None:
            message = RelatedPaper(evidence=evidence_message(papers, found, view))
            fields.append(message.SerializeToString())
        result = b"".join(fields)
        parts += (_BEFORE_RESULT, _length(len(result)), result)
    return b"".join(parts)


@lru_cache
def _before_terms(terms: tuple[str, ...]) -> list[bytes]:
    """What stands before each term's contribution."""
    return [_before_double(RelatedPaper(contributions={term: 1.0})) for term in terms]


@lru_cache(maxsize=4096)
def _length(size: int) -> bytes:
    """A length as the wire format writes it: 7 bits a byte, the lowest first."""
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
    first = paper_ids[0]
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
