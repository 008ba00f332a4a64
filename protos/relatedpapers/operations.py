"""What a client can ask: each function is a method of both clients, with these parameters.

Everywhere, `timeout_seconds` is how long one call may take, its retries included; None takes the
client's own. A list or a batch of several calls gives it to each of them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypedDict, Unpack

from relatedpapers import errors
from relatedpapers.calls import MAX_PAGE_SIZE, Batch, Call, Listing, chunks, listing
from relatedpapers.v1.model_service_pb2 import (
    GetModelRequest,
    GetModelResponse,
    ListModelsRequest,
    ListModelsResponse,
    Model,
)
from relatedpapers.v1.paper_pb2 import PAPER_VIEW_UNSPECIFIED, Paper, PaperView
from relatedpapers.v1.paper_service_pb2 import (
    BatchGetPapersRequest,
    BatchGetPapersResponse,
    GetPaperRequest,
    GetPaperResponse,
)
from relatedpapers.v1.recommendation_service_pb2 import (
    BatchListRelatedPapersRequest,
    BatchListRelatedPapersResponse,
    Draft,
    ListRelatedPapersRequest,
    ListRelatedPapersResponse,
    ListTrendingPapersRequest,
    ListTrendingPapersResponse,
    PaperFilter,
    RecommendedPaper,
    RecommendPapersRequest,
    RecommendPapersResponse,
    RelatedPaper,
    SearchPapersRequest,
    SearchPapersResponse,
    SearchResult,
    TrendingPaper,
)

MAX_BATCH_LISTS = 100
MAX_BATCH_PAPERS = 1000
"""The server's own limits, as the .proto files state them."""


class RelatedPapersQuery(TypedDict, total=False):
    """The fields of `ListRelatedPapersRequest`, whose comments give ranges and defaults.

    At least one of `paper_ids` and `draft` is required. `draft` and `filter` may be plain
    dictionaries: `filter={"first_year": 2015}`.
    """

    paper_ids: Sequence[str]
    negative_paper_ids: Sequence[str]
    draft: Draft | Mapping[str, object]
    filter: PaperFilter | Mapping[str, object]
    negative_weight: float
    diversity: float
    popularity: float
    view: PaperView | str
    include_evidence: bool
    page_size: int
    page_token: str
    reader_id: str
    exclude_seen: bool


class RecommendationQuery(TypedDict, total=False):
    """The fields of `RecommendPapersRequest` beside the reader; its comments give the defaults.

    `filter` may be a plain dictionary.
    """

    filter: PaperFilter | Mapping[str, object]
    view: PaperView | str
    page_size: int
    page_token: str


class TrendingQuery(TypedDict, total=False):
    """The fields of `ListTrendingPapersRequest` beside the window; its comments give the defaults.

    `filter` may be a plain dictionary.
    """

    filter: PaperFilter | Mapping[str, object]
    view: PaperView | str
    page_size: int
    page_token: str


class SearchQuery(TypedDict, total=False):
    """The fields of `SearchPapersRequest` beside the query; its comments give the defaults.

    `filter` may be a plain dictionary.
    """

    prefix: bool
    filter: PaperFilter | Mapping[str, object]
    view: PaperView | str
    page_size: int
    page_token: str


def list_related_papers(
    *,
    limit: int | None = MAX_PAGE_SIZE,
    timeout_seconds: float | None = None,
    **query: Unpack[RelatedPapersQuery],
) -> Listing[ListRelatedPapersResponse, RelatedPaper]:
    """The papers that are related to the seeds of the query, best first, page after page.

    limit: how many results at most; None for all that the service has.
    """
    return listing(
        "/relatedpapers.v1.RecommendationService/ListRelatedPapers",
        _list_request(query),
        ListRelatedPapersResponse,
        lambda page: page.results,
        limit=limit,
        timeout_seconds=timeout_seconds,
    )


def batch_list_related_papers(
    queries: Iterable[RelatedPapersQuery], *, timeout_seconds: float | None = None
) -> Batch[ListRelatedPapersResponse | errors.RelatedPapersError]:
    """One answer for each query, in order: its first page, or the error of that query alone.

    The queries go out lazily, a hundred to a call.
    """
    return Batch(
        Call(
            "/relatedpapers.v1.RecommendationService/BatchListRelatedPapers",
            BatchListRelatedPapersRequest(requests=chunk),
            BatchListRelatedPapersResponse,
            _answers,
            timeout_seconds,
        )
        for chunk in chunks(map(_list_request, queries), MAX_BATCH_LISTS)
    )


def recommend_papers(
    reader_id: str,
    *,
    limit: int | None = MAX_PAGE_SIZE,
    timeout_seconds: float | None = None,
    **query: Unpack[RecommendationQuery],
) -> Listing[RecommendPapersResponse, RecommendedPaper]:
    """Papers for a reader, best first, page after page; what the reader has is never among them.

    limit: how many results at most; None for all that the service has.
    """
    return listing(
        "/relatedpapers.v1.RecommendationService/RecommendPapers",
        RecommendPapersRequest(reader_id=reader_id, **query),
        RecommendPapersResponse,
        lambda page: page.results,
        limit=limit,
        timeout_seconds=timeout_seconds,
    )


