"""What ListRelatedPapers costs the server beyond gRPC itself, and how fast and large the server is.

    .venv/bin/python tests/benchmarks/list_related_papers.py MODEL [REQUESTS]

Two server processes, side by side: the service's worker, and a `grpc.aio` handler that answers the
same requests with the same bytes and does nothing else. Blocks of requests (one seed drawn at
random, 10 results, no evidence) go to both in turn, one request after another. Printed: CPU of each
server's process for a request, the median and the best block, and the difference; how long the
worker took until it served; its resident memory, mapped pages aside. Caveats: client and servers
share the machine; Linux only (/proc).
"""

import asyncio
import base64
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

import grpc

from models.artifact import Artifact
from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersRequest
from service.settings import Settings

BLOCK = 250
SERVICE, METHOD = "relatedpapers.v1.RecommendationService", "ListRelatedPapers"


@contextmanager
def server(settings: Settings, command: list[str]) -> Iterator[tuple[int, int]]:
    """The process id and port of a server that takes its settings like a worker."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(settings.model_dump_json().encode() + b"\n")
        process.stdin.flush()
        yield process.pid, json.loads(process.stdout.readline())["port"]
        process.terminate()


async def serve_bytes(answers: dict[str, str]) -> None:
    """The server to compare with: each known request has its bytes."""
    table = {
        base64.b64decode(request): base64.b64decode(answer) for request, answer in answers.items()
    }

    async def handle(request: bytes, _context: object) -> bytes:
        return table[request]

    listening = grpc.aio.server()
    handlers: Any = {METHOD: grpc.unary_unary_rpc_method_handler(handle)}
    listening.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    listening.add_registered_method_handlers(SERVICE, handlers)
    port = listening.add_insecure_port("127.0.0.1:0")
    await listening.start()
    print(json.dumps({"port": port}), flush=True)
    await listening.wait_for_termination()


def cpu_seconds(process: int) -> float:
    """CPU time of all threads of a process."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def memory_megabytes(process: int) -> dict[str, int]:
    """Resident memory of a process, by kind."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    kinds = {"RssAnon:": "own", "RssFile:": "mapped"}
    fields = [line.split() for line in lines]
    return {kinds[each[0]]: int(each[1]) // 1024 for each in fields if each and each[0] in kinds}


async def block(channel: grpc.aio.Channel, requests: list[bytes]) -> list[bytes]:
    """The answers, asked for one after the other."""
    send: Any = channel.unary_unary(f"/{SERVICE}/{METHOD}")
    return [await send(request) for request in requests]


async def measure(process: int, channel: grpc.aio.Channel, requests: list[bytes]) -> float:
    """Microseconds of server CPU for a request."""
    before = cpu_seconds(process)
    await block(channel, requests)
    return (cpu_seconds(process) - before) / len(requests) * 1e6


async def main(model: Path, count: int) -> None:
    artifact = Artifact.open(model, verify=False)
    papers = artifact.papers
    draw = random.Random(1)  # noqa: S311 - requests need no secret
    requests = [
        ListRelatedPapersRequest(
            paper_ids=[papers.id(draw.randrange(len(papers)))]
        ).SerializeToString()
        for _ in range(count)
    ]
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, Python {platform.python_version()}")
    print(f"{len(papers):,} papers, {count:,} requests")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(model=model, port=0, data_dir=Path(folder))
        begun = time.perf_counter()
        with server(settings, [sys.executable, "-m", "service.worker"]) as (real, real_port):
            ready = time.perf_counter() - begun
            print(f"ready after {ready:.2f} s, memory in MB: {memory_megabytes(real)}")
            async with grpc.aio.insecure_channel(f"127.0.0.1:{real_port}") as real_channel:
                answers = await block(real_channel, requests)
                table = {
                    base64.b64encode(request).decode(): base64.b64encode(answer).decode()
                    for request, answer in zip(requests, answers, strict=True)
                }
                path = Path(folder) / "answers.json"
                path.write_text(json.dumps(table))
                print(f"{sum(map(len, answers)) / count:.0f} bytes an answer")
                command = [sys.executable, __file__, "--bytes", str(path)]
                with server(settings, command) as (bare, bare_port):
                    async with grpc.aio.insecure_channel(f"127.0.0.1:{bare_port}") as bare_channel:
                        await block(bare_channel, requests[:BLOCK])
                        figures = [
                            (
                                await measure(real, real_channel, requests[at : at + BLOCK]),
                                await measure(bare, bare_channel, requests[at : at + BLOCK]),
                            )
                            for at in range(0, count, BLOCK)
                        ]
            print(f"after {count:,} lists, memory in MB: {memory_megabytes(real)}")
    print(f"{'us of CPU a request':22} {'service':>8} {'bytes':>8} {'beyond':>8}")
    for name, choose in (("median block", median), ("best block", min)):
        service = choose(figure[0] for figure in figures)
        bare_cpu = choose(figure[1] for figure in figures)
        beyond = choose(figure[0] - figure[1] for figure in figures)
        print(f"{name:22} {service:8.0f} {bare_cpu:8.0f} {beyond:8.0f}")


if __name__ == "__main__":
    if sys.argv[1] == "--bytes":
        sys.stdin.readline()
        asyncio.run(serve_bytes(json.loads(Path(sys.argv[2]).read_text())))
    else:
        asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5_000))
