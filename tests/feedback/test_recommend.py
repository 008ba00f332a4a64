"""RecommendPapers over a real channel: what a reader did shows in the next list."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from random import Random

import grpc
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from models.readers import SIGNALS
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service.settings import Settings
from tests.feedback import support
from tests.feedback.support import event, reasons
from tests.servers import SystemRedis
from tests.service import toy
from tests.serving import Running, Starting

POPULAR = pb.ResultSource.RESULT_SOURCE_POPULAR_FALLBACK
RESPONSES = pb.RecommendPapersResponse, pb.ListRelatedPapersResponse
MODEL = pb.ResultSource.RESULT_SOURCE_MODEL


@pytest.fixture
def settings(toy_reader_model: Path, settings: Settings) -> Settings:
    """The toy model with its readers, and an empty state."""
    return settings.model_copy(update={"model": toy_reader_model})


@pytest_asyncio.fixture
async def other(settings: Settings) -> AsyncIterator[Running]:
    """A second server on the same state."""
    async with Starting(settings) as service:
        yield service


async def write(running: Running, reader: str, *events: tuple[str, str]) -> None:
    """Events of one reader, each a type and a paper."""
    made = [event(reader_id=reader, type=kind, paper_id=paper) for kind, paper in events]
    assert reasons(await support.write(running, made)) == [""] * len(made)


async def recommend(running: Running, reader: str, **fields: object) -> pb.RecommendPapersResponse:
    request = pb.RecommendPapersRequest(reader_id=reader, **fields)  # type: ignore[arg-type]
    response: pb.RecommendPapersResponse = await running.recommendations.RecommendPapers(request)
    return response


def ids(response: pb.RecommendPapersResponse) -> list[str]:
    return [result.paper.id for result in response.results]


def subjects(found: Iterable[str]) -> set[str]:
    return {toy.subject(each) for each in found}


async def test_what_was_written_shows_on_every_server(running: Running, other: Running) -> None:
    draw = Random(5)  # noqa: S311
    servers = running, other
    everything = [paper["id"] for paper in toy.papers()]
    had: dict[str, set[str]] = {}
    for _ in range(150):
        reader = f"r{draw.randrange(6)}"
        kind, paper = draw.choice(["save", "hide", "click"]), draw.choice(everything)
        before = (await recommend(draw.choice(servers), reader)).reader_revision
        await write(draw.choice(servers), reader, (kind, paper))
        response = await recommend(draw.choice(servers), reader, page_size=100)
        had.setdefault(reader, set()).add(paper)
        assert not had[reader] & {*ids(response)}
        assert response.reader_revision > before


async def test_a_list_follows_the_reader(running: Running) -> None:
    await write(running, "anne", ("save", "graph-05"))
    first = await recommend(running, "anne", page_size=8)
    assert first.source == MODEL
    assert subjects(ids(first)) == {"graph"}
    await write(running, "anne", ("unsave", "graph-05"), ("save", "market-04"))
    assert subjects(ids(await recommend(running, "anne", page_size=8))) == {"market"}
    await write(running, "anne", ("unsave", "market-04"))
    assert (await recommend(running, "anne")).source == POPULAR


async def test_hidden_papers_go_at_once_with_their_other_version(running: Running) -> None:
    await write(running, "anne", ("save", "graph-05"))
    shown = ids(await recommend(running, "anne", page_size=100))
    assert len({*toy.TWINS} & {*shown}) == 1
    await write(running, "anne", ("hide", toy.TWINS[0]), ("hide", shown[0]))
    assert not {*toy.TWINS, shown[0]} & {*ids(await recommend(running, "anne", page_size=100))}
    await write(running, "anne", ("unhide", shown[0]))
    assert shown[0] in ids(await recommend(running, "anne", page_size=100))


async def test_every_score_is_the_sum_of_its_parts(running: Running) -> None:
    await write(running, "anne", ("save", "graph-05"), ("hide", "market-01"))
    response = await recommend(running, "anne", page_size=100)
    scores = [result.score for result in response.results]
    assert scores == sorted(scores, reverse=True)
    for result in response.results:
        total = result.bias + sum(result.contributions.values())
        assert result.score == pytest.approx(total, abs=1e-9)
        assert {*result.contributions} <= {*SIGNALS}
        assert result.source == response.source


async def test_a_new_reader_gets_a_named_fallback(running: Running) -> None:
    response = await recommend(running, "nobody")
    assert response.source == POPULAR
    assert not response.reader_revision
    assert response.model_version
    assert response.attribution_token
    assert len(response.results) == 10
    for result in response.results:
        assert result.source == POPULAR
        assert not result.HasField("score")
        assert not result.contributions
    await write(running, "nobody", ("hide", response.results[0].paper.id))
    again = await recommend(running, "nobody")
    assert again.source == POPULAR
    assert again.reader_revision
    assert ids(again)[:9] == ids(response)[1:]


async def test_readers_of_the_training_are_known(running: Running) -> None:
    reader = "protein-reader-04"
    had = {saved["paper"] for saved in toy.interactions() if saved["user"] == reader}
    response = await recommend(running, reader)
    assert response.source == MODEL
    assert subjects(ids(response)) == {"protein"}
    assert not had & {*ids(await recommend(running, reader, page_size=100))}
    gone = min(had)
    await write(running, reader, ("unsave", gone))
    assert gone in ids(await recommend(running, reader, page_size=100))


@pytest.mark.parametrize("reader", ["anne", "nobody"])
async def test_pages_repeat_nothing_while_the_reader_goes_on(running: Running, reader: str) -> None:
    if reader == "anne":
        await write(running, reader, ("save", "graph-05"))
    token, found = "", []
    for number in range(12):
        page = await recommend(running, reader, page_size=5, page_token=token)
        found += ids(page)
        token = page.next_page_token
        if not token:
            break
        assert len(page.results) == 5
        if number == 1:
            await write(running, reader, ("save", "market-03"), ("save", "market-08"))
    assert not token
    assert len(found) == len(set(found))
    assert subjects(found[10:15]) == {"market"}, "the rest follows the reader"
    everything = {paper["id"] for paper in toy.papers()}
    missing = everything - {*found} - {"graph-05", "market-03", "market-08", *toy.TWINS}
    assert not missing


async def test_filters_and_views(running: Running) -> None:
    await write(running, "anne", ("save", "graph-05"))
    wanted = pb.PaperFilter(
        first_year=2004, last_year=2010, excluded_paper_ids=["graph-06", "no-such"]
    )
    response = await recommend(
        running, "anne", filter=wanted, page_size=100, view=PaperView.PAPER_VIEW_FULL
    )
    assert {result.paper.year for result in response.results} == {*range(2004, 2011)}
    assert "graph-06" not in ids(response)
    assert list(response.unknown_paper_ids) == ["no-such"]
    assert response.results[0].paper.abstract


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"reader_id": ""}, "reader_id"),
        ({"reader_id": "x" * 257}, "reader_id"),
        ({"reader_id": "anne", "page_size": -1}, "page_size"),
        ({"reader_id": "anne", "view": 9}, "view"),
        ({"reader_id": "anne", "page_token": "x"}, "page_token"),
        ({"reader_id": "anne", "filter": pb.PaperFilter(first_year=0)}, "filter.first_year"),
    ],
)
async def test_bad_requests_name_the_field(
    running: Running, fields: dict[str, object], reason: str
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await running.recommendations.RecommendPapers(pb.RecommendPapersRequest(**fields))  # type: ignore[arg-type]
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert f"`{reason}`" in (caught.value.details() or "")


async def test_a_token_belongs_to_its_reader(running: Running) -> None:
    page = await recommend(running, "anne", page_size=3)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await recommend(running, "ben", page_token=page.next_page_token)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "another request" in (caught.value.details() or "")


async def test_without_the_state_nothing_is_made_up(
    settings: Settings, state_server: SystemRedis
) -> None:
    settings = settings.model_copy(update={"state_url": state_server.url})
    async with Starting(settings) as running:
        await write(running, "anne", ("save", "graph-05"))
        shown = ids(await recommend(running, "anne"))
        state_server.stop()
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await recommend(running, "anne")
        assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        related = await running.recommendations.ListRelatedPapers(
            pb.ListRelatedPapersRequest(paper_ids=["graph-05"])
        )
        assert len(related.results) == 10
        state_server.start()
        assert ids(await recommend(running, "anne")) == shown


def test_both_kinds_of_results_are_numbered_alike() -> None:
    # One serialisation serves both
    def fields(message: Message) -> dict[str, tuple[int, int]]:
        return {each.name: (each.number, each.type) for each in message.DESCRIPTOR.fields}

    assert fields(pb.RecommendedPaper()).items() <= fields(pb.RelatedPaper()).items()
    results = [response.DESCRIPTOR.fields_by_name["results"].number for response in RESPONSES]
    assert results == [1, 1]
