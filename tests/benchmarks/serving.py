"""What ListRelatedPapers costs the server beyond gRPC itself, and how fast and large the server is.

    .venv/bin/python -m tests.benchmarks.serving [MODEL] [--requests 5000] [--starts 5]

MODEL is by default data/bench-model, trained on the first 100,000 lines of cs-343k where it is
absent.

Ready: seconds from the start of `related-papers serve`, its two Redis servers included, until it
answers on its port; once without any byte code kept, then as on every later start. Own memory is
the worker's resident anonymous memory; mapped pages (the artifact, libraries) are shown beside it.

CPU: three server processes, side by side: the service's worker, and two with a `grpc.aio` handler
that answers the same requests with the same bytes and does nothing else, one on uvloop as the
service is, one on asyncio's own loop. Blocks of 250 requests (one seed drawn at random, 10 results,
no evidence) go to each in turn, one request after another. First with seeds that the worker has
never seen (their lists and papers are mapped and encoded), then the same seeds again. CPU is of all
threads of the server's process. Another worker gave the bytes before.

Caveats: client and servers share the machine, so their caches too; Linux only (/proc). Seeds are
uniform, which no traffic is: popular papers come back, and cost what is measured for `again`.
"""

import argparse
import asyncio
import base64
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, create_subprocess_exec
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import uvloop

from models.artifact import Artifact
from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersRequest
from service.settings import Settings
from tests.benchmarks.report import COMMAND, first_lines, heading, run, spread, table
from tests.support import ROOT

BLOCK = 250
PAPERS = 100_000
SERVICE, METHOD = "relatedpapers.v1.RecommendationService", "ListRelatedPapers"
DEFAULT_MODEL = ROOT / "data" / "bench-model"


class Side(NamedTuple):
    """A server that is measured: its process, and a channel to it."""

    process: int
    channel: grpc.aio.Channel

    async def block(
        self, requests: Sequence[bytes], method: str = METHOD
    ) -> tuple[list[bytes], float]:
        """The answers, asked for one after the other, and microseconds of its CPU for each."""
        send: Any = self.channel.unary_unary(f"/{SERVICE}/{method}")
        before = cpu_seconds(self.process)
        answers = [await send(request) for request in requests]
        return answers, (cpu_seconds(self.process) - before) / len(requests) * 1e6


