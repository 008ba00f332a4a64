"""From the acknowledgement of an event to the changed factors of its paper on the state server.

An updater process follows a state server of its own; readers save and click papers of citeulike-t
at a steady pace, and the delay of some of their events is measured: from the return of the append
that made it durable to the publication that names its paper.

    python -m tests.benchmarks.updater [events a second ...]
"""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import numpy as np
import redis
from numpy.typing import NDArray

from models.artifact import Artifact
from service.deltas import changed_rows
from service.embedded import Role, attach
from service.feedback_state import FeedbackState
from service.keys import delta_keys
from service.settings import Settings
from tests.benchmarks.report import COMMAND, DATASETS, heading, run, table
from tests.feedback.oracle import stored
from tests.feedback.updaters import UpdaterProcess

RATES = (1, 100, 1_000)
READERS = 2_000
SECONDS = 20


async def background(state: FeedbackState, papers: Sequence[str], rate: int, stop: float) -> None:
    """Saves and clicks by random readers, in ten batches a second."""
    draw = random.Random(0)  # noqa: S311 - a load needs no secret
    number, due = 0, time.monotonic()
    while (due := due + 0.1) < stop:
        size = max(1, rate // 10) if rate >= 10 or number % 10 == 0 else 0
        events = []
        for _ in range(size):
            number += 1
            reader = f"reader-{draw.randrange(READERS)}"
            paper = papers[min(int(draw.expovariate(10 / len(papers))), len(papers) - 1)]
            events.append(
                stored(reader, f"b{rate}-{number}", draw.choice(["save", "click"]), paper)
            )
        if events:
            await state.append(events)
        await asyncio.sleep(max(0.0, due - time.monotonic()))


async def delays(
    state: FeedbackState, artifact: Artifact, probes: Sequence[str], stop: float
) -> list[float]:
    """Seconds from acknowledgement to changed factors, one probe after the other."""
    log = delta_keys(artifact.version).log
    found: list[float] = []
    for number, paper in enumerate(probes):
        if time.monotonic() > stop:
            break
        row = artifact.papers.row(paper)
        place = await last(state, log)
        await state.append([stored(f"reader-{number % READERS}", f"probe-{paper}", "save", paper)])
        acknowledged = time.monotonic()
        rows: NDArray[np.int32] = np.zeros(0, np.int32)
        while row not in rows:
            answer: Any = await state.client.xread({log: place}, block=60_000)
            [(_, entries)] = answer
            place, rows = entries[-1][0], changed_rows(entries)
        found.append(time.monotonic() - acknowledged)
    return found


async def last(state: FeedbackState, log: str) -> bytes:
    """The last publication so far."""
    answer: Any = await state.client.xrevrange(log, count=1)
    found: bytes = answer[0][0]
    return found


async def measure(settings: Settings, rate: int) -> tuple[str, ...]:
    """One row of the table."""
    url = settings.state_url or ""
    with redis.Redis.from_url(url) as client:
        client.flushall()
    artifact = Artifact.open(settings.model)
    papers = artifact.papers.ids()
    random.Random(1).shuffle(papers)  # noqa: S311 - likewise
    probes, rest = papers[:2_000], papers[2_000:]
    state = FeedbackState(url, timeout_seconds=90)
    with UpdaterProcess(settings):
        await state.append([stored("first", "e", "save", rest[0])])
        await state.client.xread({delta_keys(artifact.version).log: "0"}, block=60_000)
        stop = time.monotonic() + SECONDS
        load = asyncio.create_task(background(state, rest, rate, stop))
        found = await delays(state, artifact, probes, stop)
        await load
    await state.close()
    tail = quantiles(found, n=20)[-1] if len(found) > 1 else found[0]
    return f"{rate:,}", f"{len(found):,}", *(f"{1000 * each:.0f}" for each in (median(found), tail))


def main(rates: Sequence[int]) -> None:
    heading("From acknowledgement to changed item factors")
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        papers = DATASETS / "citeulike-t" / "papers.jsonl.gz"
        run(COMMAND, "train", "--papers", papers, "--output", model)
        data = Path(folder) / "data"
        with attach(data, roles=[Role.STATE]) as urls:
            settings = Settings(model=model, data_dir=data, state_url=urls[Role.STATE])
            rows = [asyncio.run(measure(settings, rate)) for rate in rates]
    table(("events a second", "probes", "median, ms", "95th percentile, ms"), rows)


if __name__ == "__main__":
    main([int(each) for each in sys.argv[1:]] or RATES)
