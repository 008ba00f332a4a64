"""SearchPapers over a real channel: filters, pages, views, and what is refused."""

import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from models.manifest import CURRENT
from models.searcher import DEPTH
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.settings import Settings
from tests.search.conftest import Search
from tests.search.corpora import Paper
from tests.search.hostile import HOSTILE
from tests.service import toy
from tests.serving import Running, Starting, put_together, train

PAPERS: dict[str, Paper] = {paper["id"]: paper for paper in toy.papers()}


def ids(answer: pb.SearchPapersResponse) -> list[str]:
    return [result.paper.id for result in answer.results]


def marked(spans: Any) -> str:
    return "".join(f"[{span.text}]" if span.highlighted else span.text for span in spans)


def with_words(*words: str) -> set[str]:
    """The papers of the toy corpus that have all of these words."""
    found = set()
    for paper_id, paper in PAPERS.items():
        texts = [paper.get("title", ""), paper.get("abstract", ""), *paper.get("keywords", [])]
        texts += [*paper.get("authors", []), paper.get("venue", "")]
        if set(words) <= set(" ".join(texts).lower().split()):
            found.add(paper_id)
    return found


async def test_an_answer_has_everything(search: Search) -> None:
    answer = await search("planar twins", view="PAPER_VIEW_FULL")
    (result,) = answer.results
    assert result.paper.id in toy.TWINS
    assert result.paper.abstract
    assert result.score > 0
    assert marked(result.title) == "Graph coloring of [planar] [twins]"
    assert marked(result.snippet) == "vertex edge clique coloring [planar] matching"
    assert answer.total == 2  # both versions match, and one is shown
    assert answer.model_version
    assert answer.attribution_token
    assert not answer.relaxed
    assert not answer.next_page_token


async def test_all_words_must_match(search: Search) -> None:
    answer = await search("graph clique", page_size=100)
    assert set(ids(answer)) | {*toy.TWINS} == with_words("graph", "clique")
    scores = [result.score for result in answer.results]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("spelling", [f"https://doi.org/{toy.DOI}", toy.DOI, f"DOI:{toy.DOI}"])
async def test_an_id_in_any_spelling_finds_its_paper(search: Search, spelling: str) -> None:
    assert ids(await search(spelling))[0] == toy.DOI


async def test_filters_are_those_of_every_list(search: Search) -> None:
    years = await search("graph", filter={"first_year": 2010, "last_year": 2012}, page_size=100)
    assert {PAPERS[each]["year"] for each in ids(years)} == {2010, 2011, 2012}
    venue = await search("graph", filter={"venues": ["  toy LETTERS"]}, page_size=100)
    assert {PAPERS[each]["venue"] for each in ids(venue)} == {"Toy Letters"}
    assert not ids(await search("graph", filter={"venues": ["nowhere"]}))
    everything = await search("coloring", page_size=100)
    excluded = {"excluded_paper_ids": [toy.TWINS[1], "graph-06", "no-such"]}
    rest = await search("coloring", filter=excluded, page_size=100)
    assert set(ids(everything)) - set(ids(rest)) <= {*toy.TWINS, "graph-06"}
    assert not {*toy.TWINS, "graph-06"} & set(ids(rest))
    assert rest.total == everything.total - 3
    assert list(rest.unknown_paper_ids) == ["no-such"]


async def test_a_filter_alone_lists_the_most_cited_first(running: Running, search: Search) -> None:
    answer = await search(filter={"venues": [toy.VENUES[0]]}, page_size=100)
    papers = running.application.core.catalog.serving.artifact.papers
    counts = [papers.citation_count[papers.row(each) or 0] for each in ids(answer)]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == answer.total - 1  # of the twins one is shown


