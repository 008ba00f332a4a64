"""What trends cost: an event more, a ranking, and an answer.

    .venv/bin/python -m tests.benchmarks.trending [MODEL] [--events 40000]

An event: CPU microseconds of the process that writes or counts and of its state server. The bare
write is the append of a thousand events, each durable; counting is what an updater does of an event
without trends, and then with them, over the same events in turns: of the last hour, and spread over
a month, where each touches another hour. A ranking: milliseconds of CPU that the table of a month
takes, by how many events it holds. An answer: the CPU of the service's process beside a `grpc.aio`
handler that answers with the same bytes and does nothing else, as in serving.py; the first time
each request is another, with the same list but for one excluded paper. MODEL is by default what
`serving` leaves in data/bench-model.

Caveats: all share the machine's cores; 2,000 papers, 20,000 readers, ids of 32 digits; a tenth of
the events are clicks and the like, the rest impressions.
"""

import argparse
import asyncio
import base64
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path

from models.artifact import Artifact
from relatedpapers.v1.recommendation_service_pb2 import ListTrendingPapersRequest, PaperFilter
from service.embedded import Role, attach
from service.events import StoredEvent, content_digest
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import PARTITIONS, RANKINGS_KEY, cursor_key
from service.settings import Settings
from service.trending.ranking import Ranking
from service.updater import open_log
from tests.benchmarks.report import heading, spread, table
from tests.benchmarks.serving import DEFAULT_MODEL, Side, side
from tests.trending.support import LENGTHS
from tests.trending.support import table as table_of
from tests.trending.worlds import World, history

METHOD = "ListTrendingPapers"
ROUNDS, BATCH, BLOCK, BLOCKS = 5, 1_000, 250, 10
HELD = (100_000, 1_000_000)


def drawn(count: int, days: float) -> list[StoredEvent]:
    """Events of the last days, with ids as senders make them."""
    now_ms = int(time.time() * 1000)
    world = World(count, 2_000, 20_000, 10_000, days=days, now_ms=now_ms)
    events = (each._replace(id=uuid.uuid4().hex) for each in history(world) if not each.retracts)
    return [each._replace(content=content_digest(*each[:12])) for each in islice(events, count)]


async def spent(
    state: FeedbackState, work: Callable[[], Awaitable[object]], events: int
) -> tuple[float, float]:
    """Microseconds of CPU for each event, of this process and of the state server."""

    async def server() -> float:
        used = await state.client.info("cpu")
        return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])

    theirs, ours = await server(), time.process_time()
    await work()
    ours, theirs = time.process_time() - ours, await server() - theirs
    return ours / events * 1e6, theirs / events * 1e6


