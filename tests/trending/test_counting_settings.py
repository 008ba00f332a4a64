"""Commands that count go by the settings of `serve`, which they need not be told."""

import asyncio
import json
import subprocess
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from service.feedback_state import FeedbackState
from service.keys import RANKINGS_KEY, RANKINGS_PUBLISHER_KEY
from service.settings import Settings
from tests.feedback.updaters import UpdaterProcess
from tests.serving import COMMAND
from tests.support import PATIENCE_SECONDS, ROOT
from tests.trending.conftest import Server
from tests.trending.support import made

DWELL = json.dumps({"dwell": {"strength": 0.3, "sign": 1}})
WEIGHT = json.dumps({"dwell": {"weight": 1, "half_life": 0.3}})
WINDOW = '{"fortnight": 14}'


def run(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [COMMAND, *arguments, "--state-url", settings.state_url or ""]
    return subprocess.run(
        [*command, "--data-dir", settings.data_dir],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


async def ranked(server: Server) -> set[str]:
    """The papers of the ranking."""
    return {*(await server.ranking("fortnight")).papers}


@pytest_asyncio.fixture
async def served(
    state_url: str, toy_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Settings, Server]]:
    """A state that an updater counted, with a type and a window of its own; it is killed now.
    Commands find the model in their environment."""
    monkeypatch.setenv("RELATED_PAPERS_MODEL", str(toy_model))
    settings = Settings(
        model=toy_model,
        data_dir=tmp_path / "data",
        state_url=state_url,
        event_types=DWELL,
        trending_types=WEIGHT,
        trending_windows=WINDOW,
    )
    state = FeedbackState(state_url)
    server = Server(state, settings.data_dir, int(time.time() * 1000))
    await state.append([made(server.now_ms, "ada", "1", "dwell", "graph-01")])
    with UpdaterProcess(settings):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not await state.client.hexists(RANKINGS_KEY, "fortnight"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await state.client.delete(RANKINGS_PUBLISHER_KEY)  # the lease of the dead
    yield settings, server
    await state.close()


@pytest.mark.parametrize("command", ["trending rebuild", "feedback drain"])
async def test_a_command_that_was_told_nothing_drops_nothing(
    served: tuple[Settings, Server], command: str
) -> None:
    settings, server = served
    await server.state.append([made(server.now_ms, "ada", "2", "dwell", "graph-02")])
    drained = run(settings, "feedback", "drain")
    assert drained.returncode == 0, drained.stderr
    assert run(settings, *command.split()).returncode == 0
    assert await ranked(server) == {"graph-01", "graph-02"}


@pytest.mark.parametrize("command", ["trending rebuild", "feedback drain"])
async def test_other_settings_are_refused_and_both_are_named(
    served: tuple[Settings, Server], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, server = served
    before = await server.state.client.hgetall(RANKINGS_KEY)
    monkeypatch.setenv("RELATED_PAPERS_TRENDING_WINDOWS", '{"day": 1}')
    refused = run(settings, *command.split())
    assert refused.returncode == 1
    assert refused.stderr == (
        """RELATED_PAPERS_TRENDING_WINDOWS is '{"day": 1}' here, and '{"fortnight": 14}' for the """
        "`serve` that counts. Restart `serve` with the new one first, or give none here.\n"
    )
    assert await server.state.client.hgetall(RANKINGS_KEY) == before
    monkeypatch.setenv("RELATED_PAPERS_TRENDING_WINDOWS", '{"fortnight":14}')  # the same
    assert run(settings, *command.split()).returncode == 0
