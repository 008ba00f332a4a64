"""What imports leave in the state, whatever happens beside them."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from models.formats import InputError
from models.progress import Advance, silent
from service.counting_settings import leave
from service.feedback_import import EVENTS_AT_ONCE, import_files
from service.feedback_state import FeedbackState
from service.keys import reader_key
from service.reader_deletion import delete_reader
from service.settings import Settings, SettingsError
from service.tombstones import Tombstones
from tests.models.corpora import write_jsonl
from tests.support import PATIENCE_SECONDS

OLD = "2001-02-03T04:05:06Z"


@pytest_asyncio.fixture
async def state(state_url: str) -> AsyncIterator[FeedbackState]:
    """The empty state, on the embedded server."""
    found = FeedbackState(state_url, timeout_seconds=PATIENCE_SECONDS)
    yield found
    await found.close()


def saves(readers: Iterable[str]) -> list[dict[str, object]]:
    """An old save for each, all on one paper."""
    return [
        {"user": reader, "paper": "graph-01", "type": "save", "id": f"e{n}", "time": OLD}
        for n, reader in enumerate(readers)
    ]


def refuse(error: InputError) -> None:
    raise AssertionError(error)


async def test_a_reader_who_is_deleted_while_an_import_runs_stays_deleted(
    state: FeedbackState, settings: Settings, tmp_path: Path
) -> None:
    others = [f"reader-{n % 500}" for n in range(2 * EVENTS_AT_ONCE)]
    path = write_jsonl(tmp_path / "events.jsonl", saves(["ada", *others, "ada"]))
    deletions: list[int] = []

    async def delete_once_stored() -> None:
        beside = FeedbackState(state.url, timeout_seconds=PATIENCE_SECONDS)
        tombstones = Tombstones.open(beside.client, settings.data_dir)
        if not deletions and await beside.client.exists(reader_key("ada")):
            deletions.append((await delete_reader(beside.client, tombstones, "ada")).events)
        await beside.close()

    def report(_step: str, _size: int) -> Advance:
        """Deletes the reader in the midst of the file, as soon as something of hers is stored."""
        return lambda _: pool.submit(asyncio.run, delete_once_stored()).result()

    with ThreadPoolExecutor(1) as pool:
        done = await import_files(state, settings, [path], report, refuse)
    assert deletions == [1]
    assert (await state.history("ada")).events == []
    assert done.accepted == len(others) + 1
    assert done.passed_over == {"events of deleted readers, from before they were deleted": 1}
    again = await import_files(state, settings, [path], silent, refuse)
    assert (again.accepted, again.passed_over.total()) == (0, 2)
    assert (await state.history("ada")).events == []


async def test_an_import_goes_by_the_settings_that_serve_left(
    state: FeedbackState, settings: Settings, tmp_path: Path
) -> None:
    types = '{"impression": {"strength": 0.1, "sign": 1}, "dwell": {"strength": 0.3, "sign": 1}}'
    told = {"event_types": types, "event_window_days": 60.0, "log_days": 70.0}
    await leave(state.client, settings.model_copy(update=told), asyncio.Event())
    events = [
        {"user": "ada", "paper": "graph-01", "type": kind, "id": kind, "time": OLD}
        for kind in ("impression", "dwell")
    ]
    path = write_jsonl(tmp_path / "events.jsonl", events)
    assert (await import_files(state, settings, [path], silent, refuse)).accepted == 2
    assert {each.type for each in (await state.history("ada")).events} == {"impression", "dwell"}
    other = Settings(**{**settings.model_dump(exclude_unset=True), "event_types": '{"dwell": {}}'})
    with pytest.raises(SettingsError, match="RELATED_PAPERS_EVENT_TYPES"):
        await import_files(state, other, [path], silent, refuse)


async def test_an_impression_is_taken_within_the_window_that_serve_left(
    state: FeedbackState, settings: Settings, tmp_path: Path
) -> None:
    told = {"event_window_days": 60.0, "log_days": 70.0}
    await leave(state.client, settings.model_copy(update=told), asyncio.Event())
    times = [(datetime.now(UTC) - timedelta(days=days)).isoformat() for days in (45, 61)]
    seen = {"user": "ada", "paper": "graph-01", "type": "impression"}
    path = write_jsonl(tmp_path / "events.jsonl", [{**seen, "time": time} for time in times])
    done = await import_files(state, settings, [path], silent, refuse)
    assert (done.accepted, done.passed_over.total()) == (1, 1)
