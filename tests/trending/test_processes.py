"""Trends as a user runs them: updater processes that are killed, `drain`, and the command."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from models.artifact import Artifact
from service.feedback_state import FeedbackState
from service.keys import RANKINGS_KEY, RANKINGS_PUBLISHER_KEY
from service.settings import Settings
from tests.feedback.updaters import UpdaterProcess
from tests.servers import SystemRedis
from tests.serving import COMMAND, train
from tests.support import PATIENCE_SECONDS, ROOT, wait_until
from tests.trending.conftest import Server
from tests.trending.oracle import trends
from tests.trending.support import LENGTHS, assert_same, made, month


@pytest_asyncio.fixture
async def own(
    settings: Settings, state_server: SystemRedis
) -> AsyncIterator[tuple[Settings, Server]]:
    """A state server of its own, and the settings for it."""
    state = FeedbackState(state_server.url)
    yield (
        settings.model_copy(update={"state_url": state_server.url}),
        Server(state, settings.data_dir, int(time.time() * 1000)),
    )
    await state.close()


def command(settings: Settings, *arguments: str) -> str:
    """What `related-papers` prints."""
    whole: list[str | Path] = [COMMAND, *arguments, "--state-url", settings.state_url or ""]
    result = subprocess.run(
        [*whole, "--data-dir", settings.data_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


async def published(server: Server, papers: set[str]) -> None:
    """Wait until a month's ranking has these papers."""

    async def has() -> bool:
        there = await server.state.client.hexists(RANKINGS_KEY, "month")
        return there and {*(await server.ranking()).papers} == papers

    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await has():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)


async def test_an_updater_waits_for_a_state_server_that_is_away(
    own: tuple[Settings, Server], state_server: SystemRedis
) -> None:
    settings, server = own
    await server.state.append([made(server.now_ms, "ada", "e1", "click", "before")])
    with UpdaterProcess(settings):
        await published(server, {"before"})
        state_server.stop()
        await server.state.client.connection_pool.disconnect()
        state_server.start()
        await server.state.append([made(server.now_ms, "ada", "e2", "click", "after")])
        await published(server, {"before", "after"})


@pytest.mark.slow
async def test_updaters_that_are_killed_lose_and_repeat_nothing(
    own: tuple[Settings, Server],
) -> None:
    settings, server = own
    events = month(server.now_ms, 2_000)
    for begin in range(0, len(events), 500):
        await server.state.append(events[begin : begin + 500])
        due = trends(events[: begin + 500], LENGTHS["month"], server.now_ms)
        with UpdaterProcess(settings):
            await published(server, {each.paper for each in due})
        await server.state.client.delete(RANKINGS_PUBLISHER_KEY)  # the lease of the dead
    await server.count()  # what the last one left
    assert_same(await server.published(), trends(events, LENGTHS["month"], server.now_ms))


@pytest.mark.slow
async def test_a_drain_and_a_rebuild_make_the_same_ranking(own: tuple[Settings, Server]) -> None:
    settings, server = own
    events = month(server.now_ms, 2_000)
    await server.state.append(events)
    assert command(settings, "feedback", "drain", "--model", str(settings.model))
    drained = await server.published()
    assert_same(drained, trends(events, LENGTHS["month"], server.now_ms))
    assert "records of what a reader did with a paper; the rankings are published" in command(
        settings, "trending", "rebuild"
    )
    assert (await server.published()).pack() == drained.pack()
    with UpdaterProcess(settings):
        wait_until(
            lambda: "come from the updater" in command(settings, "trending", "rebuild"),
            "the updater at work has the lease",
        )
        assert not await server.publisher().behind()
    await server.state.client.delete(RANKINGS_PUBLISHER_KEY)
    assert (await server.published()).pack() == drained.pack()


@pytest.mark.slow
async def test_a_model_that_knows_no_readers_has_trends(
    own: tuple[Settings, Server], tmp_path: Path
) -> None:
    settings, server = own
    papers = tmp_path / "papers.jsonl"
    papers.write_text("".join(json.dumps({"id": f"p{n}"}) + "\n" for n in range(5)))
    model = train(papers, output=tmp_path / "model")
    assert Artifact.open(model).reader_model is None
    settings = settings.model_copy(update={"model": model})
    await server.state.append([made(server.now_ms, "ada", "1", "click", "p1")])
    with UpdaterProcess(settings):
        await published(server, {"p1"})
    await server.state.client.delete(RANKINGS_PUBLISHER_KEY)
    await server.state.append([made(server.now_ms, "ada", "2", "click", "p2")])
    assert command(settings, "feedback", "drain", "--model", str(model)).splitlines()[-1] == "lag 0"
    assert {*(await server.ranking()).papers} == {"p1", "p2"}
