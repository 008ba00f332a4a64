"""What imports leave in the state, whatever happens beside them."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.event_types import EVENT_TYPES
from models.formats import InputError
from models.interactions import Event, read_interactions
from models.progress import Advance, silent
from relatedpapers.v1 import feedback_service_pb2 as pb
from service.access import Caller
from service.counting_settings import leave
from service.feedback_export import export
from service.feedback_import import EVENTS_AT_ONCE, import_files
from service.feedback_state import FeedbackState
from service.keys import reader_key
from service.reader_deletion import delete_reader
from service.received_events import Rules, read_batch
from service.secrets import SigningKeys
from service.settings import Settings, SettingsError
from service.times import DAY_MS, present_ms
from service.tombstones import Tombstones
from tests.models.corpora import corpus_of, write_jsonl
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


async def test_memory_does_not_grow_with_the_readers_of_a_file(
    state: FeedbackState, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [f"reader-{n // 100}" for n in range(20_000)]
    path = write_jsonl(tmp_path / "events.jsonl", saves(readers))
    assert (await import_files(state, settings, [path], silent, refuse)).accepted == len(readers)

    async def peak_bytes(kept_events: int) -> int:
        monkeypatch.setattr("service.feedback_import.KEPT_EVENTS", kept_events)
        tracemalloc.start()
        try:
            again = await import_files(state, settings, [path], silent, refuse)
            assert (again.accepted, again.known) == (0, len(readers))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    histories_bytes = 200 * len(readers)  # at the very least
    assert await peak_bytes(100) < await peak_bytes(10**9) - histories_bytes


NAMES = st.text(max_size=8) | st.sampled_from(
    [
        "a" * 256,
        "two words",
        " ",
        "{0}:*",
        "a\u2028b",
        "a\u00adb",
        "a\u00a0b",
        "\U0001f469\u200d\U0001f4bb",
    ]
)
SENT = st.lists(
    st.builds(
        pb.Event, id=NAMES, reader_id=NAMES, paper_id=st.just("graph-05"), type=st.just("save")
    )
    | st.builds(
        pb.Event, id=NAMES, reader_id=NAMES, retracted_event_id=NAMES, type=st.just("retract")
    ),
    max_size=5,
)


@hypothesis.settings(
    max_examples=50, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@given(sent=SENT)
async def test_what_the_service_accepts_is_exported_and_imported_again(
    state: FeedbackState, settings: Settings, tmp_path: Path, sent: list[pb.Event]
) -> None:
    await state.client.flushall()
    papers, keys = Artifact.open(settings.model).papers, SigningKeys.open(tmp_path / "keys")
    rules = Rules(EVENT_TYPES, DAY_MS, keys)
    await state.append(read_batch(sent, rules, papers, Caller(), present_ms()).accepted)
    before = await histories(state)
    path = tmp_path / "events.jsonl"
    exported = await export(state, settings, path, silent)
    assert exported == (len(before), sum(map(len, before.values())))
    await state.client.flushall()
    assert (await import_files(state, settings, [path], silent, refuse)).accepted == exported.events
    assert await histories(state) == before
    trained = read_interactions([path], corpus_of([{"id": "graph-05"}])).readers
    assert {trained[at] for at in range(len(trained))} == before.keys()


async def histories(state: FeedbackState) -> dict[str, set[Event]]:
    """All that is known of every reader."""
    return {reader: set((await state.history(reader)).events) async for reader in state.readers()}
