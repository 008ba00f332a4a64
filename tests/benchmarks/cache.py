"""What one cached answer costs the service, by where it is found: the ground of the cache policy.

    .venv/bin/python -m tests.benchmarks.cache [ANSWER_BYTES]

Microseconds for one request after another on one event loop: of CPU (the service's process alone)
and of waiting (with the Redis server on the same machine). A method is worth caching in Redis when
computing its answer costs more CPU than `Redis hit`; every miss then pays `miss` on top. Caveats:
one client, a Unix socket, warm caches; a Redis across a network costs its round trip more.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from service.cache import AnswerCache, Policy, RedisCache
from service.embedded import Role, attach
from service.keys import cache_key
from tests.benchmarks.report import heading, spread, table

ROUNDS, REPEATS = 5, 1_000
SHARED, LOCAL = Policy(ttl_seconds=600, shared=True), Policy(ttl_seconds=600, shared=False)


async def measure(name: str, request: Callable[[int], Awaitable[bytes]]) -> tuple[str, str, str]:
    """A row of the table: CPU and wall time of a request, of several rounds."""
    await request(-1)
    spent, waited = [], []
    for round_number in range(ROUNDS):
        cpu, wall = time.process_time(), time.perf_counter()
        for number in range(REPEATS):
            await request(round_number * REPEATS + number)
        spent.append((time.process_time() - cpu) / REPEATS * 1e6)
        waited.append((time.perf_counter() - wall) / REPEATS * 1e6)
    return name, spread(spent), spread(waited)


async def main(url: str, answer: bytes) -> None:
    async def compute() -> bytes:
        return answer

    def key(number: int) -> str:
        return cache_key("model", "Method", b"%d" % number)

    shared = RedisCache(url, timeout_seconds=5)
    near, far = AnswerCache(shared), AnswerCache(shared, local_megabytes=0)
    cases: dict[str, Callable[[int], Awaitable[bytes]]] = {
        "in the process": lambda _: near.get_or_compute(key(0), LOCAL, compute),
        "miss, kept in the process": lambda n: near.get_or_compute(key(n), LOCAL, compute),
        "miss, written to Redis": lambda n: far.get_or_compute(key(n), SHARED, compute),
        "Redis hit": lambda n: far.get_or_compute(key(n), SHARED, compute),
    }
    rows = [await measure(name, request) for name, request in cases.items()]
    table((f"an answer of {len(answer):,} bytes, found", "CPU us", "waited us"), rows)
    await shared.close()


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    heading("Cache")
    with tempfile.TemporaryDirectory() as folder, attach(Path(folder)) as urls:
        asyncio.run(main(urls[Role.CACHE], os.urandom(size)))
