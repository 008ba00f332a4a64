"""One computation for many equal requests, whatever happens to those who wait for it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from service.cache import MAX_VALUE_BYTES, TTL_JITTER, AnswerCache, Policy
from tests.cache.memory_cache import MemoryCache

POLICY = Policy(ttl_seconds=100, shared=True)


class Computation:
    """A computation that waits until it is released, and counts how often it began and ended."""

    def __init__(self, outcome: bytes | Exception = b"answer") -> None:
        self.outcome = outcome
        self.begun = 0
        self.cancelled = 0
        self.running = asyncio.Event()
        self.release = asyncio.Event()

    async def __call__(self) -> bytes:
        self.begun += 1
        self.running.set()
        try:
            await self.release.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def waiting(
    answers: AnswerCache, compute: Callable[[], Awaitable[bytes]], count: int
) -> list[asyncio.Task[bytes]]:
    """So many equal requests, all of which wait for the one computation."""
    tasks = [
        asyncio.create_task(answers.get_or_compute("key", POLICY, compute)) for _ in range(count)
    ]
    if isinstance(compute, Computation):
        await compute.running.wait()
    return tasks


async def test_equal_requests_at_once_are_computed_once() -> None:
    answers, compute = AnswerCache(MemoryCache()), Computation()
    tasks = await waiting(answers, compute, 100)
    compute.release.set()
    assert await asyncio.gather(*tasks) == [b"answer"] * 100
    assert compute.begun == 1
    assert (answers.counters.misses, answers.counters.coalesced) == (1, 99)


async def test_other_requests_do_not_wait() -> None:
    answers, compute = AnswerCache(MemoryCache()), Computation()
    tasks = await waiting(answers, compute, 1)
    other = Computation(b"other")
    other.release.set()
    assert await answers.get_or_compute("other key", POLICY, other) == b"other"
    compute.release.set()
    await asyncio.gather(*tasks)


async def test_a_leader_that_gives_up_fails_nobody() -> None:
    answers, compute = AnswerCache(MemoryCache()), Computation()
    leader, *followers = await waiting(answers, compute, 3)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    compute.release.set()
    assert await asyncio.gather(*followers) == [b"answer"] * 2
    assert (compute.begun, compute.cancelled) == (1, 0)


async def test_no_work_is_done_when_everyone_has_gone() -> None:
    answers, compute = AnswerCache(MemoryCache()), Computation()
    tasks = await waiting(answers, compute, 3)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    # A newcomer does not join the abandoned computation.
    again = Computation(b"again")
    again.release.set()
    assert await answers.get_or_compute("key", POLICY, again) == b"again"
    assert compute.cancelled == 1


async def test_a_failure_goes_to_all_and_is_not_cached() -> None:
    answers, compute = AnswerCache(MemoryCache()), Computation(LookupError("no such paper"))
    tasks = await waiting(answers, compute, 3)
    compute.release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results] == [LookupError] * 3
    assert compute.begun == 1

    compute.outcome = b"found"
    assert await answers.get_or_compute("key", POLICY, compute) == b"found"
    assert compute.begun == 2


async def test_a_failure_that_nobody_waits_for_disturbs_nobody() -> None:
    class Stubborn(Computation):
        async def __call__(self) -> bytes:
            try:
                return await super().__call__()
            except asyncio.CancelledError:
                raise LookupError("too late") from None

    answers, compute = AnswerCache(MemoryCache()), Stubborn()
    unhandled: list[object] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _loop, context: unhandled.append(context)
    )
    [task] = await waiting(answers, compute, 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    compute.release.set()
    compute.outcome = b"fine"
    assert await answers.get_or_compute("key", POLICY, compute) == b"fine"
    assert unhandled == []


async def test_a_value_beyond_the_limit_is_answered_but_not_kept() -> None:
    shared = MemoryCache()
    answers = AnswerCache(shared)
    compute = Computation(bytes(MAX_VALUE_BYTES + 1))
    compute.release.set()
    for begun in (1, 2):
        assert await answers.get_or_compute("key", POLICY, compute) == compute.outcome
        assert compute.begun == begun
    assert await shared.get("key") is None


async def test_without_a_shared_cache_and_without_a_local_one() -> None:
    answers = AnswerCache(None, local_megabytes=0)
    compute = Computation()
    compute.release.set()
    for begun in (1, 2):
        assert await answers.get_or_compute("key", POLICY, compute) == b"answer"
        assert compute.begun == begun
    await answers.close()


async def test_ttls_are_spread_below_the_policy_and_never_above() -> None:
    class Recording(MemoryCache):
        def __init__(self) -> None:
            super().__init__()
            self.ttls: list[float] = []

        async def set(self, key: str, value: bytes, ttl_seconds: float) -> None:
            await super().set(key, value, ttl_seconds)
            self.ttls.append(ttl_seconds)

    shared = Recording()
    answers = AnswerCache(shared)
    compute = Computation()
    compute.release.set()
    for number in range(200):
        await answers.get_or_compute(str(number), POLICY, compute)
    least = POLICY.ttl_seconds * (1 - TTL_JITTER)
    assert all(least <= ttl <= POLICY.ttl_seconds for ttl in shared.ttls)
    assert max(shared.ttls) - min(shared.ttls) > (POLICY.ttl_seconds - least) / 2
    assert len(set(shared.ttls)) > 190


async def test_local_entries_expire_by_the_injected_clock() -> None:
    now = 0.0
    answers = AnswerCache(None, clock=lambda: now)
    compute = Computation()
    compute.release.set()
    await answers.get_or_compute("key", POLICY, compute)
    now = 50.0
    await answers.get_or_compute("key", POLICY, compute)
    assert compute.begun == 1
    now = 61.0
    await answers.get_or_compute("key", POLICY, compute)
    assert compute.begun == 2
