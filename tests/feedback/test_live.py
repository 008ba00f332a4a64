"""A server follows what the updater publishes, and what it publishes shows in its answers."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from models.artifact import Artifact
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service import live as followed
from service.keys import delta_keys
from service.live import LiveModel
from service.live_items import LiveItems
from service.settings import Settings
from tests.feedback import support
from tests.feedback.support import event, reasons
from tests.feedback.test_related import publish, related
from tests.feedback.updaters import UpdaterProcess
from tests.servers import SystemRedis
from tests.serving import Running
from tests.support import wait_until

SEED, OTHER = "graph-05", "market-07"


@pytest.fixture
def artifact(toy_model: Path) -> Artifact:
    return Artifact.open(toy_model)


@pytest.fixture
def updater(settings: Settings) -> Iterator[None]:
    """An updater on the test's state."""
    with UpdaterProcess(settings):
        yield


async def eventually(condition: Callable[[], bool], what: str) -> None:
    await asyncio.to_thread(wait_until, condition, what)


def row_of(artifact: Artifact, paper: str) -> int:
    row = artifact.papers.row(paper)
    assert row is not None
    return row


def co_read(live: LiveModel | None) -> dict[int, list[int]]:
    """For each paper that changed, what its readers read too."""
    items = live.items if live else None
    return {} if items is None else {row: each.rows.tolist() for row, each in items.co_read.items()}


@pytest.mark.usefixtures("updater")
async def test_readers_teach_every_list(running: Running, artifact: Artifact) -> None:
    # Given two papers of different subjects, which no list brings together
    seed, other = row_of(artifact, SEED), row_of(artifact, OTHER)
    before = await related(running, SEED, page_size=100)
    place = [result.paper.id for result in before.results].index(OTHER)
    assert place > 20
    # When readers read both
    events = [
        event(reader_id=f"r{number}", type="read", paper_id=paper)
        for number in range(6)
        for paper in (SEED, OTHER)
    ]
    assert set(reasons(await support.write(running, events))) == {""}
    live = running.application.core.live
    await eventually(lambda: other in co_read(live).get(seed, []), "the pair reaches the server")
    # Then the one rises in the list of the other, by what readers say and nothing else
    after = await related(running, SEED, page_size=100)
    [found] = [result for result in after.results if result.paper.id == OTHER]
    assert [result.paper.id for result in after.results].index(OTHER) < place
    assert found.contributions["co_readers"] > 0
    # And a list for a reader says which state of the factors it is made of
    request = pb.RecommendPapersRequest(reader_id="r0")
    recommended = await running.recommendations.RecommendPapers(request)
    assert int(recommended.factors_version) >= 1
    # When they take it back
    undone = [
        event(reader_id=one.reader_id, type="retract", retracted_event_id=one.id, paper_id="")
        for one in events
    ]
    assert set(reasons(await support.write(running, undone))) == {""}
    await eventually(lambda: seed not in co_read(live), "the server learns that it is undone")
    # Then the list is as it was
    assert await related(running, SEED, page_size=100) == before


async def following(artifact: Artifact, url: str) -> LiveModel:
    assert artifact.reader_model is not None
    model = LiveModel(artifact.reader_model, artifact.version, url)
    model.start()
    await eventually(lambda: model.loads == 1, "it has loaded")
    return model


async def test_a_server_that_lost_the_state_server_catches_up(
    settings: Settings, artifact: Artifact, state_server: SystemRedis
) -> None:
    settings = settings.model_copy(update={"state_url": state_server.url})
    model = await following(artifact, state_server.url)
    await publish(settings, artifact, {SEED: {OTHER: 0.5}})
    await eventually(lambda: len(co_read(model)) == 1, "the first change")
    state_server.stop()
    assert len(co_read(model)) == 1
    state_server.start()
    await publish(settings, artifact, {OTHER: {SEED: 0.5}})
    await eventually(lambda: len(co_read(model)) == 2, "the change after the outage")
    await model.close()


async def test_a_server_that_is_far_behind_reads_everything_again(
    settings: Settings, artifact: Artifact, state_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a server that has loaded, and then slept through more publications than the log keeps
    assert artifact.reader_model is not None
    monkeypatch.setattr(followed, "ROWS_AT_ONCE", 3)
    model = LiveModel(artifact.reader_model, artifact.version, state_url)
    await publish(settings, artifact, {SEED: {OTHER: 0.5}})
    async with Redis.from_url(state_url) as client:
        items, after = await model._load(client, LiveItems.over(artifact.reader_model))
        papers = [f"graph-{number:02}" for number in range(4, 32)]
        papers = [paper for paper in papers if artifact.papers.row(paper) is not None]
        for paper in papers:
            await publish(settings, artifact, {paper: {OTHER: 0.4}})
        await client.xtrim(delta_keys(artifact.version).log, 2, approximate=False)
        # When it goes on, it notices that the log does not reach back to where it was
        monkeypatch.setattr(followed, "_ENTRIES_AT_ONCE", 2)
        items, after = await model._follow(client, items, after)
        assert not after
        items, after = await model._load(client, items)
    # Then it knows all of them
    assert set(items.co_read) == {row_of(artifact, paper) for paper in papers}
    assert items.version == len(papers) + 1
    await model.close()


async def test_without_a_state_server_papers_stay_as_trained(artifact: Artifact) -> None:
    assert artifact.reader_model is not None
    model = LiveModel(artifact.reader_model, artifact.version, None)
    model.start()
    items = await model.present()
    assert items.version == 0
    assert not items.co_read
    await model.close()
