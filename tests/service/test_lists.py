"""ListRelatedPapers over a real channel, on the toy corpus."""

import math
import shutil
from pathlib import Path

import grpc
import pytest

from models.manifest import CURRENT
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service.lists import Source
from service.settings import Settings
from tests.service import toy
from tests.serving import Running, Starting, put_together

EVERY_ID = [paper["id"] for paper in toy.papers()]
DRAFT = pb.Draft(title="Planar graph coloring", references=["graph-01"])
MODEL = pb.ResultSource.RESULT_SOURCE_MODEL


def ids(response: pb.ListRelatedPapersResponse) -> list[str]:
    return [result.paper.id for result in response.results]


async def related(running: Running, *seeds: str, **fields: object) -> pb.ListRelatedPapersResponse:
    request = pb.ListRelatedPapersRequest(paper_ids=seeds, **fields)  # type: ignore[arg-type]
    response: pb.ListRelatedPapersResponse = await running.recommendations.ListRelatedPapers(
        request
    )
    return response


@pytest.mark.parametrize("popularity", [0.0, 0.5, 1.0])
async def test_every_score_is_the_sum_of_its_parts(running: Running, popularity: float) -> None:
    for paper_id in EVERY_ID:
        for negatives in ([], ["market-05"]):
            response = await related(
                running,
                paper_id,
                negative_paper_ids=negatives,
                popularity=popularity,
                page_size=100,
            )
            for result in response.results:
                if result.source != MODEL:
                    assert not result.HasField("score")
                    assert not result.HasField("bias")
                    assert not result.contributions
                    continue
                logit = result.bias + sum(result.contributions.values())
                assert result.score == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)


async def test_no_list_holds_a_seed_a_paper_twice_or_both_versions(running: Running) -> None:
    for paper_id in EVERY_ID:
        found = ids(await related(running, paper_id, page_size=100))
        assert paper_id not in found
        assert len(found) == len(set(found))
        assert len({*toy.TWINS} & {*found}) == (0 if paper_id in toy.TWINS else 1)


@pytest.mark.parametrize("size", [1, 7, 55, 56])
@pytest.mark.parametrize(
    "fields",
    [
        {"paper_ids": ["graph-05"]},
        {"paper_ids": ["graph-05", "market-05"], "negative_paper_ids": ["protein-05"]},
        {"paper_ids": ["graph-05"], "diversity": 0.7},
        {"draft": DRAFT},
        {"paper_ids": ["graph-05"], "filter": pb.PaperFilter(first_year=2004, last_year=2012)},
    ],
    ids=["plain", "several", "diverse", "draft", "filtered"],
)
async def test_pages_neither_repeat_nor_skip(
    running: Running, fields: dict[str, object], size: int
) -> None:
    whole = await running.recommendations.ListRelatedPapers(
        pb.ListRelatedPapersRequest(page_size=100, **fields)  # type: ignore[arg-type]
    )
    fields = dict(fields)
    seeds = fields.pop("paper_ids", [])
    assert isinstance(seeds, list)
    found: list[str] = []
    token = ""
    while token or not found:
        page = await related(running, *seeds, page_size=size, page_token=token, **fields)
        found += ids(page)
        token = page.next_page_token
        assert len(page.results) == size or not token
    assert found == ids(whole)


async def test_size_view_and_evidence_may_change_from_page_to_page(running: Running) -> None:
    whole = await related(running, "graph-05", page_size=20)
    first = await related(running, "graph-05", page_size=4)
    second = await related(
        running,
        "graph-05",
        page_size=6,
        page_token=first.next_page_token,
        view=PaperView.PAPER_VIEW_ID,
        include_evidence=True,
    )
    assert ids(first) + ids(second) == ids(whole)[:10]


async def test_a_large_page_size_is_the_maximum_and_none_is_ten(running: Running) -> None:
    assert len((await related(running, "graph-05")).results) == 10
    assert len((await related(running, "graph-05", page_size=2**31 - 1)).results) == 55


async def test_filters_fill_pages(running: Running) -> None:
    everything = ids(await related(running, "graph-05", page_size=100))
    by_id = {paper["id"]: paper for paper in toy.papers()}
    years = {each: by_id[each].get("year", 0) for each in everything}
    response = await related(
        running, "graph-05", filter=pb.PaperFilter(first_year=2004, last_year=2016), page_size=30
    )
    assert ids(response) == [each for each in everything if 2004 <= years[each] <= 2016][:30]
    venue = pb.PaperFilter(venues=["  toy LETTERS ", "Another"])
    response = await related(running, "graph-05", filter=venue, page_size=20)
    expected = [each for each in everything if by_id[each].get("venue") == "Toy Letters"]
    assert sorted(ids(response)) == sorted(expected[:20])
    response = await related(running, "graph-05", filter=pb.PaperFilter(venues=["Nowhere"]))
    assert not response.results
    assert not response.next_page_token


