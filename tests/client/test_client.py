"""The Python client against the real service, over a real channel."""

import grpc
import pytest

from relatedpapers import (
    Client,
    InvalidRequestError,
    NotFoundError,
    RelatedPapersError,
    operations,
)
from relatedpapers.calls import MAX_PAGE_SIZE, Paging
from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersResponse
from tests.client.conftest import Caller
from tests.service import toy


async def test_a_list_goes_over_as_many_pages_as_it_needs(caller: Caller) -> None:
    query = {"paper_ids": ["graph-05"]}
    results = await caller.many("list_related_papers", **query, page_size=5, limit=12)
    whole = await caller.many("list_related_papers", **query, limit=None)
    assert [result.paper.id for result in results] == [result.paper.id for result in whole[:12]]
    assert len(whole) > 12
    assert len({result.paper.id for result in whole}) == len(whole)


async def test_pages_are_the_answers_themselves(caller: Caller) -> None:
    pages = await caller.pages(
        "list_related_papers", paper_ids=["graph-05"], page_size=5, limit=None
    )
    assert all(page.model_version and page.attribution_token for page in pages)
    assert [bool(page.next_page_token) for page in pages] == [True] * (len(pages) - 1) + [False]


async def test_one_page_can_be_taken_up_from_its_token(caller: Caller) -> None:
    query = {"paper_ids": ["graph-05"], "page_size": 3}
    first = await caller.page("list_related_papers", **query)
    second = await caller.page(
        "list_related_papers", **query, page_token=first.next_page_token, limit=0
    )
    whole = await caller.many("list_related_papers", paper_ids=["graph-05"], limit=6)
    assert [*first.results, *second.results] == whole


async def test_every_field_of_a_query_arrives(caller: Caller) -> None:
    results = await caller.many(
        "list_related_papers",
        paper_ids=["graph-05"],
        negative_paper_ids=["market-03"],
        draft={"title": "clique coloring"},
        filter={"first_year": 2004, "venues": [toy.VENUES[0]]},
        negative_weight=0.2,
        diversity=0.1,
        popularity=0.0,
        view="PAPER_VIEW_FULL",
        include_evidence=True,
        limit=3,
    )
    assert len(results) == 3
    for result in results:
        assert result.paper.year >= 2004
        assert result.paper.venue == toy.VENUES[0]
        assert result.paper.abstract
        assert result.HasField("evidence")


async def test_papers_and_models(caller: Caller) -> None:
    paper = await caller.one("get_paper", f"https://doi.org/{toy.DOI}", view="PAPER_VIEW_ID")
    assert paper.id == toy.DOI
    assert not paper.title
    serving = await caller.one("get_model")
    assert await caller.one("get_model", serving.version) == serving
    assert await caller.many("list_models", page_size=1) == [serving]


async def test_a_batch_of_papers_of_any_size(caller: Caller) -> None:
    ids = [f"graph-{number:02}" for number in range(3)] + [f"no-{n}" for n in range(1200)]
    ids += [f"doi:{toy.DOI}", "graph-00"]
    papers = await caller.many("batch_get_papers", ids)
    assert [paper_id for paper_id, _ in papers] == [*ids[:3], *ids[-2:]]
    assert dict(papers)[f"doi:{toy.DOI}"].id == toy.DOI


async def test_a_batch_of_lists_of_any_size(caller: Caller) -> None:
    queries = [{"paper_ids": ["graph-05"], "page_size": 2}] * 250
    queries[101] = {"paper_ids": ["nothing"]}
    answers = await caller.many("batch_list_related_papers", queries)
    assert len(answers) == 250
    failed = answers.pop(101)
    assert isinstance(failed, NotFoundError)
    assert failed.reason == "PAPER_NOT_FOUND"
    assert all(isinstance(answer, ListRelatedPapersResponse) for answer in answers)
    assert {len(answer.results) for answer in answers} == {2}


async def test_an_error_carries_code_reason_message_and_metadata(caller: Caller) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        await caller.many("list_related_papers", paper_ids=["graph-05"], page_size=-1)
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.reason == "FIELD_INVALID"
    assert caught.value.metadata["field"] == "page_size"
    assert str(caught.value) == f"FIELD_INVALID: {caught.value.message}"
    with pytest.raises(NotFoundError) as caught_one:
        await caller.one("get_paper", "nothing")
    assert caught_one.value.reason == "PAPER_NOT_FOUND"
    assert isinstance(caught_one.value, RelatedPapersError)


async def test_a_list_asks_nothing_before_it_is_iterated(caller: Caller) -> None:
    pages = caller.client.list_related_papers(paper_ids=["nothing"])
    with pytest.raises(NotFoundError):
        await caller.collect(pages)
    assert await caller.many("list_related_papers", paper_ids=["nothing"], limit=0) == []


@pytest.mark.parametrize("field", ["paper_ids", "negative_paper_ids"])
def test_one_string_is_not_a_list_of_ids(field: str) -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(TypeError, match=field):
        client.list_related_papers(**{field: "graph-05"})  # type: ignore[arg-type]


def test_a_negative_limit_is_refused() -> None:
    with Client("127.0.0.1:1") as client, pytest.raises(ValueError, match="limit is -1"):
        client.list_related_papers(paper_ids=["graph-05"], limit=-1)


@pytest.mark.parametrize(
    ("page_size", "limit", "asked"),
    [
        (0, 7, [7]),
        (0, 250, [100, 100, 50]),
        (40, 100, [40, 40, 20]),
        (500, 250, [250]),  # the server makes it 100 and the rest follows
        (40, None, [40, 40, 40, 40]),
        (0, None, [0, 0, 0, 0]),
    ],
)
def test_no_page_is_larger_than_what_is_wanted(
    page_size: int, limit: int | None, asked: list[int]
) -> None:
    listing = operations.list_related_papers(paper_ids=["a"], page_size=page_size, limit=limit)
    paging = Paging(listing)
    sizes: list[int] = []
    while len(sizes) < 4 and (call := paging.next_call()):
        size = call.request.page_size
        sizes.append(size)
        page = ListRelatedPapersResponse(next_page_token="more")
        for _ in range(size or MAX_PAGE_SIZE):
            page.results.add()
        paging.take(page)
    assert sizes == asked
