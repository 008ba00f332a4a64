"""What RecommendPapers costs, and how near its quick lists come to exact ones.

    .venv/bin/python -m tests.benchmarks.readers [MODEL]

MODEL is by default what `serving` leaves in data/bench-model, 100,000 papers. Readers of 10, 100
and 1,000 saves are drawn around a few papers each, from their stored neighbours.

Parts: milliseconds of CPU in this process. The solve is `models.readers.solve_reader`, over the
whole history; after an event it goes on from the sums before it. A scan scores every paper, as for
the first list of a reader on a server; a refresh is what an event costs.
Overlap: how many of the first 50 papers a scan would list too, after one event and after the most
that a library may change between two scans.

Calls: milliseconds of CPU of all threads of the server's process, less those of a `grpc.aio`
handler that answers with as many bytes and does nothing else. Between the calls this process
appends events to the state server. `first` is the first call after an event, `again` one of twenty
right after it; each is compared with calls of the no-op handler that come alike, alone after an
event or twenty in a row: a server that was asleep has its own costs.

Caveats: client and servers share the machine; Linux only (/proc). No updater runs: what its deltas
cost a server is not in these figures.
"""

import asyncio
import base64
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean, median

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as `serve` does; before numpy is loaded

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.readers import NormalEquations, solve_reader
from relatedpapers.v1.recommendation_service_pb2 import RecommendPapersRequest
from service.embedded import Role, attach
from service.feedback_state import FeedbackState
from service.filters import EVERYTHING
from service.live_items import LiveItems
from service.reader_lists import CHANGED_SHARE, ReaderLists
from service.settings import Settings
from tests.benchmarks.report import heading, table
from tests.benchmarks.serving import DEFAULT_MODEL, METHOD, Side, side
from tests.feedback.oracle import stored

SIZES = (10, 100, 1_000)
READERS = 12
AGAIN = 20
LISTED = 50


