"""What the service acknowledged is there after its state server was killed and came back."""

import asyncio
import itertools
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from relatedpapers import AsyncClient, UnavailableError
from service.embedded import Role, attach
from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS
from service.valkey import Server
from tests.soak.service import Service, connect
from tests.support import wait_until

WRITERS = 16
CONNECTIONS = 4
READERS = 50
PATIENCE_SECONDS = 600

Identity = tuple[str, str]


class Size(NamedTuple):
    """How large a run is: so many events are acknowledged before each kill."""

    kills: int
    events: int


class Writers:
    """Write events through the service until told to stop, and remember what it acknowledged.

    going: while it is not set no writer begins another batch; one that failed is still sent again.
    """

    def __init__(self) -> None:
        self.acknowledged: list[Identity] = []
        self.going = asyncio.Event()
        self._stopping = False
        self._changed = asyncio.Condition()
        self.going.set()

    async def write(self, client: AsyncClient, name: str) -> None:
        """Batches of 1 to 100 events; one that fails is sent again until it is acknowledged."""
        for number in itertools.count():
            await self.going.wait()
            if self._stopping:
                return
            batch = list(events(f"{name}-{number}", 1 + 37 * number % 100))
            while not await self._written(client, batch):
                pass

    async def _written(self, client: AsyncClient, batch: list[dict[str, str]]) -> bool:
        try:
            outcomes = await client.write_feedback(batch)
        except UnavailableError:
            return False
        assert not any(each.error for each in outcomes)
        async with self._changed:
            self.acknowledged += ((each["reader_id"], each["id"]) for each in batch)
            self._changed.notify_all()
        return True

    async def reach(self, count: int) -> None:
        """Wait until so many events are acknowledged."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.acknowledged) >= count)

    def stop(self) -> None:
        """Let each writer end with the batch that it is at."""
        self._stopping = True
        self.going.set()


def events(name: str, count: int) -> Iterator[dict[str, str]]:
    for number in range(count):
        reader = f"reader-{number % READERS}"
        yield {
            "id": f"{name}-{number}",
            "reader_id": reader,
            "paper_id": "graph-05",
            "type": "read",
        }


def kill(state: Server) -> None:
    """End the state server with no chance to do anything more."""
    process = state.pid()
    assert process is not None
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: state.pid() != process or not state.alive(), "the state server is gone")


async def logged(url: str) -> Counter[Identity]:
    """How often each event is in the log."""
    state = FeedbackState(url)
    log, found = FeedbackLog(state.client), Counter[Identity]()
    for partition in range(PARTITIONS):
        after = START
        while page := await log.read(partition, after, 1_000):
            found.update((event.reader, event.id) for _, event in page)
            after = page[-1][0]
    await state.close()
    return found


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(kills=2, events=1_000), id="ordinary"),
        pytest.param(
            Size(kills=10, events=20_000), id="soak", marks=[pytest.mark.soak, pytest.mark.slow]
        ),
    ],
)
async def test_what_was_acknowledged_outlives_the_state_server(
    toy_model: Path, tmp_path: Path, size: Size
) -> None:
    data, writers = tmp_path / "data", Writers()
    state = Server(Role.STATE, data / "servers" / Role.STATE, Path())
    with attach(data) as urls, Service(toy_model, data) as service:
        url = urls[Role.STATE]
        clients = [connect(service.address) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(PATIENCE_SECONDS), asyncio.TaskGroup() as tasks:
            for number in range(WRITERS):
                client = clients[number % CONNECTIONS]
                tasks.create_task(writers.write(client, f"writer-{number}"))
            for _ in range(size.kills):
                await writers.reach(len(writers.acknowledged) + size.events)
                await asyncio.to_thread(kill, state)
                writers.going.clear()
                before = set(writers.acknowledged)
                with attach(data):  # starts what is dead, for the running service too
                    pass
                assert before <= (await logged(url)).keys()
                writers.going.set()
            writers.stop()
        for client in clients:
            await client.close()
        found = await logged(url)
    acknowledged = Counter(writers.acknowledged)
    print(
        f"{acknowledged.total():,} events acknowledged over {size.kills} kills of the state",
        f"server: {len(acknowledged - found)} lost, {len(found):,} in the log",
    )
    assert found == acknowledged
