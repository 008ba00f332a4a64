"""What ListRelatedPapers costs over HTTP, beside a handler that does nothing in the same server.

    .venv/bin/python -m tests.benchmarks.web [MODEL] [--requests 4000] [--seconds 3]

MODEL is by default what `serving` leaves in data/bench-model.

Two processes, side by side: the service's worker, and an ASGI handler behind the same HTTP server
that reads the request, finds the bytes of the same answer and sends them. CPU: blocks of 250
requests (one seed drawn at random, 10 results) go to both in turn, one after another on one
connection; of all threads of the server's process. Requests a second: 4 connections that always
have a request under way, to one server after the other, three times.

Caveats: the client (one Python process that parses nothing) shares two cores with the server, so
the rates are those of the pair; on more cores the server alone decides. Linux only (/proc).
"""

import argparse
import asyncio
import base64
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from google.protobuf import json_format

from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.settings import Settings
from service.web.server import WebServer, listen
from tests.benchmarks.report import heading, spread, table
from tests.benchmarks.serving import BLOCK, DEFAULT_MODEL, cpu_seconds, draw, started

PATH = "/relatedpapers.v1.RecommendationService/ListRelatedPapers"
CONNECTIONS = 4
ROUNDS = 3
_LENGTH = re.compile(rb"content-length: (\d+)\r\n")


class Form(NamedTuple):
    """A way to ask: its name, and the whole requests, ready to send."""

    name: str
    requests: list[bytes]


class Server(NamedTuple):
    """A server that is measured."""

    process: int
    port: int

    async def block(self, requests: Sequence[bytes]) -> tuple[list[bytes], float]:
        """The answers, asked for one after the other, and microseconds of its CPU for each."""
        async with connection(self.port) as ask:
            before = cpu_seconds(self.process)
            answers = [await ask(request) for request in requests]
            return answers, (cpu_seconds(self.process) - before) / len(requests) * 1e6

    async def rate(self, requests: Sequence[bytes], seconds: float) -> float:
        """Requests a second over several connections."""
        turn = cycle(requests)
        end = time.perf_counter() + seconds

        async def client() -> int:
            count = 0
            async with connection(self.port) as ask:
                while time.perf_counter() < end:
                    await ask(next(turn))
                    count += 1
            return count

        begun = time.perf_counter()
        counts = await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
        return sum(counts) / (time.perf_counter() - begun)


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Any]:
    """Sends one request after the other, and returns each answer's body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def ask(request: bytes) -> bytes:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 304")), head
        length = _LENGTH.search(head)
        return await reader.readexactly(int(length[1])) if length else b""

    try:
        yield ask
    finally:
        writer.close()


@asynccontextmanager
async def server(command: Sequence[str], told: str) -> AsyncIterator[Server]:
    """A server to call over HTTP."""
    async with started(command, told) as (process, ports):
        yield Server(process, ports["web_port"])


async def serve_bytes() -> None:
    """The server to compare with. Standard input: lines of a request's key and its answer."""
    answers: dict[bytes, bytes] = {}
    for _ in range(int(sys.stdin.readline())):
        key, answer = map(base64.b64decode, sys.stdin.readline().split())
        answers[key] = answer

    async def application(scope: Any, receive: Any, send: Any) -> None:
        message = await receive()
        body = answers[message["body"] or scope["query_string"]]
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    listening = WebServer(application, listen("127.0.0.1", 0))
    await listening.start()
    print(json.dumps({"web_port": listening.port}), flush=True)
    await asyncio.Event().wait()


def post(body: bytes, kind: str) -> bytes:
    head = f"POST {PATH} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {kind}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def get(query: str, headers: str = "") -> bytes:
    return f"GET {PATH}?{query} HTTP/1.1\r\nhost: localhost\r\n{headers}\r\n".encode()


def forms(requests: Sequence[bytes]) -> list[tuple[Form, list[bytes]]]:
    """The requests in each form, and the keys by which the other server knows their answers."""
    written = [
        json_format.MessageToJson(pb.ListRelatedPapersRequest.FromString(each), indent=None)
        for each in requests
    ]
    queries = [urlencode({"encoding": "json", "message": each}) for each in written]
    bodies = [each.encode() for each in written]
    kinds = ("application/json", "application/proto")
    return [
        (Form("POST, JSON", [post(each, kinds[0]) for each in bodies]), bodies),
        (Form("GET, JSON", [get(each) for each in queries]), [each.encode() for each in queries]),
        (Form("POST, protobuf", [post(each, kinds[1]) for each in requests]), list(requests)),
    ]


async def compare(model: Path, folder: Path, requests: list[bytes], seconds: float) -> None:
    """Print the table."""
    settings = Settings(model=model, port=0, web_port=0, data_dir=folder).model_dump_json()
    worker = [sys.executable, "-m", "service.worker"]
    bare = [sys.executable, "-m", "tests.benchmarks.web", "--bytes"]
    rows = []
    async with server(worker, settings) as service:
        asked = forms(requests)
        pairs = []
        for form, keys in asked:
            answers, _ = await service.block(form.requests)
            size = statistics.mean(map(len, answers))
            print(f"{form.name}: {size:,.0f} bytes an answer\n")
            pairs += [
                f"{base64.b64encode(key).decode()} {base64.b64encode(answer).decode()}"
                for key, answer in zip(keys, answers, strict=True)
            ]
        async with AsyncExitStack() as stack:
            told = "\n".join([str(len(pairs)), *pairs])
            nothing = await stack.enter_async_context(server(bare, told))
            for form, _ in asked:
                whole = form.requests
                blocks = [whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK)]
                cpu = [
                    ((await service.block(each))[1], (await nothing.block(each))[1])
                    for each in blocks
                ]
                rates = [
                    (await service.rate(whole, seconds), await nothing.rate(whole, seconds))
                    for _ in range(ROUNDS)
                ]
                ours, theirs = zip(*cpu, strict=True)
                micros = (spread(each, "{:.0f}".format) for each in (ours, theirs))
                each_second = (spread(each, "{:,.0f}".format) for each in zip(*rates, strict=True))
                shares = spread([our / their for our, their in rates], "{:.0%}".format)
                rows.append((form.name, *micros, *each_second, shares))
    columns = (
        *("form", "CPU us a request", "same bytes, no work"),
        *("requests a second", "same bytes, no work", "share"),
    )
    table(columns, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path, nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--requests", type=int, default=4_000)
    parser.add_argument("--seconds", type=float, default=3.0)
    arguments = parser.parse_args()
    heading("Related papers over HTTP")
    with tempfile.TemporaryDirectory() as name:
        requests = draw(arguments.model, arguments.requests)
        asyncio.run(compare(arguments.model, Path(name), requests, arguments.seconds))


if __name__ == "__main__":
    if sys.argv[1:] == ["--bytes"]:
        asyncio.run(serve_bytes())
    else:
        main()
