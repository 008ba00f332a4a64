"""Events that are sent again and again, in any order, over services that are killed, count once."""

import asyncio
import random
import subprocess
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from models.artifact import Artifact
from relatedpapers import AsyncClient, Event, UnavailableError
from service.deltas import Delta
from service.embedded import Role, attach
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS, log_key
from service.state_digest import StateDigest, state_digest
from tests.feedback.updaters import assert_equal, deltas, published
from tests.serving import COMMAND
from tests.soak.service import Service, connect
from tests.support import ROOT, wait_until

CONNECTIONS = 4
MAX_SENT = 5
PATIENCE_SECONDS = 1_800
KINDS = "impression click read save save save unsave cite share hide unhide".split()


class Size(NamedTuple):
    """How large a run is."""

    model: str
    events: int
    readers: int
    kills: int


def history(papers: list[str], size: Size, draw: random.Random) -> list[Event]:
    """Random events of all kinds with ties in their times; some take back others, earlier or later
    ones. Papers near the front are the popular ones."""
    now_ms, made = int(time.time() * 1000), []
    for number in range(size.events):
        reader = number % size.readers
        event = Event(id=f"e{number}", reader_id=f"reader-{reader}")
        event.event_time.FromMilliseconds(now_ms - 86_400_000 - 60_000 * draw.randrange(10_000))
        if draw.random() < 0.03:
            other = reader + size.readers * draw.randrange(size.events // size.readers)
            if other != number:
                event.type, event.retracted_event_id = "retract", f"e{other}"
                made.append(event)
                continue
        event.type = draw.choice(KINDS)
        event.paper_id = papers[int(draw.expovariate(8 / len(papers))) % len(papers)]
        if draw.random() < 0.2:
            event.value = 0.5
        made.append(event)
    return made


class Progress:
    """How many events were sent and acknowledged, and how many may be sent."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.acknowledged = self.sent = self.failures = 0
        self._changed = asyncio.Condition()

    async def take(self, count: int) -> None:
        """Wait until so many may be sent."""
        if self.sent >= self.limit:
            async with self._changed:
                await self._changed.wait_for(lambda: self.sent < self.limit)
        self.sent += count

    async def settle(self, count: int, failures: int) -> None:
        async with self._changed:
            self.acknowledged += count
            self.failures += failures
            self._changed.notify_all()

    async def allow(self, count: int) -> None:
        """Let so many more be sent."""
        async with self._changed:
            self.limit += count
            self._changed.notify_all()

    async def reach(self, acknowledged: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.acknowledged >= acknowledged)


async def by_stream(client: AsyncClient, sends: list[Event], progress: Progress) -> None:
    async def events() -> AsyncIterator[Event]:
        for event in sends:
            await progress.take(1)
            yield event

    async for settled in client.stream_feedback(events(), patience_seconds=PATIENCE_SECONDS):
        await progress.settle(settled.settled, len(settled.failures))


async def by_calls(client: AsyncClient, sends: list[Event], progress: Progress) -> None:
    draw, first = random.Random(len(sends)), 0  # noqa: S311 - a test needs no secret
    while first < len(sends):
        chunk = sends[first : first + draw.randrange(1, 1_000)]
        await progress.take(len(chunk))
        outcomes = None
        while outcomes is None:
            try:
                outcomes = await client.write_feedback(chunk)
            except UnavailableError:  # it may have been stored: send it again
                continue
        await progress.settle(len(chunk), sum(each.error is not None for each in outcomes))
        first += len(chunk)


def drain(model: Path, data: Path) -> str:
    """Let all be learned, by the command; returns what it says."""
    command: list[str | Path] = [COMMAND, "feedback", "drain", "--model", model]
    command += ["--data-dir", data]
    return subprocess.check_output(command, cwd=ROOT, text=True)


class Learned(NamedTuple):
    """What a service knows after all that it was told."""

    digest: StateDigest
    items: dict[int, Delta]


class Run:
    """Runs of one model and its size, each on a data folder of its own."""

    def __init__(self, model: Path, size: Size) -> None:
        self._model = model
        self._size = size
        self._artifact = Artifact.open(model)
        draw = random.Random(3)  # noqa: S311 - a test needs no secret
        self.events = history(self._artifact.papers.ids(), size, draw)
        self.sends = [event for event in self.events for _ in range(draw.randint(1, MAX_SENT))]
        draw.shuffle(self.sends)
        self._draw = draw

    async def clean(self, data: Path) -> Learned:
        """Every event once, in order, over one connection."""
        with attach(data) as urls, Service(self._model, data) as service:
            async with connect(service.address) as client:
                outcomes = await client.write_feedback(self.events)
            assert not any(each.error or each.duplicate for each in outcomes)
            return await self._learned(urls[Role.STATE], data)

    async def killed(self, data: Path) -> Learned:
        """All that is sent, while the service is killed again and again."""
        share = len(self.sends) // (self._size.kills + 1) + 1
        progress = Progress(share)
        with attach(data) as urls, Service(self._model, data) as service:
            url = urls[Role.STATE]
            clients = [connect(service.address) for _ in range(CONNECTIONS)]
            async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
                for number, client in enumerate(clients):
                    way = (by_stream, by_calls)[number % 2]
                    tasks.create_task(way(client, self.sends[number::CONNECTIONS], progress))
                for _ in range(self._size.kills):
                    await self._kill(service, url, progress, share)
            for client in clients:
                await client.close()
            assert (progress.acknowledged, progress.failures) == (len(self.sends), 0)
            return await self._learned(url, data)

    async def _kill(self, service: Service, url: str, progress: Progress, share: int) -> None:
        """Kill the service once its updater is at work, with events under way; start it again."""
        before, version = published(url, self._artifact.version), self._artifact.version
        at_work = partial(wait_until, seconds=PATIENCE_SECONDS, what="an updater publishes")
        await asyncio.to_thread(at_work, lambda: published(url, version) > before)
        await progress.allow(share)
        await progress.reach(progress.acknowledged + self._draw.randrange(1, share // 2))
        await asyncio.to_thread(service.kill)
        await asyncio.to_thread(service.start)

    async def _learned(self, url: str, data: Path) -> Learned:
        """Drain beside the running service, and look."""
        told = await asyncio.to_thread(drain, self._model, data)
        assert told.splitlines()[-1] == "lag 0"
        state = FeedbackState(url)
        assert await FeedbackLog(state.client).lag() == 0
        entries = [await state.client.xlen(log_key(each)) for each in range(PARTITIONS)]
        assert sum(entries) == len(self.events)
        digest = await state_digest(state)
        await state.close()
        return Learned(digest, deltas(url, self._artifact.version))


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size("toy_reader_model", 3_000, 100, 2), id="ordinary"),
        pytest.param(
            Size("sample_model", 100_000, 2_000, 10),
            id="soak",
            marks=[pytest.mark.soak, pytest.mark.slow],
        ),
    ],
)
async def test_kills_replays_and_shuffles_change_nothing(
    request: pytest.FixtureRequest, tmp_path: Path, size: Size
) -> None:
    run = Run(request.getfixturevalue(size.model), size)
    expected = await run.clean(tmp_path / "clean")
    found = await run.killed(tmp_path / "killed")
    print(
        f"{len(run.events):,} events sent {len(run.sends):,} times, {size.kills} kills:",
        f"{found.digest}, clean {expected.digest}, {len(found.items):,} changed papers",
    )
    assert found.digest == expected.digest
    assert expected.items
    assert_equal(found.items, expected.items)
