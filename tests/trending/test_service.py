"""ListTrendingPapers over a real channel: what readers chose, and recent papers until they do."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import grpc
import pytest
from redis import RedisError

from relatedpapers.aio import AsyncClient
from relatedpapers.v1 import feedback_service_pb2 as feedback
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.application import Application, StartError
from service.settings import Settings
from service.updater import open_trends, open_updater
from tests.servers import SystemRedis
from tests.service import toy
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS

TRENDING = pb.ResultSource.RESULT_SOURCE_TRENDING
FALLBACK = pb.ResultSource.RESULT_SOURCE_POPULAR_FALLBACK


async def trend(
    running: Running, settings: Settings, *events: tuple[str, str, str], origin: str = ""
) -> None:
    """Readers do things with papers; an updater publishes that, and the service takes it in."""
    request = feedback.WriteFeedbackRequest(
        events=[
            feedback.Event(
                id=f"{reader}-{kind}-{paper}",
                reader_id=reader,
                type=kind,
                paper_id=paper,
                origin=origin,
            )
            for reader, kind, paper in events
        ]
    )
    answer = await running.feedback.WriteFeedback(request)
    assert not any(result.status.code for result in answer.results)
    core = running.application.core
    assert core.state is not None
    updater = open_updater(core.state, core.catalog.serving.artifact, settings)
    while await updater.log.lag():
        await updater.step()
    await updater.close()
    publisher = open_trends(core.state, settings)
    assert await publisher.step()
    await publisher.close()
    await core.trends.load()


async def listed(running: Running, **fields: object) -> pb.ListTrendingPapersResponse:
    request = pb.ListTrendingPapersRequest(**fields)  # type: ignore[arg-type]
    answer: pb.ListTrendingPapersResponse = await running.recommendations.ListTrendingPapers(
        request
    )
    return answer


def ids(results: Sequence[pb.TrendingPaper]) -> list[str]:
    return [result.paper.id for result in results]


async def test_without_feedback_recent_papers_are_listed_by_their_citations(
    running: Running,
) -> None:
    answer = await listed(running, page_size=100, view="PAPER_VIEW_FULL")
    assert {result.source for result in answer.results} == {FALLBACK}
    assert not any(result.HasField("score") or result.reasons for result in answer.results)
    assert not answer.HasField("as_of")
    assert answer.window == "week"
    years = [result.paper.year for result in answer.results]
    recent = [year > max(years) - 3 for year in years]
    assert recent == sorted(recent, reverse=True)
    assert len(answer.results) == len(toy.papers()) - 1  # of two versions of one work one
    assert not answer.next_page_token


async def test_what_readers_choose_comes_first_with_its_reasons(
    running: Running, settings: Settings
) -> None:
    await trend(
        *(running, settings),
        *(("ada", "click", "graph-05"), ("ada", "click", "protein-04")),
        *(("bob", "save", "graph-05"), ("bob", "impression", "graph-05")),
        *(("eve", "impression", "graph-05"), ("eve", "hide", "graph-01")),
    )
    answer = await listed(running, window="day", page_size=5)
    assert ids(answer.results)[:2] == ["graph-05", "protein-04"]
    assert [result.source for result in answer.results] == [TRENDING] * 2 + [FALLBACK] * 3
    first, second = answer.results[:2]
    assert [(each.event_type, each.readers) for each in first.reasons] == [
        ("save", 1),
        ("click", 1),
    ]
    assert first.shown_readers == 2
    assert second.shown_readers == 0
    assert first.score > second.score > 0
    for result in (first, second):
        total = sum(each.contribution for each in result.reasons)
        assert total == pytest.approx(result.score)
        assert all(0 < each.decayed_readers <= each.readers for each in result.reasons)
    assert answer.as_of.ToDatetime(UTC) <= datetime.now(UTC)
    assert "graph-01" not in ids(answer.results)[:2]


async def test_pages_repeat_nothing_though_the_ranking_changes(
    running: Running, settings: Settings
) -> None:
    await trend(running, settings, ("ada", "click", "graph-05"), ("bob", "click", "graph-04"))
    page = await listed(running, page_size=3)
    seen = ids(page.results)
    await trend(running, settings, *((f"r{n}", "save", "protein-07") for n in range(9)))
    while page.next_page_token:
        page = await listed(running, page_size=7, page_token=page.next_page_token)
        seen += ids(page.results)
    assert len(seen) == len(set(seen)) == len(toy.papers()) - 1
    assert seen[3] == "protein-07"


async def test_a_token_of_another_list_is_refused(running: Running) -> None:
    token = (await listed(running, page_size=3)).next_page_token
    for fields in ({"window": "day"}, {"filter": {"first_year": 2015}}):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await listed(running, page_token=token, **fields)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    same = await listed(running, window="week", page_token=token, view="PAPER_VIEW_ID")
    assert same.results


async def test_filters_hold(running: Running, settings: Settings) -> None:
    years = {paper["id"]: paper.get("year") for paper in toy.papers()}
    chosen = ["graph-05", "graph-11", *toy.TWINS]
    await trend(running, settings, *(("ada", "click", paper) for paper in chosen))
    answer = await listed(running, page_size=100)
    assert len({*ids(answer.results)} & {*toy.TWINS}) == 1, "two versions of one work"
    year = years["graph-11"]
    assert year
    answer = await listed(running, page_size=100, filter={"first_year": year, "last_year": year})
    assert ids(answer.results)[0] == "graph-11"
    assert {years[each] for each in ids(answer.results)} == {year}
    excluded = ["https://doi.org/10.1000/twin", "graph-05", "unheard-of"]
    answer = await listed(running, page_size=100, filter={"excluded_paper_ids": excluded})
    assert not {*ids(answer.results)} & {*toy.TWINS, "graph-05"}
    assert answer.unknown_paper_ids == ["unheard-of"]


async def test_an_unknown_window_is_refused_with_those_that_there_are(running: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await listed(running, window="fortnight")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "week, day, month" in (refused.value.details() or "")


async def test_windows_and_types_are_those_of_the_settings(settings: Settings) -> None:
    own = settings.model_copy(
        update={
            "trending_windows": '{"fortnight": 14, "hour": 0.0417}',
            "event_types": '{"dwell": {"strength": 0.3, "sign": 1}}',
            "trending_types": '{"dwell": {"weight": 5, "half_life": 1}, '
            '"click": {"weight": 0, "half_life": 1}}',
        }
    )
    async with Starting(own) as running:
        await trend(running, own, ("ada", "dwell", "graph-05"), ("ada", "click", "graph-04"))
        answer = await listed(running, page_size=2)
        assert answer.window == "fortnight"
        assert [result.source for result in answer.results] == [TRENDING, FALLBACK]
        assert [each.event_type for each in answer.results[0].reasons] == ["dwell"]
        assert (await listed(running, window="hour")).results[0].source == TRENDING


async def test_a_service_without_the_paper_leaves_it_out(
    running: Running, settings: Settings, sample_model: Path
) -> None:
    await trend(running, settings, ("ada", "click", "graph-05"))
    async with Starting(settings.model_copy(update={"model": sample_model})) as other:
        await other.application.core.trends.load()
        answer = await listed(other, page_size=100)
        assert answer.HasField("as_of")
        assert {result.source for result in answer.results} == {FALLBACK}


async def test_rankings_stay_while_the_state_server_is_away(
    settings: Settings, state_server: SystemRedis
) -> None:
    own = settings.model_copy(update={"state_url": state_server.url})
    async with Starting(own) as running:
        await trend(running, own, ("ada", "click", "graph-05"))
        state_server.stop()
        with pytest.raises((RedisError, OSError)):
            await running.application.core.trends.load()
        answer = await listed(running, view="PAPER_VIEW_ID")
        assert answer.results[0].source == TRENDING
        state_server.start()
        await running.application.core.trends.load()
        assert (await listed(running, page_size=1)).results[0].source == TRENDING


async def test_the_client_lists_them(running: Running, settings: Settings) -> None:
    await trend(running, settings, ("ada", "click", "graph-05"))
    async with AsyncClient(
        f"127.0.0.1:{running.application.port}", timeout_seconds=PATIENCE_SECONDS
    ) as client:
        found = [each async for each in client.list_trending_papers("day", limit=12)]
        assert ids(found)[0] == "graph-05"
        assert len(found) == 12
        month = await client.list_trending_papers("month", filter={"last_year": 2010}).page()
        assert month.window == "month"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("trending_windows", "{}", "give 1 to 8"),
        ("trending_windows", '{"year": 365}', "at most 34 days"),
        ("trending_windows", '{"A day": 1}', "kebab-case"),
        ("trending_windows", '{"day": "1"}', "day: "),
        (
            "trending_types",
            '{"nap": {"weight": 1, "half_life": 1}}',
            "'nap' is no type of event: add it by RELATED_PAPERS_EVENT_TYPES first",
        ),
        (
            "trending_types",
            '{"unsave": {"weight": 1, "half_life": 1}}',
            "is none that counts: name",
        ),
        ("trending_types", '{"click": {"weight": -1, "half_life": 1}}', "click.weight"),
    ],
)
def test_settings_that_make_no_sense_are_named(
    settings: Settings, name: str, value: str, why: str
) -> None:
    with pytest.raises(StartError, match=why):
        Application(settings.model_copy(update={name: value}))