async def test_an_excluded_paper_takes_its_other_version_with_it(running: Running) -> None:
    excluded = pb.PaperFilter(excluded_paper_ids=["graph-06", toy.TWINS[1], "unknown"])
    response = await related(running, "graph-05", filter=excluded, page_size=100)
    assert not {"graph-06", *toy.TWINS} & {*ids(response)}
    assert list(response.unknown_paper_ids) == ["unknown"]


async def test_unknown_ids_are_listed_once_when_others_are_known(running: Running) -> None:
    response = await related(
        running, "no-such", "graph-05", "no-such", negative_paper_ids=["nor-this"]
    )
    assert ids(response) == ids(await related(running, "graph-05"))
    assert list(response.unknown_paper_ids) == ["no-such", "nor-this"]


@pytest.mark.parametrize(
    ("spelling", "paper_id"),
    [
        (toy.DOI, toy.DOI),
        (f"doi:{toy.DOI}", toy.DOI),
        (f"https://doi.org/{toy.DOI}", toy.DOI),
        (f"http://dx.doi.org/{toy.DOI}", toy.DOI),
        ("1706.03762", toy.ARXIV),
        ("arXiv:1706.03762v5", toy.ARXIV),
        ("https://arxiv.org/abs/1706.03762v2", toy.ARXIV),
        ("https://arxiv.org/pdf/1706.03762.pdf", toy.ARXIV),
        ("10.48550/arXiv.1706.03762", toy.ARXIV),
    ],
)
async def test_every_spelling_is_one_paper(running: Running, spelling: str, paper_id: str) -> None:
    assert ids(await related(running, spelling)) == ids(await related(running, paper_id))


async def test_negatives_move_the_list_away(running: Running) -> None:
    both = ["graph-05", "market-05"]
    plain = ids(await related(running, *both, page_size=20))
    away = await related(
        running, *both, negative_paper_ids=["market-06"], negative_weight=1.0, page_size=20
    )

    def markets(found: list[str]) -> int:
        return sum(toy.subject(each) == "market" for each in found)

    assert "market-06" not in ids(away)
    assert markets(ids(away)) < markets(plain)


async def test_negatives_without_weight_are_only_left_out(running: Running) -> None:
    plain = await related(running, "graph-05", page_size=100)
    fields = {"negative_paper_ids": ["market-06"], "negative_weight": 0.0}
    without = await related(running, "graph-05", page_size=100, **fields)
    scores = {each.paper.id: each.score for each in plain.results if each.paper.id != "market-06"}
    found = {each.paper.id: each.score for each in without.results}
    assert found == pytest.approx(scores, rel=1e-5)  # a logit is a sum of float32


async def test_a_draft_finds_its_subject(running: Running) -> None:
    response = await related(running, draft=DRAFT)
    assert {toy.subject(each) for each in ids(response)} == {"graph"}


async def test_views(running: Running) -> None:
    by_view = {
        view: (await related(running, "graph-05", view=view)).results[0].paper
        for view in PaperView.values()
    }
    bare, basic, full = (by_view[view] for view in (1, 2, 3))
    assert by_view[PaperView.PAPER_VIEW_UNSPECIFIED] == basic
    assert not bare.title
    assert not bare.HasField("year")
    assert basic.title
    assert not basic.abstract
    assert not basic.HasField("citation_count")
    assert full.abstract
    assert full.HasField("citation_count")
    assert bare.id == basic.id == full.id


async def test_evidence_can_be_checked_by_hand(running: Running) -> None:
    references = {paper["id"]: {*paper.get("references", [])} for paper in toy.papers()}
    response = await related(running, "graph-05", include_evidence=True, page_size=15)
    for result in response.results:
        evidence = result.evidence
        assert evidence.seed_paper_id == "graph-05"
        both = {
            paper for paper, cited in references.items() if {"graph-05", result.paper.id} <= cited
        }
        citing = [paper.id for paper in evidence.citing_papers]
        assert {*citing} <= both
        assert len(citing) == min(len(both), 5)
        shares = [term.weight for term in evidence.shared_terms]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1.0001
    assert any(result.evidence.citing_papers for result in response.results)
    of_draft = await related(running, draft=DRAFT, include_evidence=True)
    for result in of_draft.results:
        assert not result.evidence.seed_paper_id
        assert result.evidence.shared_terms
        assert not result.evidence.citing_papers


