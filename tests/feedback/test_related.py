"""ListRelatedPapers for one reader, and after readers began to read papers together."""

import asyncio
import math
from collections.abc import Mapping
from pathlib import Path

import grpc
import numpy as np
import pytest
from redis.asyncio import Redis

from models.artifact import Artifact
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.deltas import Delta, DeltaPublisher
from service.settings import Settings
from tests.feedback import support
from tests.feedback.support import event, reasons
from tests.service import toy
from tests.serving import Running, Starting
from tests.support import wait_until

MODEL = pb.ResultSource.RESULT_SOURCE_MODEL


@pytest.fixture(params=["toy_model", "toy_reader_model"])
def settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """The toy model without and with readers, and an empty state."""
    model: Path = request.getfixturevalue(request.param)
    return settings.model_copy(update={"model": model})


async def related(running: Running, *seeds: str, **fields: object) -> pb.ListRelatedPapersResponse:
    request = pb.ListRelatedPapersRequest(paper_ids=seeds, **fields)  # type: ignore[arg-type]
    response: pb.ListRelatedPapersResponse = await running.recommendations.ListRelatedPapers(
        request
    )
    return response


async def write(running: Running, reader: str, *events: tuple[str, str]) -> None:
    """Events of one reader, each a type and a paper."""
    made = [event(reader_id=reader, type=kind, paper_id=paper) for kind, paper in events]
    assert reasons(await support.write(running, made)) == [""] * len(made)


def ids(response: pb.ListRelatedPapersResponse) -> list[str]:
    return [result.paper.id for result in response.results]


def works(response: pb.ListRelatedPapersResponse) -> set[str]:
    """The papers of a list, both versions of one work by one name."""
    return {toy.TWINS[0] if paper in toy.TWINS else paper for paper in ids(response)}


def assert_scores_are_sums(response: pb.ListRelatedPapersResponse) -> None:
    scored = [result for result in response.results if result.source == MODEL]
    for result in scored:
        logit = result.bias + sum(result.contributions.values())
        assert result.score == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-6)


KEPT_PAGE = 50
"""Results: the longest first page that is kept in memory."""


async def publish(
    settings: Settings, artifact: Artifact, co_read: Mapping[str, Mapping[str, float]]
) -> None:
    """Deltas as the updater publishes them: papers that readers read together, by similarity."""
    model, papers = artifact.reader_model, artifact.papers
    assert model is not None
    client = Redis.from_url(settings.state_url or "")
    publisher = DeltaPublisher(client, artifact.version)
    assert await publisher.hold()
    deltas: dict[int, Delta | None] = {}
    for paper, others in co_read.items():
        row = papers.row(paper)
        assert row is not None
        rows = np.array([papers.row(other) for other in others], np.int32)
        similarities = np.array([*others.values()], np.float32)
        factors, text = model.item_factors[row], model.smoothed_text[row]
        deltas[row] = Delta(0, factors, text, 3.0, rows, similarities)
    await publisher.publish(deltas)
    await publisher.release()
    await client.aclose()


async def follow(running: Running, papers: int) -> None:
    """Wait until the server has the deltas of so many papers."""
    live = running.application.core.live
    assert live is not None

    def applied() -> bool:
        return live.items is not None and len(live.items.co_read) == papers

    await asyncio.to_thread(wait_until, applied, "the server follows")


def artifact_of(running: Running) -> Artifact:
    return running.application.core.catalog.serving.artifact


async def test_a_pair_that_readers_read_together_rises(
    running: Running, settings: Settings
) -> None:
    before = await related(running, "graph-05", page_size=100)
    pair = {"graph-05": {"market-07": 0.9}, "market-07": {"graph-05": 0.9}}
    await publish(settings, artifact_of(running), pair)
    await follow(running, 2)
    after = await related(running, "graph-05", page_size=100)
    assert_scores_are_sums(after)
    assert ids(after).index("market-07") < ids(before).index("market-07")
    [found] = [result for result in after.results if result.paper.id == "market-07"]
    assert found.source == MODEL
    assert found.contributions["co_readers"] > 0
    assert sorted(ids(after)) == sorted(ids(before))
    # The other paper's list, too, and nobody else's
    other = await related(running, "market-07", page_size=100)
    assert ids(other).index("graph-05") < 20
    several = await related(running, "graph-05", "graph-06", page_size=100)
    [shared] = [result for result in several.results if result.paper.id == "market-07"]
    half = found.contributions["co_readers"] / 2
    assert shared.contributions["co_readers"] == pytest.approx(half, rel=1e-4)
    assert_scores_are_sums(several)
    against = await related(running, "market-05", negative_paper_ids=["graph-05"], page_size=100)
    [away] = [result for result in against.results if result.paper.id == "market-07"]
    assert (
        away.contributions["co_readers"] < 0 or "co_readers" in artifact_of(running).blend.signals
    )
    assert_scores_are_sums(against)


