"""Group commit over a state whose appends a test lets go one by one."""

import asyncio
from collections.abc import Sequence

import pytest

from service.errors import RETRY_HELPS, Code, Reason, ServiceError
from service.events import StoredEvent
from service.feedback_state import FeedbackState, Outcome
from service.group_commit import GroupCommit
from tests.feedback.oracle import Oracle, stored
from tests.support import PATIENCE_SECONDS


class Gate:
    """Accepts what it is given when told to, as the oracle does."""

    def __init__(self) -> None:
        self.flushes: list[list[str]] = []
        self.oracle = Oracle()
        self.error: Exception | None = None
        self._open = asyncio.Semaphore(0)
        self._came = asyncio.Event()

    async def append(self, events: Sequence[StoredEvent]) -> list[Outcome]:
        self.flushes.append([event.id for event in events])
        self._came.set()
        await self._open.acquire()
        if self.error:
            raise self.error
        return [self.oracle.append(event) for event in events]

    async def flushing(self) -> None:
        """Wait until the next flush is under way."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self._came.wait()
        self._came.clear()

    def let_go(self, flushes: int = 1) -> None:
        for _ in range(flushes):
            self._open.release()


def write(commit: GroupCommit, *ids: str) -> asyncio.Task[list[Outcome]]:
    return asyncio.create_task(commit.write([stored("r", each) for each in ids]))


async def test_writes_gather_while_one_flush_is_under_way() -> None:
    gate = Gate()
    commit = GroupCommit(gate)
    first = write(commit, "a")
    await gate.flushing()
    others = [write(commit, "b", "a"), write(commit, "c"), write(commit, "b")]
    gate.let_go()
    assert await first == [Outcome.ACCEPTED]
    await gate.flushing()
    assert gate.flushes == [["a"], ["b", "a", "c", "b"]]
    assert not any(task.done() for task in others)
    gate.let_go()
    assert await asyncio.gather(*others) == [
        [Outcome.ACCEPTED, Outcome.DUPLICATE],
        [Outcome.ACCEPTED],
        [Outcome.DUPLICATE],
    ]


async def test_a_flush_is_bounded_and_a_larger_write_is_its_own() -> None:
    gate = Gate()
    gate.let_go(9)
    commit = GroupCommit(gate, max_flush=2)
    await asyncio.gather(write(commit, "a", "b", "c"), write(commit, "d"), write(commit, "e", "f"))
    assert gate.flushes == [["a", "b", "c"], ["d"], ["e", "f"]]


async def test_too_many_that_wait_are_refused_and_the_rest_is_stored() -> None:
    gate = Gate()
    commit = GroupCommit(gate, max_waiting=3)
    first = write(commit, "a")
    await gate.flushing()
    waiting = write(commit, "b", "c")
    await asyncio.sleep(0)
    with pytest.raises(ServiceError) as caught:
        await commit.write([stored("r", "d"), stored("r", "e")])
    assert caught.value.reason is Reason.OVERLOADED
    assert caught.value.code is Code.RESOURCE_EXHAUSTED
    assert caught.value.reason in RETRY_HELPS
    fits = write(commit, "d")
    gate.let_go(2)
    await asyncio.gather(first, waiting, fits)
    assert gate.flushes == [["a"], ["b", "c", "d"]]


async def test_an_error_reaches_all_of_its_flush_and_no_other() -> None:
    gate = Gate()
    gate.error = ServiceError(Reason.STATE_AWAY, "away")
    commit = GroupCommit(gate)
    first = write(commit, "a")
    await gate.flushing()
    second = write(commit, "b")
    gate.let_go()
    with pytest.raises(ServiceError, match="away"):
        await first
    gate.error = None
    gate.let_go()
    assert await second == [Outcome.ACCEPTED]


async def test_a_cancelled_write_leaves_the_others_alone() -> None:
    gate = Gate()
    commit = GroupCommit(gate)
    flushing = write(commit, "a")
    await gate.flushing()
    waiting, other = write(commit, "b"), write(commit, "c")
    await asyncio.sleep(0)
    flushing.cancel()
    waiting.cancel()
    await asyncio.gather(flushing, waiting, return_exceptions=True)
    gate.let_go(2)
    assert await other == [Outcome.ACCEPTED]
    assert gate.flushes == [["a"], ["c"]]


async def test_closing_waits_for_what_was_taken() -> None:
    gate = Gate()
    commit = GroupCommit(gate)
    tasks = [write(commit, each) for each in "abc"]
    await gate.flushing()
    gate.let_go(3)
    await commit.close()
    assert all(task.done() for task in tasks) or set(gate.oracle.accepted) == {
        ("r", each) for each in "abc"
    }
    await asyncio.gather(*tasks)
    await commit.close()


async def test_nothing_to_write() -> None:
    assert await GroupCommit(Gate()).write([]) == []


async def test_many_writers_on_a_real_state(state: FeedbackState) -> None:
    commit = GroupCommit(state, max_flush=50)
    each = [[stored(f"r{n}", f"e{m}") for m in range(n % 7)] for n in range(100)]
    outcomes = await asyncio.gather(*(commit.write(events) for events in each + each))
    assert [len(found) for found in outcomes] == [len(events) for events in each + each]
    assert {found for some in outcomes[:100] for found in some} == {Outcome.ACCEPTED}
    assert {found for some in outcomes[100:] for found in some} == {Outcome.DUPLICATE}