@pytest.mark.parametrize("query", ["", " ", "\n\t"])
@pytest.mark.parametrize("only", [None, {"excluded_paper_ids": ["graph-01"]}])
async def test_nothing_to_look_for_is_refused(search: Search, query: str, only: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await search(query, filter=only)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "`query` is empty: give words to look for" in (caught.value.details() or "")


@pytest.mark.parametrize("query", ["graph", "gr", "graph unheardof"])
async def test_pages_are_cut_from_one_ranking(search: Search, query: str) -> None:
    whole = await search(query, prefix=True, page_size=100)
    found: list[str] = []
    page, size = pb.SearchPapersResponse(), 1
    while not found or page.next_page_token:
        page = await search(query, prefix=True, page_size=size, page_token=page.next_page_token)
        assert len(page.results) == size or not page.next_page_token
        assert (page.total, page.relaxed) == (whole.total, whole.relaxed)
        found += ids(page)
        size += 1
    assert found == ids(whole)


async def test_the_size_of_a_page(search: Search) -> None:
    assert len(ids(await search("graph"))) == 10
    assert len(ids(await search("author", page_size=10_000))) == len(PAPERS) - 3
    with pytest.raises(grpc.aio.AioRpcError, match="page_size"):
        await search("graph", page_size=-1)


async def test_tokens_belong_to_their_request(search: Search) -> None:
    first = await search("graph", page_size=3)
    token = first.next_page_token
    assert ids(await search("graph", page_size=5, view="PAPER_VIEW_ID", page_token=token))
    others: list[dict[str, Any]] = [
        {"query": "coloring"},
        {"prefix": True},
        {"filter": {"first_year": 2001}},
        {"page_token": first.attribution_token},
        {"page_token": token[:-2] + "AA"},
        {"page_token": "\x00é"},
    ]
    for other in others:
        with pytest.raises(grpc.aio.AioRpcError, match="page_token"):
            await search(**{"query": "graph", "page_token": token} | other)


async def test_a_list_ends(settings: Settings, tmp_path: Path) -> None:
    lines = [f'{{"id": "p{row}", "title": "graph {row}"}}\n' for row in range(DEPTH + 50)]
    (tmp_path / "papers.jsonl").write_text("".join(lines))
    model = train(tmp_path / "papers.jsonl", output=tmp_path / "many")
    async with Starting(settings.model_copy(update={"model": model})) as running:
        seen: set[str] = set()
        page, token = pb.SearchPapersResponse(), ""
        while token or not seen:
            request = pb.SearchPapersRequest(query="graph", page_size=100, page_token=token)
            page = await running.recommendations.SearchPapers(request)
            assert not seen & set(ids(page))
            seen |= set(ids(page))
            token = page.next_page_token
        assert page.total == DEPTH + 50
        assert len(seen) == DEPTH


async def test_a_list_keeps_to_its_model_when_another_serves(
    toy_model: Path, toy_model_again: Path, settings: Settings, tmp_path: Path
) -> None:
    folder = put_together(tmp_path / "models", toy_model)
    first_version = (folder / CURRENT).read_text()
    settings = settings.model_copy(update={"model": folder})
    request = pb.SearchPapersRequest(query="graph", page_size=6)
    async with Starting(settings) as running:
        page = await running.recommendations.SearchPapers(request)
        request.page_token = page.next_page_token
        second = await running.recommendations.SearchPapers(request)
    put_together(folder, toy_model_again)
    assert (folder / CURRENT).read_text() != first_version
    async with Starting(settings) as running:
        assert await running.recommendations.SearchPapers(request) == second
        shutil.rmtree(folder / first_version.strip())
    async with Starting(settings) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await running.recommendations.SearchPapers(request)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION


async def test_a_request_that_comes_again_is_answered_from_memory(
    running: Running, search: Search
) -> None:
    counters = running.application.core.cache.counters
    unknown = {"excluded_paper_ids": ["no-such"]}
    first = await search("graph", filter=unknown)
    assert (counters.local_hits, counters.misses) == (0, 1)
    assert await search("graph", filter=unknown) == first
    assert (counters.local_hits, counters.misses) == (1, 1)
    assert len(ids(await search("graph", page_size=3))) == 3
    assert (counters.local_hits, counters.misses) == (1, 2)


async def test_no_query_fails(search: Search) -> None:
    for query in HOSTILE:
        answer = await search(query.encode("utf-8", "replace").decode(), prefix=True)
        assert len(answer.results) <= answer.total


async def test_hostile_texts_come_back_as_text(settings: Settings, tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script> & \\u202e $\\\\alpha$ graph " + "x" * 10_000
    (tmp_path / "papers.jsonl").write_text(
        f'{{"id": "p", "title": "{hostile}", "abstract": "{hostile * 3}"}}\n{{"id": "q"}}\n'
    )
    model = train(tmp_path / "papers.jsonl", output=tmp_path / "hostile")
    async with Starting(settings.model_copy(update={"model": model})) as running:
        request = pb.SearchPapersRequest(query="<script> graph", view="PAPER_VIEW_FULL")
        (result,) = (await running.recommendations.SearchPapers(request)).results
    assert marked(result.title).startswith(
        "<[script]>alert(1)</[script]> & \u202e $\\alpha$ [graph]"
    )
    assert result.paper.title.startswith("".join(span.text for span in result.title))
    assert "".join(span.text for span in result.snippet)[:-1] in result.paper.abstract
