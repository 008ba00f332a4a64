"""What a request asks for, in rows of a model."""

from collections.abc import Sequence
from typing import TypeAlias

from models.drafts import Draft
from models.first_pages import POPULARITY
from models.papers import Papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service import messages, validation
from service.filters import EVERYTHING, Filter, fold
from service.lists import Wanted

Filtered: TypeAlias = (
    pb.ListRelatedPapersRequest
    | pb.ListTrendingPapersRequest
    | pb.RecommendPapersRequest
    | pb.SearchPapersRequest
)
"""What has a filter."""


class Rows:
    """Finds the papers that a request names; `unknown` are those that the model does not know, in
    the order and spelling of the request, each once."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._unknown: dict[str, None] = {}

    @property
    def unknown(self) -> list[str]:
        """Ids that were not found."""
        return list(self._unknown)

    def find(self, field: str, ids: Sequence[str], maximum: int) -> tuple[int, ...]:
        """Rows of the papers that are known, each once. field: names the ids in an error."""
        found: dict[int, None] = {}
        for paper_id in validation.paper_ids(field, ids, maximum):
            row = self._papers.row(paper_id)
            if row is None:
                self._unknown[paper_id] = None
            else:
                found[row] = None
        return tuple(found)


def related(request: pb.ListRelatedPapersRequest, papers: Papers) -> tuple[Wanted, list[str]]:
    """What is asked for, and the ids that the model does not know. Raises ServiceError."""
    if not request.paper_ids and not request.HasField("draft"):
        raise validation.missing("paper_ids", "give at least one paper id, or a draft")
    rows = Rows(papers)
    seeds = rows.find("paper_ids", request.paper_ids, validation.MAX_SEEDS)
    negatives = request.negative_paper_ids
    wanted = Wanted(
        seeds=seeds,
        negatives=rows.find("negative_paper_ids", negatives, validation.MAX_SEEDS),
        draft=_draft(request.draft) if request.HasField("draft") else None,
        filter=paper_filter(request, rows),
        negative_weight=validation.fraction(request, "negative_weight", 0.5),
        diversity=validation.fraction(request, "diversity", 0.0),
        popularity=validation.fraction(request, "popularity", POPULARITY),
    )
    if not wanted.seeds and wanted.draft is None:
        raise messages.unknown_papers(request.paper_ids)
    return wanted, rows.unknown


def _draft(given: pb.Draft) -> Draft:
    draft = validation.draft(given)
    return Draft(
        title=draft.title,
        abstract=draft.abstract,
        keywords=tuple(draft.keywords),
        authors=tuple(draft.authors),
        references=tuple(draft.references),
        year=draft.year if draft.HasField("year") else None,
    )


def paper_filter(request: Filtered, rows: Rows) -> Filter:
    """Which papers may be listed. Raises ServiceError."""
    if not request.HasField("filter"):
        return EVERYTHING
    wanted = request.filter
    first, last = validation.years(wanted)
    validation.at_most("filter.venues", wanted.venues, validation.MAX_VENUES)
    excluded = wanted.excluded_paper_ids
    return Filter(
        first_year=first,
        last_year=last,
        venues=frozenset(fold(venue) for venue in wanted.venues),
        excluded=rows.find("filter.excluded_paper_ids", excluded, validation.MAX_EXCLUDED),
    )