async def test_evidence_names_the_nearest_seed(running: Running) -> None:
    response = await related(running, "market-05", "graph-05", include_evidence=True, page_size=30)
    for result in response.results:
        subject = toy.subject(result.paper.id)
        if subject in {"graph", "market"}:
            assert toy.subject(result.evidence.seed_paper_id) == subject


def test_sources_are_numbered_as_in_the_api() -> None:
    names = {
        "RESULT_SOURCE_UNSPECIFIED": 0,
        "RESULT_SOURCE_MODEL": Source.MODEL,
        "RESULT_SOURCE_TEXT_FALLBACK": Source.TEXT,
        "RESULT_SOURCE_POPULAR_FALLBACK": Source.POPULAR,
        "RESULT_SOURCE_TRENDING": Source.TRENDING,
    }
    assert dict(pb.ResultSource.items()) == names


async def test_an_answer_names_its_model_and_itself(running: Running) -> None:
    first = await related(running, "graph-05")
    again = await related(running, "graph-05")
    other = await related(running, "graph-06")
    assert first.model_version == running.application.core.catalog.serving.artifact.version
    assert first.attribution_token == again.attribution_token != other.attribution_token


async def test_a_batch_fails_item_by_item(running: Running) -> None:
    requests = [
        pb.ListRelatedPapersRequest(paper_ids=["graph-05"]),
        pb.ListRelatedPapersRequest(paper_ids=["no-such"]),
        pb.ListRelatedPapersRequest(),
        pb.ListRelatedPapersRequest(draft=DRAFT, page_size=3),
    ]
    response = await running.recommendations.BatchListRelatedPapers(
        pb.BatchListRelatedPapersRequest(requests=requests)
    )
    codes = [result.status.code for result in response.results]
    assert codes == [0, grpc.StatusCode.NOT_FOUND.value[0], 3, 0]
    reasons = [result.status.reason for result in response.results]
    assert reasons == ["", "PAPER_NOT_FOUND", "FIELD_MISSING", ""]
    assert [result.HasField("response") for result in response.results] == [
        True,
        False,
        False,
        True,
    ]
    assert response.results[0].response == await related(running, "graph-05")
    assert response.results[1].status.metadata["paper_id"] == "no-such"
    assert len(response.results[3].response.results) == 3


async def test_a_list_keeps_to_its_model_when_another_serves(
    toy_model: Path, toy_model_again: Path, settings: Settings, tmp_path: Path
) -> None:
    # Given a model folder with two versions, of which the first serves
    folder = put_together(tmp_path / "models", toy_model_again, toy_model)
    first_version = (folder / CURRENT).read_text()
    second_version = (toy_model_again / CURRENT).read_text()
    assert second_version != first_version
    settings = settings.model_copy(update={"model": folder})
    async with Starting(settings) as running:
        whole = await related(running, "graph-05", page_size=12)
        page = await related(running, "graph-05", page_size=6)
    # When the second one serves in the middle of a list
    (folder / CURRENT).write_text(second_version)
    async with Starting(settings) as running:
        assert (await related(running, "graph-05")).model_version == second_version.strip()
        rest = await related(running, "graph-05", page_size=6, page_token=page.next_page_token)
        # Then the list goes on with the model that began it
        assert rest.model_version == first_version.strip()
        assert ids(page) + ids(rest) == ids(whole)
    # And when that is gone, the answer says so
    shutil.rmtree(folder / first_version.strip())
    async with Starting(settings) as running:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await related(running, "graph-05", page_token=page.next_page_token)
    assert caught.value.code() == grpc.StatusCode.FAILED_PRECONDITION
    assert first_version.strip() in (caught.value.details() or "")


async def test_a_request_that_comes_again_is_answered_from_memory(running: Running) -> None:
    counters = running.application.core.cache.counters
    first = await related(running, "graph-02")
    assert (counters.local_hits, counters.misses) == (0, 1)
    assert await related(running, "graph-02") == first
    assert (counters.local_hits, counters.misses) == (1, 1)
    # Whatever differs is another request
    assert len(ids(await related(running, "graph-02", page_size=3))) == 3
    assert ids(await related(running, "graph-05")) != ids(first)
    assert (counters.local_hits, counters.misses) == (1, 3)
