"""What an answer says, as messages of relatedpapers.v1."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from models.papers import Papers
from relatedpapers.v1.model_service_pb2 import Corpus, Measurement, Model, Term
from relatedpapers.v1.paper_pb2 import Paper, PaperView
from relatedpapers.v1.recommendation_service_pb2 import (
    Evidence,
    ListRelatedPapersResponse,
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


def add_results(
    response: ListRelatedPapersResponse, recommender: Recommender, results: Results, view: int
) -> None:
    """One message for each result, in their order, made where it stays: a copy costs as much."""
    papers = recommender.artifact.papers
    terms = recommender.artifact.blend.term_names
    scored = zip(results.scores, results.contributions.tolist(), strict=True)
    for row, source in zip(results.rows, results.sources, strict=True):
        message = response.results.add(source=int(source))
        message.paper.MergeFromString(_serialized(papers, row, view))
        if source is Source.MODEL:
            message.score, contributions = next(scored)
            message.bias = results.bias
            by_term = message.contributions
            for term, value in zip(terms, contributions, strict=True):
                if value != 0.0:
                    by_term[term] = value


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