async def test_an_answer_that_was_kept_follows_the_readers_too(
    running: Running, settings: Settings
) -> None:
    before = await related(running, "graph-05", page_size=KEPT_PAGE)
    assert await related(running, "graph-05", page_size=KEPT_PAGE) == before
    await publish(settings, artifact_of(running), {"graph-05": {"market-07": 0.9}})
    await follow(running, 1)
    after = await related(running, "graph-05", page_size=KEPT_PAGE)
    assert ids(after).index("market-07") < ids(before).index("market-07")


async def test_lists_of_other_papers_stay_to_the_byte(running: Running, settings: Settings) -> None:
    before = await related(running, "protein-05")
    await publish(settings, artifact_of(running), {"graph-05": {"market-07": 0.9}})
    await follow(running, 1)
    assert await related(running, "protein-05") == before


@pytest.mark.parametrize("fields", [{}, {"reader_id": "anne"}, {"diversity": 0.5}])
async def test_pages_neither_repeat_nor_skip(
    running: Running, settings: Settings, fields: dict[str, object]
) -> None:
    await write(running, "anne", ("save", "graph-09"))
    await publish(settings, artifact_of(running), {"graph-05": {"market-07": 0.9}})
    await follow(running, 1)
    whole = await related(running, "graph-05", page_size=100, **fields)
    found: list[str] = []
    token = ""
    for number in range(20):
        page = await related(running, "graph-05", page_size=6, page_token=token, **fields)
        found += ids(page)
        token = page.next_page_token
        assert len(page.results) == 6 or not token
        if not token:
            break
        if number == 2:  # the list changes while it is read
            await write(running, "anne", ("save", "market-08"))
            await publish(settings, artifact_of(running), {"graph-06": {"protein-07": 0.9}})
            await follow(running, 2)
    assert not token
    assert sorted(found) == sorted(ids(whole))


async def test_a_plain_list_that_was_begun_ends_as_it_was(
    running: Running, settings: Settings
) -> None:
    whole = await related(running, "graph-05", page_size=20)
    first = await related(running, "graph-05", page_size=5)
    await publish(settings, artifact_of(running), {"graph-05": {"market-07": 0.9}})
    await follow(running, 1)
    rest = await related(running, "graph-05", page_size=15, page_token=first.next_page_token)
    assert ids(first) + ids(rest) == ids(whole)


async def test_a_reader_reorders_a_list(running: Running) -> None:
    plain = await related(running, "graph-05", page_size=100)
    await write(running, "anne", ("save", "market-03"), ("hide", ids(plain)[0]))
    personal = await related(running, "graph-05", page_size=100, reader_id="anne")
    assert personal.reader_revision
    assert_scores_are_sums(personal)
    assert works(plain) - works(personal) == {ids(plain)[0]}, "what is hidden is left out"
    place = {paper: number for number, paper in enumerate(ids(plain))}
    terms = {
        result.paper.id: result.contributions["reader"]
        for result in personal.results
        if result.source == MODEL
    }
    best = max(terms, key=lambda paper: terms[paper])
    assert best == "market-03"
    assert terms[best] > 0
    assert ids(personal).index(best) < place[best]
    # What each signal says of the pair is as it was
    before = {result.paper.id: result for result in plain.results}
    for result in [each for each in personal.results if each.paper.id in before]:
        contributions = {**result.contributions}
        contributions.pop("reader", None)
        assert contributions == pytest.approx({**before[result.paper.id].contributions}, abs=1e-5)


async def test_what_a_reader_has_is_left_out_on_request(running: Running) -> None:
    plain = await related(running, "graph-05", page_size=100)
    seen = ["graph-06", "graph-08", "graph-10"]
    await write(running, "anne", ("save", seen[0]), ("click", seen[1]), ("hide", seen[2]))
    listed = await related(running, "graph-05", page_size=100, reader_id="anne")
    assert works(plain) - works(listed) == {seen[2]}
    fields = {"reader_id": "anne", "exclude_seen": True}
    unseen = await related(running, "graph-05", page_size=100, **fields)
    assert works(plain) - works(unseen) == {*seen}
    assert {toy.subject(each) for each in ids(unseen)[:8]} == {"graph"}


async def test_an_unknown_reader_changes_nothing(running: Running) -> None:
    plain = await related(running, "graph-05")
    unknown = await related(running, "graph-05", reader_id="nobody", include_evidence=True)
    assert ids(unknown) == ids(plain)
    assert not unknown.reader_revision
    assert all("reader" not in result.contributions for result in unknown.results)
    assert all(result.evidence.shared_terms for result in unknown.results)


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"exclude_seen": True}, "reader_id"), ({"reader_id": "x" * 257}, "reader_id")],
)
async def test_bad_requests_name_the_field(
    running: Running, fields: dict[str, object], field: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await related(running, "graph-05", **fields)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"`{field}`" in (caught.value.details() or "")


async def test_a_second_server_loads_what_was_published_before(
    running: Running, settings: Settings
) -> None:
    pairs = {f"graph-{at:02}": {"market-07": 0.5} for at in range(4, 12)}
    await publish(settings, artifact_of(running), pairs)
    await follow(running, len(pairs))
    async with Starting(settings) as other:
        await follow(other, len(pairs))
        assert await related(other, "graph-05") == await related(running, "graph-05")
