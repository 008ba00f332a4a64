"""Calls that fail, over any wire: which error each must get."""

from dataclasses import dataclass

from google.protobuf.message import Message

from relatedpapers.v1 import model_service_pb2 as models_pb
from relatedpapers.v1 import paper_service_pb2 as papers_pb
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.errors import Reason
from tests.service.support import (
    BATCH,
    GET_MODEL,
    GET_PAPER,
    GET_PAPERS,
    LIST,
    LIST_MODELS,
    SEARCH,
)


@dataclass
class Case:
    """A call that fails."""

    method: str
    request: Message
    reason: Reason
    field: str | None = None
    says: str = ""

    @property
    def name(self) -> str:
        return f"{self.method.split('/')[1]} {self.reason} {self.field or ''}".strip()


def listing(**fields: object) -> pb.ListRelatedPapersRequest:
    return pb.ListRelatedPapersRequest(**{"paper_ids": ["graph-05"], **fields})  # type: ignore[arg-type]


MISSING, INVALID, TOKEN = Reason.FIELD_MISSING, Reason.FIELD_INVALID, Reason.PAGE_TOKEN_INVALID
ERRORS = [
    Case(LIST, listing(paper_ids=[]), MISSING, "paper_ids"),
    Case(LIST, listing(paper_ids=[], negative_paper_ids=["graph-05"]), MISSING, "paper_ids"),
    Case(LIST, listing(paper_ids=["graph-05", ""]), MISSING, "paper_ids[1]"),
    Case(LIST, listing(paper_ids=["x" * 1025]), INVALID, "paper_ids[0]"),
    Case(LIST, listing(paper_ids=["x"] * 101), INVALID, "paper_ids"),
    Case(LIST, listing(paper_ids=["no-such", "nor-this"]), Reason.PAPER_NOT_FOUND, says="no-such"),
    Case(LIST, listing(negative_paper_ids=["x"] * 101), INVALID, "negative_paper_ids"),
    Case(LIST, listing(page_size=-1), INVALID, "page_size"),
    Case(LIST, listing(view=9), INVALID, "view", "PAPER_VIEW_FULL"),
    Case(LIST, listing(diversity=1.5), INVALID, "diversity"),
    Case(LIST, listing(diversity=float("nan")), INVALID, "diversity"),
    Case(LIST, listing(popularity=-0.1), INVALID, "popularity"),
    Case(LIST, listing(negative_weight=float("inf")), INVALID, "negative_weight"),
    Case(LIST, listing(page_token="forged"), TOKEN, "page_token"),
    Case(
        LIST,
        listing(page_token="Zm9yZ2VkIGJ1dCBiYXNlNjQgYW5kIGxvbmcgZW5vdWdo"),
        TOKEN,
        "page_token",
    ),
    Case(LIST, listing(page_token="\x00é"), TOKEN, "page_token"),
    Case(LIST, listing(draft=pb.Draft()), MISSING, "draft"),
    Case(LIST, listing(draft=pb.Draft(title=" ", keywords=[""])), MISSING, "draft"),
    Case(LIST, listing(draft=pb.Draft(title="a", year=0)), INVALID, "draft.year"),
    Case(LIST, listing(draft=pb.Draft(title="a", references=[""])), MISSING, "draft.references[0]"),
    Case(LIST, listing(draft=pb.Draft(abstract="a" * 1_000_001)), INVALID, "draft"),
    Case(LIST, listing(filter=pb.PaperFilter(first_year=0)), INVALID, "filter.first_year"),
    Case(LIST, listing(filter=pb.PaperFilter(last_year=10_000)), INVALID, "filter.last_year"),
    Case(
        LIST,
        listing(filter=pb.PaperFilter(first_year=2010, last_year=2009)),
        INVALID,
        "filter.last_year",
        "2010",
    ),
    Case(LIST, listing(filter=pb.PaperFilter(venues=["x"] * 101)), INVALID, "filter.venues"),
    Case(
        LIST,
        listing(filter=pb.PaperFilter(excluded_paper_ids=["x"] * 1001)),
        INVALID,
        "filter.excluded_paper_ids",
    ),
    Case(SEARCH, pb.SearchPapersRequest(), MISSING, "query"),
    Case(SEARCH, pb.SearchPapersRequest(query="a", page_size=-1), INVALID, "page_size"),
    Case(SEARCH, pb.SearchPapersRequest(query="a", view=9), INVALID, "view"),  # type: ignore[arg-type]
    Case(SEARCH, pb.SearchPapersRequest(query="a", page_token="forged"), TOKEN, "page_token"),
    Case(
        SEARCH,
        pb.SearchPapersRequest(query="a", filter=pb.PaperFilter(first_year=0)),
        INVALID,
        "filter.first_year",
    ),
    Case(BATCH, pb.BatchListRelatedPapersRequest(), MISSING, "requests"),
    Case(BATCH, pb.BatchListRelatedPapersRequest(requests=[listing()] * 101), INVALID, "requests"),
    Case(GET_PAPER, papers_pb.GetPaperRequest(), MISSING, "paper_id"),
    Case(GET_PAPER, papers_pb.GetPaperRequest(paper_id="no-such"), Reason.PAPER_NOT_FOUND),
    Case(GET_PAPER, papers_pb.GetPaperRequest(paper_id="graph-05", view=9), INVALID, "view"),  # type: ignore[arg-type]
    Case(
        GET_PAPERS,
        papers_pb.BatchGetPapersRequest(paper_ids=["a", "x" * 1025]),
        INVALID,
        "paper_ids[1]",
    ),
    Case(GET_PAPERS, papers_pb.BatchGetPapersRequest(), MISSING, "paper_ids"),
    Case(
        GET_PAPERS,
        papers_pb.BatchGetPapersRequest(paper_ids=["x"] * 1001),
        INVALID,
        "paper_ids",
    ),
    Case(GET_MODEL, models_pb.GetModelRequest(version="no-such"), Reason.MODEL_NOT_FOUND),
    Case(GET_MODEL, models_pb.GetModelRequest(version="../.."), Reason.MODEL_NOT_FOUND),
    Case(LIST_MODELS, models_pb.ListModelsRequest(page_size=-1), INVALID, "page_size"),
    Case(LIST_MODELS, models_pb.ListModelsRequest(page_token="forged"), TOKEN, "page_token"),
]