def cpu_seconds(process: int) -> float:
    """CPU time of all threads of a process."""
    tasks = Path(f"/proc/{process}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _memory_megabytes(process: int) -> tuple[int, int]:
    """Resident memory of a process: its own, and mapped pages."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    fields = {line.split()[0]: line.split() for line in lines if line}
    return int(fields["RssAnon:"][1]) // 1024, int(fields["RssFile:"][1]) // 1024


@asynccontextmanager
async def started(command: Sequence[str], told: str) -> AsyncIterator[tuple[int, dict[str, int]]]:
    """A server that takes lines on its standard input: its process id and the ports it reports."""
    process = await create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told.encode() + b"\n")
    try:
        yield process.pid, json.loads(await process.stdout.readline())
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def side(command: list[str], told: str) -> AsyncIterator[Side]:
    """A server to call over gRPC."""
    async with (
        started(command, told) as (process, ports),
        grpc.aio.insecure_channel(f"127.0.0.1:{ports['port']}") as channel,
    ):
        yield Side(process, channel)


async def serve_bytes() -> None:
    """The server to compare with. Standard input: lines of a request and its answer, base64."""
    listening = grpc.aio.server()
    answers: dict[bytes, bytes] = {}

    async def handle(request: bytes, _context: object) -> bytes:
        return answers[request]

    def learn() -> None:
        request, answer = map(base64.b64decode, sys.stdin.readline().split())
        answers[request] = answer

    handlers: Any = {METHOD: grpc.unary_unary_rpc_method_handler(handle)}
    listening.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
    listening.add_registered_method_handlers(SERVICE, handlers)
    port = listening.add_insecure_port("127.0.0.1:0")
    for _ in range(int(sys.stdin.readline())):
        learn()
    await listening.start()
    print(json.dumps({"port": port}), flush=True)
    await listening.wait_for_termination()


def seconds_to_ready(model: Path, folder: Path, byte_code: Path) -> float:
    """From the start of the command until it says that it serves."""
    options = ("--model", model, "--port", "0", "--data-dir", folder)
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(byte_code), "PYTHONUNBUFFERED": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    begun = time.perf_counter()
    with subprocess.Popen(
        [COMMAND, "serve", *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        served = any("serves gRPC on" in line for line in iter(process.stdout.readline, ""))
        ready = time.perf_counter() - begun
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
    assert served, "it did not start"
    return ready


def draw(model: Path, count: int) -> list[bytes]:
    """Requests, each for another seed while there are enough papers."""
    papers = Artifact.open(model, verify=False).papers
    seeds = random.Random(1).sample(range(len(papers)), min(count, len(papers)))  # noqa: S311
    return [
        ListRelatedPapersRequest(paper_ids=[papers.id(row)]).SerializeToString() for row in seeds
    ]


async def costs(model: Path, folder: Path, requests: list[bytes]) -> None:
    """Print the tables of CPU and memory."""
    settings = Settings(model=model, port=0, data_dir=folder).model_dump_json()
    worker = [sys.executable, "-m", "service.worker"]
    async with side(worker, settings) as another:
        answers, _ = await another.block(requests)
    pairs = [
        f"{base64.b64encode(request).decode()} {base64.b64encode(answer).decode()}"
        for request, answer in zip(requests, answers, strict=True)
    ]
    told = "\n".join([str(len(pairs)), *pairs])
    bare = [sys.executable, "-m", "tests.benchmarks.serving", "--bytes"]
    plain = [*bare, "--asyncio"]
    warming, *blocks = [requests[at : at + BLOCK] for at in range(0, len(requests), BLOCK)]
    rows = []
    async with (
        side(worker, settings) as service,
        side(bare, told) as alike,
        side(plain, told) as other,
    ):
        at_rest = _memory_megabytes(service.process)
        for each in (service, alike, other):
            await each.block(warming)
        for name in ("first time", "again"):
            cpu = [
                [(await each.block(block))[1] for each in (service, alike, other)]
                for block in blocks
            ]
            figures: list[list[float]] = [
                *map(list, zip(*cpu, strict=True)),
                [ours - theirs for ours, theirs, _ in cpu],
                [ours - theirs for ours, _, theirs in cpu],
            ]
            rows.append((name, *(spread(each, "{:.0f}".format) for each in figures), "<= 250"))
        used = _memory_megabytes(service.process)
    size = sum(map(len, answers)) / len(answers)
    print(f"{len(answers):,} seeds, {size:,.0f} bytes an answer; blocks of {BLOCK}\n")
    columns = (
        "CPU us a request",
        "service",
        "no work",
        "no work, asyncio",
        "beyond",
        "beyond",
        "goal",
    )
    table(columns, rows)
    table(
        ("memory of the worker, MB", "own", "mapped", "goal"),
        [
            ("when ready", *at_rest, ""),
            (f"after {2 * len(requests):,} lists", *used, "< 400 own"),
        ],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path, nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--requests", type=int, default=5_000)
    parser.add_argument("--starts", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.model == DEFAULT_MODEL and not DEFAULT_MODEL.exists():
            papers = first_lines(PAPERS, folder)
            run(COMMAND, "train", "--papers", papers, "--output", DEFAULT_MODEL)
        requests = draw(arguments.model, arguments.requests)
        heading("Serving")
        starts = [
            seconds_to_ready(arguments.model, folder / "data", folder / "byte code")
            for _ in range(arguments.starts + 1)
        ]
        table(
            ("ready after, s", "starts", "goal"),
            [
                ("first start, no byte code", f"{starts[0]:.2f}", ""),
                ("later starts", spread(starts[1:], "{:.2f}".format), "< 2"),
            ],
        )
        asyncio.run(costs(arguments.model.resolve(), folder / "data", requests))


if __name__ == "__main__":
    if sys.argv[1:] == ["--bytes"]:
        uvloop.run(serve_bytes())
    elif sys.argv[1:] == ["--bytes", "--asyncio"]:
        asyncio.run(serve_bytes())
    else:
        main()