async def updates(url: str, folder: Path, count: int, days: float) -> None:
    """Print what an event of the last days costs."""
    state = FeedbackState(url)
    settings = Settings(state_url=url, data_dir=folder)
    bare, trending = FeedbackLog(state.client), open_log(state, settings)
    events = drawn(count, days)

    async def write() -> None:
        for begin in range(0, len(events), BATCH):
            await state.append(events[begin : begin + BATCH])

    async def counted(log: FeedbackLog) -> None:
        await state.client.delete(*map(cursor_key, range(PARTITIONS)))
        for partition in range(PARTITIONS):
            while await log.catch_up(partition, BATCH):
                pass

    kinds: dict[str, Callable[[], Awaitable[None]]] = {
        "bare write": write,
        "counting": lambda: counted(bare),
        "counting, with trends": lambda: counted(trending),
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        await state.client.flushall()
        for name, work in kinds.items():
            found[name].append(await spent(state, work, len(events)))
    both = {name: [sum(each) for each in pairs] for name, pairs in found.items()}
    more = [
        trend - count
        for count, trend in zip(both["counting"], both["counting, with trends"], strict=True)
    ]
    rows = [
        (name, *(spread(each) for each in zip(*pairs, strict=True)), spread(both[name]))
        for name, pairs in found.items()
    ]
    table(
        ("CPU us an event", "writer or updater", "state server", "both"),
        [*rows, ("what trends add", "", "", spread(more))],
    )
    await state.close()


def rankings() -> Ranking:
    """Print what a ranking of a month costs; one of the last kind."""
    now_ms = int(time.time() * 1000)
    found: list[Ranking] = []
    rows = []
    for size in HELD:
        held = table_of(history(World(size, 2_000, size // 20, size // 40, now_ms=now_ms)), now_ms)
        costs = []
        for _ in range(ROUNDS):
            begin = time.process_time()
            found.append(held.ranking(LENGTHS["month"], now_ms))
            costs.append((time.process_time() - begin) * 1e3)
        papers, kilobytes = len(found[-1].papers), len(found[-1].pack()) / 1e3
        cost = spread(costs, "{:.0f}".format)
        rows.append((f"{size:,}", f"{papers:,}", cost, f"{kilobytes:,.0f}"))
    table(("events of a month", "papers", "CPU ms a ranking", "KB to publish"), rows)
    return found[-1]


async def answers(model: Path, folder: Path, url: str, ranking: Ranking) -> None:
    """Print what an answer costs."""
    papers = Artifact.open(model, verify=False).papers
    named = [papers.id(row) for row in range(len(ranking.papers))]
    state = FeedbackState(url)
    whole = ranking._replace(papers=named)
    await state.client.hset(
        RANKINGS_KEY, mapping={"#revision": "1", **dict.fromkeys(LENGTHS, whole.pack())}
    )
    excluded = [
        ListTrendingPapersRequest(filter=PaperFilter(excluded_paper_ids=[papers.id(row)]))
        for row in range(len(papers) - BLOCK * (BLOCKS + 1), len(papers))
    ]
    requests = [each.SerializeToString() for each in excluded]
    settings = Settings(model=model, port=0, data_dir=folder, state_url=url, updater=False)
    worker = [sys.executable, "-m", "service.worker"]
    bare = [sys.executable, "-m", "tests.benchmarks.serving", "--bytes"]
    async with side(worker, settings.model_dump_json()) as another:
        answered, _ = await another.block(requests, METHOD)
    pairs = [
        f"{base64.b64encode(request).decode()} {base64.b64encode(answer).decode()}"
        for request, answer in zip(requests, answered, strict=True)
    ]
    async with (
        side(worker, settings.model_dump_json()) as service,
        side(bare, "\n".join([str(len(pairs)), *pairs])) as nothing,
    ):
        warming, *blocks = [requests[at : at + BLOCK] for at in range(0, len(requests), BLOCK)]
        await service.block(warming, METHOD)
        await nothing.block(warming)
        rows = [
            (name, *await _beyond(service, nothing, blocks)) for name in ("first time", "again")
        ]
    size = sum(map(len, answered)) / len(answered)
    print(f"{size:,.0f} bytes an answer, 10 results; blocks of {BLOCK}\n")
    table(("CPU us a request", "service", "same bytes, no work", "beyond"), rows)
    await state.close()


async def _beyond(
    service: Side, nothing: Side, blocks: Sequence[Sequence[bytes]]
) -> tuple[str, str, str]:
    ours, theirs = [], []
    for block in blocks:
        ours.append((await service.block(block, METHOD))[1])
        theirs.append((await nothing.block(block))[1])
    more = [our - their for our, their in zip(ours, theirs, strict=True)]
    one, other, beyond = (spread(each, "{:.0f}".format) for each in (ours, theirs, more))
    return one, other, beyond


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("model", type=Path, nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--events", type=int, default=40_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, attach(Path(name)) as urls:
        for told, days in (("as it comes", 1 / 24), ("of a month, as an import brings it", 29.0)):
            heading(f"Trends: an event {told}")
            asyncio.run(updates(urls[Role.STATE], Path(name), arguments.events, days))
        heading("Trends: a ranking")
        ranking = rankings()
        heading("Trends: calls of ListTrendingPapers")
        asyncio.run(answers(arguments.model, Path(name), urls[Role.STATE], ranking))


if __name__ == "__main__":
    main()
