"""Exports take the place of a file whole, or leave nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import typer

from models.progress import Advance, silent
from service.feedback_export import READERS_AT_ONCE, Exported, export
from service.feedback_state import FeedbackState
from service.settings import Settings
from service.state_cli import run_on_state
from tests.feedback.oracle import stored
from tests.support import PATIENCE_SECONDS

READERS = 3 * READERS_AT_ONCE


@pytest_asyncio.fixture
async def state(state_url: str) -> AsyncIterator[FeedbackState]:
    """Readers enough for several steps, on the embedded server."""
    found = FeedbackState(state_url, timeout_seconds=PATIENCE_SECONDS)
    await found.append([stored(f"reader-{number}", "e") for number in range(READERS)])
    yield found
    await found.close()


async def test_exports_to_one_file_do_not_disturb_each_other(
    state: FeedbackState, settings: Settings, tmp_path: Path
) -> None:
    output = tmp_path / "out" / "events.jsonl"
    output.parent.mkdir()
    both = (export(state, settings, output, silent) for _ in range(2))
    assert await asyncio.gather(*both) == [Exported(READERS, READERS)] * 2
    assert len(output.read_text().splitlines()) == READERS
    assert list(output.parent.iterdir()) == [output]
    assert output.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", ["events.jsonl", "events.jsonl.gz", "events.jsonl.xz"])
@pytest.mark.usefixtures("state")
def test_an_export_that_is_interrupted_leaves_nothing(
    number: signal.Signals, name: str, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    written: list[Path] = []

    def report(_step: str, _size: int) -> Advance:
        def interrupt(_: int) -> None:
            written.extend(folder.iterdir())
            signal.raise_signal(number)

        return interrupt

    async def work(state: FeedbackState) -> None:
        await export(state, settings, folder / name, report)

    with pytest.raises(typer.Exit):
        run_on_state(settings, work)
    assert len(set(written)) == 1  # a file that was being written
    assert list(folder.iterdir()) == []