def libraries(artifact: Artifact, size: int) -> list[list[int]]:
    """Papers of readers who have so many and half as many to come, in the order of their saves."""
    draw = random.Random(size)  # noqa: S311 - a load needs no secret
    neighbors = artifact.scorer.neighbors.rows
    found = []
    for _ in range(READERS):
        centers = [draw.randrange(len(neighbors)) for _ in range(2 + size // 20)]
        papers: dict[int, None] = {}
        while len(papers) < size * 3 // 2:
            near = [int(row) for row in neighbors[draw.choice(centers)] if row >= 0]
            papers[draw.choice(near) if near else draw.randrange(len(neighbors))] = None
            if draw.random() < 0.05:
                centers.append(draw.randrange(len(neighbors)))
        found.append(list(papers))
    return found


def spent(work: Callable[..., object], *arguments: object) -> float:
    """Milliseconds of CPU."""
    begin = time.process_time()
    work(*arguments)
    return (time.process_time() - begin) * 1e3


def solve_after_event(
    equations: NormalEquations, factors: NDArray[np.float32], gram: NDArray[np.float32]
) -> None:
    """The solve of a reader who saves one more paper, as a call does it: from the sums before."""
    equations.reweighted(factors, np.zeros(1, np.float32), np.ones(1, np.float32)).solved(gram)


def parts(artifact: Artifact) -> None:
    """Print what the parts cost, and the overlap."""
    assert artifact.reader_model is not None
    live, lists = LiveItems.over(artifact.reader_model), ReaderLists(artifact)
    rows = []
    for size in SIZES:
        solves, changes, scans, refreshes = [], [], [], []
        overlaps: dict[bool, list[float]] = {False: [], True: []}
        for papers in libraries(artifact, size):
            known = np.array(papers[:size], np.int32)
            weights = np.ones(size, np.float32)
            factors, gram = live.factors[known], live.factors.gram
            solves.append(min(spent(solve_reader, gram, factors, weights) for _ in range(5)))
            equations = NormalEquations.of(factors, weights)
            event = (equations, live.factors[np.array(papers[size : size + 1])], gram)
            changes.append(min(spent(solve_after_event, *event) for _ in range(5)))
            library = dict.fromkeys(papers[:size], 1.0)
            standing = lists.scanned(library, live)
            scans.append(spent(lists.scanned, library, live))
            most = int(size * CHANGED_SHARE)
            for number, paper in enumerate(papers[size : size + most]):
                before, library = standing, {**library, paper: 1.0}
                refreshed = lists.refreshed(library, live, before)
                assert refreshed is not None
                standing = refreshed
                if number in {0, most - 1}:
                    refreshes.append(spent(lists.refreshed, library, live, before))
                    exact = lists.scanned(library, live)
                    pages = [lists.page(each, EVERYTHING, (), LISTED) for each in (standing, exact)]
                    quick, best = ({*page.rows} for page in pages if page is not None)
                    overlaps[number > 0].append(len(quick & best) / LISTED)
        costs = (f"{median(each):.2f}" for each in (solves, changes, scans, refreshes))
        shares = (f"{fmean(each):.3f} (from {min(each):.2f})" for each in overlaps.values())
        rows.append((f"{size:,}", *costs, *shares))
    columns = ("papers of the reader", "solve", "after an event", "scan", "refresh")
    table((*columns, f"overlap@{LISTED} after 1 event", "before the next scan"), rows)


async def cpu(server: Side, method: str, requests: Sequence[bytes]) -> tuple[list[bytes], float]:
    """The answers, and milliseconds of CPU of each."""
    answers, micro = await server.block(requests, method)
    return answers, micro / 1000


async def calls(artifact: Artifact, model: Path, folder: Path, state_url: str) -> None:
    """Print what the calls cost."""
    settings = Settings(model=model, port=0, data_dir=folder, state_url=state_url)
    worker = [sys.executable, "-m", "service.worker"]
    bare = [sys.executable, "-m", "tests.benchmarks.serving", "--bytes"]
    state, papers = FeedbackState(state_url), artifact.papers
    request = RecommendPapersRequest(reader_id="reader-10-0").SerializeToString()
    rows = []
    async with side(worker, settings.model_dump_json()) as service:
        for size in SIZES:
            first, again, cold, answers = [], [], [], [b""]
            alone, in_a_row = [], []
            for number, library in enumerate(libraries(artifact, size)):
                reader = f"reader-{size}-{number}"
                request = RecommendPapersRequest(reader_id=reader).SerializeToString()
                saves = [
                    stored(reader, f"{place}", "save", papers.id(row))
                    for place, row in enumerate(library)
                ]
                await state.append(saves[:size])
                answers, cost = await cpu(service, "RecommendPapers", [request])
                cold.append(cost)
                for save in saves[size : size + 3]:
                    await state.append([save])
                    answers, cost = await cpu(service, "RecommendPapers", [request])
                    first.append(cost)
                    answers, cost = await cpu(service, "RecommendPapers", [request] * AGAIN)
                    again.append(cost)
            told = [base64.b64encode(each).decode() for each in (request, answers[0])]
            async with side(bare, f"1\n{' '.join(told)}") as nothing:
                await cpu(nothing, METHOD, [request] * 50)
                for number in range(len(first)):
                    await state.append([stored("nobody", f"{size}-{number}", "save", "any")])
                    alone.append((await cpu(nothing, METHOD, [request]))[1])
                    in_a_row.append((await cpu(nothing, METHOD, [request] * AGAIN))[1])
            idle = {"alone": median(alone), "in a row": median(in_a_row)}
            beyond = (
                *(median(each) - idle["alone"] for each in (cold, first)),
                median(again) - idle["in a row"],
            )
            rows.append((f"{size:,}", *(f"{each:.2f}" for each in (*beyond, *idle.values()))))
    await state.close()
    columns = ("papers of the reader", "first list of all", "first after an event", "again")
    table((*columns, "no-op, alone", "no-op, in a row"), rows)


def main(model: Path) -> None:
    """Measure and print."""
    artifact = Artifact.open(model, verify=False)
    heading(f"Papers for readers, of {len(artifact.papers):,}: parts, ms of CPU")
    parts(artifact)
    heading("Calls of RecommendPapers, ms of the server's CPU beyond a no-op handler")
    with tempfile.TemporaryDirectory() as folder, attach(Path(folder)) as urls:
        asyncio.run(calls(artifact, model, Path(folder), urls[Role.STATE]))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_MODEL)