def search_papers(
    query: str = "",
    *,
    limit: int | None = MAX_PAGE_SIZE,
    timeout_seconds: float | None = None,
    **options: Unpack[SearchQuery],
) -> Listing[SearchPapersResponse, SearchResult]:
    """The papers that match a query, best first, page after page.

    limit: how many results at most; None for all that the service has.
    """
    return listing(
        "/relatedpapers.v1.RecommendationService/SearchPapers",
        SearchPapersRequest(query=query, **options),
        SearchPapersResponse,
        lambda page: page.results,
        limit=limit,
        timeout_seconds=timeout_seconds,
    )


def list_trending_papers(
    window: str = "",
    *,
    limit: int | None = MAX_PAGE_SIZE,
    timeout_seconds: float | None = None,
    **query: Unpack[TrendingQuery],
) -> Listing[ListTrendingPapersResponse, TrendingPaper]:
    """The papers that trend in a window, such as `day`, best first, page after page.

    limit: how many results at most; None for all that the service has.
    """
    return listing(
        "/relatedpapers.v1.RecommendationService/ListTrendingPapers",
        ListTrendingPapersRequest(window=window, **query),
        ListTrendingPapersResponse,
        lambda page: page.results,
        limit=limit,
        timeout_seconds=timeout_seconds,
    )


def get_paper(
    paper_id: str,
    *,
    view: PaperView | str = PAPER_VIEW_UNSPECIFIED,
    timeout_seconds: float | None = None,
) -> Call[Paper]:
    """One paper, by the corpus's own id or by any DOI, arXiv or URL spelling of it.

    Raises NotFoundError if the serving model does not know it.
    """
    return Call(
        "/relatedpapers.v1.PaperService/GetPaper",
        GetPaperRequest(paper_id=paper_id, view=view),
        GetPaperResponse,
        lambda response: response.paper,
        timeout_seconds,
    )


def batch_get_papers(
    paper_ids: Iterable[str],
    *,
    view: PaperView | str = PAPER_VIEW_UNSPECIFIED,
    timeout_seconds: float | None = None,
) -> Batch[tuple[str, Paper]]:
    """The known ids in order, as they were written, each with its paper; unknown ids are left out.

    The ids go out lazily, a thousand to a call.
    """

    def call(chunk: list[str]) -> Call[Iterator[tuple[str, Paper]]]:
        return Call(
            "/relatedpapers.v1.PaperService/BatchGetPapers",
            BatchGetPapersRequest(paper_ids=chunk, view=view),
            BatchGetPapersResponse,
            lambda response: _papers_by_id(chunk, response),
            timeout_seconds,
        )

    return Batch(map(call, chunks(_ids("paper_ids", paper_ids), MAX_BATCH_PAPERS)))


def get_model(version: str = "", *, timeout_seconds: float | None = None) -> Call[Model]:
    """One model, or without a version the one that serves.

    Raises NotFoundError if the service has no such version.
    """
    return Call(
        "/relatedpapers.v1.ModelService/GetModel",
        GetModelRequest(version=version),
        GetModelResponse,
        lambda response: response.model,
        timeout_seconds,
    )


def list_models(
    *, page_size: int = 0, timeout_seconds: float | None = None
) -> Listing[ListModelsResponse, Model]:
    """Every model of the service, newest first, page after page."""
    return listing(
        "/relatedpapers.v1.ModelService/ListModels",
        ListModelsRequest(page_size=page_size),
        ListModelsResponse,
        lambda page: page.models,
        timeout_seconds=timeout_seconds,
    )


def _list_request(query: RelatedPapersQuery) -> ListRelatedPapersRequest:
    _ids("paper_ids", query.get("paper_ids", ()))
    _ids("negative_paper_ids", query.get("negative_paper_ids", ()))
    return ListRelatedPapersRequest(**query)


def _ids(name: str, ids: Iterable[str]) -> Iterable[str]:
    if isinstance(ids, str):  # it would be read as ids of one letter each
        raise TypeError(f"{name} is one string; give a list of ids: [{ids!r}]")
    return ids


def _answers(
    response: BatchListRelatedPapersResponse,
) -> Iterator[ListRelatedPapersResponse | errors.RelatedPapersError]:
    for result in response.results:
        yield errors.of_item(result.status) if result.status.code else result.response


def _papers_by_id(
    paper_ids: Sequence[str], response: BatchGetPapersResponse
) -> Iterator[tuple[str, Paper]]:
    unknown = set(response.unknown_paper_ids)
    known = (paper_id for paper_id in paper_ids if paper_id not in unknown)
    return zip(known, response.papers, strict=True)
