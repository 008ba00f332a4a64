"""What an answer says, as messages of relatedpapers.v1.

The results of a list are put together as bytes, from papers that training serialized: a third of
the cost of filling messages. It rests on one rule of the wire format: a message is its fields one
after the other, and a double is the last 8 bytes of its field.
"""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import compress, zip_longest

from models.papers import Papers
from models.wire import varint
from relatedpapers.v1.model_service_pb2 import Corpus, Measurement, Model, Term
from relatedpapers.v1.paper_pb2 import Paper, PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    Evidence,
    ListRelatedPapersResponse,
    RelatedPaper,
    SharedTerm,
)
from relatedpapers.v1.status_pb2 import ItemStatus
from service import evidence
from service.catalog import Version
from service.errors import Reason, ServiceError
from service.lists import Results, Source
from service.reader_lists import Listed
from service.validation import cut

# Enum values are looked up once: an attribute of a protobuf enum is a search.
_ID = PaperView.PAPER_VIEW_ID
_BASIC = PaperView.PAPER_VIEW_BASIC


def _before_double(message: RelatedPaper) -> bytes:
    """The bytes of a message that ends with a double, without that double."""
    return message.SerializeToString()[:-8]


# By the numbers of sources: to look up a member of an enum is a call of Python.
_SOURCES = [
    RelatedPaper(source=number).SerializeToString()  # type: ignore[arg-type]  # of ResultSource
    for number in range(len(Source) + 1)
]
# A field that holds an empty message ends with its length, 0.
_BEFORE_PAPER = RelatedPaper(paper=Paper()).SerializeToString()[:-1]
_BEFORE_RESULT = ListRelatedPapersResponse(results=[RelatedPaper()]).SerializeToString()[:-1]

_length = lru_cache(maxsize=4096)(varint)


@lru_cache(maxsize=4096)
def _before_paper(length: int) -> bytes:
    return _BEFORE_PAPER + varint(length)


def paper(papers: Papers, row: int, view: int) -> Paper:
    """One paper, as much of it as the view says."""
    return Paper.FromString(bytes(_serialized(papers, row, view)))


def _serialized(papers: Papers, row: int, view: int) -> bytes | memoryview:
    if view == _BASIC:
        return papers.basic(row)
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


def serialized_results(
    papers: Papers, listed: Results | Listed, view: int, explained: Iterable[evidence.Evidence] = ()
) -> bytes:
    """The results of a ListRelatedPapersResponse or a RecommendPapersResponse, in their order; the
    fields that both kinds of results have are numbered alike.

    explained: the evidence of none, or of each.
    """
    bias, terms = listed.bias, listed.terms
    scored = zip(listed.scores, listed.contributions, strict=True)
    parts: list[bytes | memoryview] = []
    for row, source, score, found in zip_longest(listed.rows, listed.sources, scored, explained):
        shown = _serialized(papers, row, view)
        before = _before_paper(len(shown))
        after = _SOURCES[source]
        if score is not None:
            after += _scored(score[0], bias, terms, score[1])
        if found is not None:
            message = RelatedPaper(evidence=evidence_message(papers, found, view))
            after += message.SerializeToString()
        length = len(before) + len(shown) + len(after)
        parts += (_BEFORE_RESULT, _length(length), before, shown, after)
    return b"".join(parts)


def _scored(score: float, bias: float, terms: tuple[str, ...], values: list[float]) -> bytes:
    """The numbers of a RelatedPaper, without contributions of 0."""
    layout, parts = _layout(terms, tuple(map(bool, values)))
    parts = parts.copy()
    parts[1::2] = score, bias, *filter(None, values)
    return layout.pack(*parts)


@lru_cache(maxsize=4096)
def _layout(
    terms: tuple[str, ...], present: tuple[bool, ...]
) -> tuple[struct.Struct, list[bytes | float]]:
    """How score, bias and the contributions of these terms lie in memory, and what `pack` takes:
    before each number what stands before it."""
    parts: list[bytes | float] = [
        *(_before_double(RelatedPaper(score=1.0)), 0.0),
        *(_before_double(RelatedPaper(bias=1.0)), 0.0),
    ]
    for term in compress(terms, present):
        parts += (_before_double(RelatedPaper(contributions={term: 1.0})), 0.0)
    before = [len(part) for part in parts if isinstance(part, bytes)]
    return struct.Struct("<" + "".join(f"{length}sd" for length in before)), parts


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
            reader_count=corpus["readers"],
            first_year=corpus["first_year"] or None,
            last_year=corpus["last_year"] or None,
            sha256=corpus["sha256"],
            undirected=corpus["undirected"],
        ),
        terms=[
            Term(
                name=term["name"],
                popularity=term["kind"] == "popularity",
                description=term["description"],
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
