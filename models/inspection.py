"""Why papers are related, as tables for people."""

from collections.abc import Iterator

from rich.table import Table

from models.artifact import Artifact
from models.blend import probability
from models.formats import InputError

SHOWN_TERMS, SHOWN_CITING = 5, 3


def neighbor_tables(artifact: Artifact, paper_id: str, depth: int) -> Iterator[Table]:
    """Three tables: the neighbours, what each signal contributed, and the evidence.

    Raises InputError for an unknown paper.
    """
    papers, scorer, blend = artifact.papers, artifact.scorer, artifact.blend
    row = papers.row(paper_id)
    if row is None:
        raise InputError(f"{paper_id}: unknown paper; the model {artifact.version} has no such id")
    query = scorer.seed(row)
    ranking = scorer.rank(query, depth)
    seed = papers.record(row)
    neighbors = Table("#", "score", "paper", "year", title=f"Related to {seed.title or seed.id}")
    for rank, (other, logit) in enumerate(zip(ranking.rows, ranking.logits, strict=True), 1):
        record = papers.record(int(other))
        score = float(probability(logit))
        title = f"{record.title or '(no title)'}\n[dim]{record.id}[/dim]"
        neighbors.add_row(str(rank), f"{score:.3f}", title, str(record.year or ""))
    yield neighbors

    reasons = Table("#", *blend.term_names, title=f"Contributions (bias {blend.bias:.2f})")
    for rank, parts in enumerate(ranking.contributions, 1):
        reasons.add_row(str(rank), *(f"{part:+.2f}" for part in parts))
    yield reasons

    evidence = Table(
        "#", "shared terms (part of the cosine)", "cited together by", title="Evidence"
    )
    for rank, other in enumerate(ranking.rows, 1):
        shared = scorer.shared_terms(query, int(other), SHOWN_TERMS)
        citing = scorer.co_citing(row, int(other), SHOWN_CITING)
        evidence.add_row(
            str(rank),
            ", ".join(f"{term} {part:.3f}" for term, part in shared),
            "\n".join(papers.record(each).title or papers.id(each) for each in citing),
        )
    yield evidence
