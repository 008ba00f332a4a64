"""The updater: what it publishes depends on the state alone, whoever dies or sleeps on the way."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from numpy.typing import NDArray

from models.artifact import Artifact
from models.event_types import RETRACT
from models.live import ItemDeltas, LiveReaders
from service.deltas import Delta, DeltaPublisher, LeaseLost, reached
from service.drain import drain
from service.events import StoredEvent, identity
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import events_key, partition_of
from service.reader_deletion import delete_reader
from service.settings import Settings
from service.tombstones import Tombstones
from service.updater import open_updater
from tests.feedback.oracle import NOW_MS, stored
from tests.feedback.updaters import (
    UpdaterProcess,
    assert_equal,
    deltas,
    holder,
    published,
    train_readers,
    wait_for_publication,
)
from tests.service import toy
from tests.support import wait_until

PAPERS = [paper["id"] for paper in toy.papers()]


@pytest.fixture
def artifact(toy_model: Path) -> Artifact:
    return Artifact.open(toy_model)


@pytest_asyncio.fixture
async def state(settings: Settings) -> AsyncIterator[FeedbackState]:
    """The empty state on the embedded server."""
    found = FeedbackState(settings.state_url or "")
    yield found
    await found.close()


def history(readers: int, events: int, seed: int = 0) -> list[StoredEvent]:
    """Random events of all kinds; papers near the front are the popular ones."""
    draw = random.Random(seed)  # noqa: S311 - a test needs no secret
    made: list[StoredEvent] = []
    for number in range(events):
        reader, event_id = f"reader-{draw.randrange(readers)}", f"e{number}"
        time_ms = NOW_MS - draw.randrange(10**9)
        if draw.random() < 0.05 and made:
            earlier = draw.choice(made)
            made.append(
                stored(earlier.reader, event_id, RETRACT, "", retracts=earlier.id, time_ms=time_ms)
            )
            continue
        kind = draw.choice("impression click read save save unsave cite hide unhide".split())
        paper = PAPERS[min(int(draw.expovariate(0.1)), len(PAPERS) - 1)]
        value = draw.choice([1.0, 1.0, 0.5])
        made.append(stored(reader, event_id, kind, paper, time_ms=time_ms, value=value))
    return made


async def drained(state: FeedbackState, settings: Settings) -> list[int]:
    """The lags that a drain tells."""
    lags: list[int] = []
    await drain(state, settings, lags.append)
    assert lags[-1] == 0
    return lags


async def learned(
    state: FeedbackState, settings: Settings, version: str
) -> tuple[dict[int, Delta], dict[str, dict[str, int]]]:
    """All that an updater makes of the state: deltas, and counters by paper."""
    log = FeedbackLog(state.client)
    counts = {paper: await log.counts(paper) for paper in PAPERS}
    return deltas(settings.state_url or "", version), counts


async def test_a_drain_alone_learns_everything(
    state: FeedbackState, settings: Settings, artifact: Artifact
) -> None:
    events = history(20, 300)
    await state.append(events)
    assert await drained(state, settings) == [300, 0]
    found, counts = await learned(state, settings, artifact.version)
    assert found
    graph = artifact.papers.row(PAPERS[0])
    assert graph is not None
    assert found[graph].readers > 0
    assert set(found[graph].co_read.tolist()) <= set(range(len(artifact.papers)))
    assert sum(sum(each.values()) for each in counts.values()) > 200
    assert await reached(state.client, artifact.version) == await FeedbackLog(state.client).ends()
    assert await drained(state, settings) == [0], "nothing is left to learn"


async def test_a_drain_passes_over_entries_whose_events_are_gone(
    state: FeedbackState, settings: Settings
) -> None:
    await state.append([stored("r", f"e{number}", paper=PAPERS[0]) for number in range(5)])
    gone = [identity("r", f"e{number}") for number in (0, 2, 4)]
    assert await state.client.hdel(events_key(partition_of("r")), *gone) == 3
    assert await drained(state, settings) == [5, 0]
    assert await FeedbackLog(state.client).counts(PAPERS[0]) == {"save": 2}


@pytest.mark.slow
async def test_updaters_that_are_killed_lose_and_repeat_nothing(
    state: FeedbackState, settings: Settings, artifact: Artifact
) -> None:
    url, events = settings.state_url or "", history(40, 3_000)
    await state.append(events)
    await drained(state, settings)
    clean = await learned(state, settings, artifact.version)
    await state.client.flushall()

    with UpdaterProcess(settings) as one, UpdaterProcess(settings) as other:
        for number, begin in enumerate(range(0, len(events), 600)):
            before = published(url, artifact.version)
            await state.append(events[begin : begin + 600])
            await asyncio.to_thread(wait_for_publication, url, artifact.version, before)
            updater = (one, other)[number % 2]
            updater.kill()
            updater.start()
        await drained(state, settings)
        found = await learned(state, settings, artifact.version)
    assert_equal(found[0], clean[0])
    assert found[1] == clean[1]


@pytest.mark.slow
async def test_an_updater_that_slept_overwrites_nothing(
    state: FeedbackState, settings: Settings, artifact: Artifact
) -> None:
    url, version, events = settings.state_url or "", artifact.version, history(20, 400, seed=1)
    with UpdaterProcess(settings) as sleeper:
        await state.append(events[:200])
        await asyncio.to_thread(wait_for_publication, url, version, 0)
        await drained(state, settings)
        await asyncio.to_thread(wait_until, lambda: holder(url, version), "it holds the lease")
        sleeper.pause()
        await state.append(events[200:])
        await drained(state, settings)  # the lease runs out, and this drain takes it
        newer = await learned(state, settings, version)
        sleeper.resume()
        await asyncio.to_thread(wait_until, lambda: holder(url, version), "it holds it again")
        await state.append([stored("late", "e", "save", PAPERS[0])])
        await drained(state, settings)
        await state.append([stored("late", "f", "unsave", PAPERS[0])])
        await drained(state, settings)
    assert_equal((await learned(state, settings, version))[0], newer[0])


@pytest.mark.usefixtures("long_lease")
async def test_only_the_holder_of_the_lease_publishes(
    state: FeedbackState, artifact: Artifact
) -> None:
    one = DeltaPublisher(state.client, artifact.version)
    other = DeltaPublisher(state.client, artifact.version)
    assert await one.hold()
    assert await one.hold(), "it is prolonged"
    assert not await other.hold()
    with pytest.raises(LeaseLost):
        await other.publish({})
    await one.release()
    assert await other.hold()
    with pytest.raises(LeaseLost):
        await one.publish({})


async def test_what_takes_longer_than_the_lease_is_published(
    state: FeedbackState, settings: Settings, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = settings.state_url or ""

    class Slow(LiveReaders):
        def deltas(self, rows: NDArray[np.int32]) -> ItemDeltas:
            wait_until(lambda: not holder(url, artifact.version), "the lease has ended")
            return super().deltas(rows)

    monkeypatch.setattr("service.deltas.LEASE_MS", 50)
    monkeypatch.setattr("service.item_updates.LiveReaders", Slow)
    await state.append([stored("ada", "e1", "save", PAPERS[0])])
    updater = open_updater(state, artifact, settings)
    while not published(url, artifact.version):
        await updater.step()
    await updater.close()


@pytest.mark.usefixtures("long_lease")
async def test_what_stands_already_is_not_published_again(
    state: FeedbackState, settings: Settings, artifact: Artifact
) -> None:
    await state.append(history(10, 100))
    await drained(state, settings)
    publisher = DeltaPublisher(state.client, artifact.version)
    assert await publisher.hold()
    before, found = publisher.version, deltas(settings.state_url or "", artifact.version)
    assert await publisher.publish(dict(found)) == 0
    assert publisher.version == before
    row, delta = next(iter(found.items()))
    assert await publisher.publish({row: delta._replace(readers=delta.readers + 1)}) == 1
    assert publisher.version == before + 1
    assert await publisher.publish({row: None}) == 1
    assert row not in await publisher.rows()


@pytest.mark.usefixtures("long_lease")
async def test_a_deleted_reader_vanishes_from_the_deltas(
    state: FeedbackState, settings: Settings, artifact: Artifact
) -> None:
    url, events = settings.state_url or "", history(10, 200)
    others = [event for event in events if event.reader != "reader-3"]
    await state.append(others)
    await drained(state, settings)
    expected = deltas(url, artifact.version)
    await state.append([event for event in events if event.reader == "reader-3"])
    updater = open_updater(state, artifact, settings)
    while await updater.step():
        pass
    assert deltas(url, artifact.version) != expected
    await updater.close()
    await delete_reader(state.client, Tombstones.open(state.client, settings.data_dir), "reader-3")
    await drained(state, settings)
    assert_equal(deltas(url, artifact.version), expected)


async def test_readers_whom_training_knew(
    state: FeedbackState, settings: Settings, toy_papers: Path, tmp_path: Path
) -> None:
    interactions = tmp_path / "interactions.jsonl"
    saves = [("ada", "graph-01"), ("ada", "graph-02"), ("bob", "graph-02"), ("bob", "graph-05")]
    with interactions.open("w", encoding="utf-8") as file:
        for user, paper in saves:
            file.write(json.dumps({"user": user, "paper": paper}) + "\n")
    trained = train_readers(toy_papers, [interactions], tmp_path / "model")
    assert trained.returncode == 0, trained.stderr
    settings = settings.model_copy(update={"model": tmp_path / "model"})
    artifact = Artifact.open(settings.model)
    url, version = settings.state_url or "", artifact.version
    one, two, five = (artifact.papers.row(f"graph-{number}") for number in ("01", "02", "05"))
    assert one is not None
    assert two is not None
    assert five is not None

    await drained(state, settings)
    assert deltas(url, version) == {}, "nobody did anything"
    await state.append([stored("ada", "e", "unsave", "graph-01")])
    await drained(state, settings)
    found = deltas(url, version)
    assert (found[one].readers, found[two].readers) == (0, 2)
    assert five not in found, "ada never had it"
    await delete_reader(state.client, Tombstones.open(state.client, settings.data_dir), "bob")
    await drained(state, settings)
    found = deltas(url, version)
    assert (found[one].readers, found[two].readers, found[five].readers) == (0, 1, 0)
    assert len(found[five].co_read) == 0
    await state.client.flushall()
    await drained(state, settings)
    assert deltas(url, version) == {}


async def test_an_updater_ends_when_its_supervisor_does(settings: Settings) -> None:
    with UpdaterProcess(settings) as updater:
        assert await asyncio.to_thread(updater.end) == 0
