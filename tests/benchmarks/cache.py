"""What one cached answer costs the service, by where it is found: the ground of the cache policy.

    .venv/bin/python tests/benchmarks/cache.py [ANSWER_BYTES]

Microseconds for one request after another on one event loop: of CPU (the service's process alone)
and of waiting (with the Redis server on the same machine). A method is worth caching in Redis when
computing its answer costs more CPU than `Redis hit`; every miss then pays `miss` on top. Caveats:
one client, a Unix socket, warm caches; a Redis across a network costs its round trip more.
"""

import asyncio
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from service.cache import AnswerCache, Policy, RedisCache
from service.embedded import Role, attach
from service.keys import cache_key

REPEATS = 3_000
SHARED, LOCAL = Policy(ttl_seconds=600, shared=True), Policy(ttl_seconds=600, shared=False)


async def measure(name: str, request: Callable[[int], Awaitable[bytes]]) -> None:
    await request(-1)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(REPEATS):
        await request(number)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{name:28} {cpu / REPEATS * 1e6:10.1f} {wall / REPEATS * 1e6:10.1f}")


async def main(url: str, answer: bytes) -> None:
    async def compute() -> bytes:
        return answer

    def key(number: int) -> str:
        return cache_key("model", "Method", b"%d" % number)

    shared = RedisCache(url, timeout_seconds=5)
    near, far = AnswerCache(shared), AnswerCache(shared, local_megabytes=0)
    print(f"{'found':28} {'CPU us':>10} {'waited us':>10}")
    await measure("in the process", lambda _: near.get_or_compute(key(0), LOCAL, compute))
    await measure(
        "miss, kept in the process", lambda n: near.get_or_compute(key(n), LOCAL, compute)
    )
    await measure("miss, written to Redis", lambda n: far.get_or_compute(key(n), SHARED, compute))
    await measure("Redis hit", lambda n: far.get_or_compute(key(n), SHARED, compute))
    await shared.close()


if __name__ == "__main__":
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 3_000
    print(
        f"{size} bytes, {platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    with tempfile.TemporaryDirectory() as folder, attach(Path(folder)) as urls:
        asyncio.run(main(urls[Role.CACHE], os.urandom(size)))
