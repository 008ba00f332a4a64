"""Durable events a second, from a client to `related-papers serve` with its own state server.

    .venv/bin/python -m tests.benchmarks.feedback [SHARE]

One connection. `WriteFeedback`: one call after another, each waiting for its answer, and eight
under way at once. `StreamFeedback`: messages as fast as the service takes them. Every event is
synced to disk before it is acknowledged. SHARE makes it shorter (0.1: a tenth). Caveats: client,
service, updater and state server share the machine's cores; events are short (110 bytes); 10,000
readers, the papers of the sample.
"""

import asyncio
import itertools
import random
import sys
import tempfile
import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import grpc

from models.artifact import Artifact
from relatedpapers.v1 import feedback_service_pb2 as pb
from tests.benchmarks.report import heading, spread, table
from tests.serving import serve_command, train
from tests.support import ROOT

SERVICE = "/relatedpapers.v1.FeedbackService"
SIZES = (1, 100, 1_000)
READERS, ROUNDS, POOL = 10_000, 3, 100_000
TYPES = ("impression", "click", "read", "save")


def events(papers: list[str], count: int) -> list[bytes]:
    """Serialised events, each with an id of its own."""
    draw = random.Random(0)  # noqa: S311 - a load needs no secret
    made = []
    for _ in range(count):
        event = pb.Event(
            id=str(uuid.uuid4()),
            reader_id=f"reader-{draw.randrange(READERS)}",
            paper_id=draw.choice(papers),
            type=draw.choice(TYPES),
        )
        event.event_time.GetCurrentTime()
        made.append(pb.WriteFeedbackRequest(events=[event]).SerializeToString())
    return made


def fresh(parts: list[bytes], size: int) -> list[bytes]:
    """The events in messages of one size, with new ids: a message is its fields in a row."""
    requests = []
    for begin in range(0, len(parts), size):
        request = pb.WriteFeedbackRequest.FromString(b"".join(parts[begin : begin + size]))
        for event in request.events:
            event.id = str(uuid.uuid4())
        requests.append(request.SerializeToString())
    return requests


async def calls(channel: grpc.aio.Channel, requests: Iterable[bytes], at_once: int) -> None:
    send: Any = channel.unary_unary(f"{SERVICE}/WriteFeedback")
    rest = iter(requests)

    async def caller() -> None:
        for request in rest:
            await send(request)

    await asyncio.gather(*(caller() for _ in range(at_once)))


def numbered(requests: Iterable[bytes]) -> list[bytes]:
    """The same events as the messages of a stream."""
    return [
        pb.StreamFeedbackRequest(
            sequence_number=number, events=pb.WriteFeedbackRequest.FromString(request).events
        ).SerializeToString()
        for number, request in enumerate(requests, start=1)
    ]


async def stream(channel: grpc.aio.Channel, messages: Iterable[bytes]) -> None:
    send: Any = channel.stream_stream(f"{SERVICE}/StreamFeedback")
    async for _ in send(iter(messages)):
        pass


async def rates(address: str, parts: list[bytes], size: int) -> tuple[str, str, str]:
    """Events a second: calls one by one, eight at once, a stream."""
    found: list[list[float]] = [[], [], []]
    async with grpc.aio.insecure_channel(address) as channel:
        for column, _ in itertools.product(range(3), range(ROUNDS)):
            requests = fresh(parts, size)
            if column == 2:
                requests = numbered(requests)
            begun = time.perf_counter()
            if column == 2:
                await stream(channel, requests)
            else:
                await calls(channel, requests, at_once=(1, 8)[column])
            found[column].append(len(parts) / (time.perf_counter() - begun))
    one, many, streamed = (spread(each, "{:,.0f}".format) for each in found)
    return one, many, streamed


def main(share: float) -> None:
    heading("Durable events a second")
    with tempfile.TemporaryDirectory() as folder:
        model = train(ROOT / "models" / "sample" / "papers.jsonl", output=Path(folder) / "model")
        parts = events(Artifact.open(model).papers.ids(), POOL)
        with serve_command(model, Path(folder) / "data") as address:
            rows = [
                (f"{size:,}", *asyncio.run(rates(address, parts[: int(count * share)], size)))
                for size, count in zip(SIZES, (2_000, 20_000, POOL), strict=True)
            ]
    table(("events in a message", "calls, one by one", "calls, eight at once", "a stream"), rows)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
