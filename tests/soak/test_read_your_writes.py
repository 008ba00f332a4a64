"""An acknowledged event shows in the reader's next list, on another server too."""

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from relatedpapers import AsyncClient
from tests.service import toy
from tests.soak.service import Service, connect

TASKS = 8
READERS_PER_TASK = 25
UNDONE_BY = {"save": "unsave", "hide": "unhide"}
PAPERS = {paper["id"] for paper in toy.papers()} - {*toy.TWINS}
DAY_MS = 86_400_000


class Reader:
    """A reader of whom we know everything: what was written, and what the last list said."""

    def __init__(self, name: str, draw: random.Random) -> None:
        self.name = name
        self._draw = draw
        self._kept: dict[str, str] = {}
        self._listed = sorted(PAPERS)
        self._revision = (0, 0)
        self._time_ms = int(time.time() * 1000) - DAY_MS

    async def trial(self, writer: AsyncClient, other: AsyncClient) -> Iterator[str]:
        """Write something through one server and read through the other: what did not show."""
        undone = ""
        if self._kept and self._draw.random() < 0.4:
            undone = self._draw.choice(sorted(self._kept))
            kind = UNDONE_BY[self._kept.pop(undone)]
        else:
            kind = self._draw.choice(list(UNDONE_BY))
            self._kept[self._draw.choice(self._listed)] = kind
        event = self._event(undone or next(reversed(self._kept)), kind)
        [outcome] = await writer.write_feedback([event])
        if outcome.error:
            raise outcome.error
        page = await other.recommend_papers(self.name, page_size=100).page()
        listed = {result.paper.id for result in page.results}
        self._listed = sorted(listed & PAPERS) or self._listed
        before, self._revision = self._revision, revision(page.reader_revision)
        return self._misses(listed, before, undone)

    def _event(self, paper: str, kind: str) -> dict[str, object]:
        self._time_ms += 1  # two events of one moment are ordered by their random ids
        seconds, milliseconds = divmod(self._time_ms, 1000)
        moment = {"seconds": seconds, "nanos": milliseconds * 1_000_000}
        return {"reader_id": self.name, "paper_id": paper, "type": kind, "event_time": moment}

    def _misses(self, listed: set[str], before: tuple[int, int], undone: str) -> Iterator[str]:
        if self._revision <= before:
            yield f"{self.name}: the revision stayed at {before}"
        if still := listed & self._kept.keys():
            yield f"{self.name}: {sorted(still)} are listed although they were saved or hidden"
        if undone and undone not in listed:
            yield f"{self.name}: {undone} is not listed although the reader has it no more"


def revision(text: str) -> tuple[int, int]:
    """A revision in its order; (0, 0) for none."""
    first, _, second = (text or "0-0").partition("-")
    return int(first), int(second)


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param(400, id="ordinary"),
        pytest.param(10_000, id="soak", marks=[pytest.mark.soak, pytest.mark.slow]),
    ],
)
async def test_what_was_acknowledged_shows_on_the_other_server(
    toy_reader_model: Path, tmp_path: Path, trials: int
) -> None:
    misses: list[str] = []
    done = 0

    async def task(number: int, clients: list[AsyncClient]) -> None:
        nonlocal done
        draw = random.Random(number)  # noqa: S311 - a test needs no secret
        names = [f"reader-{number}-{each}" for each in range(READERS_PER_TASK - 1)]
        names.append(f"graph-reader-{number:02}")  # one whom the model knows
        readers = [Reader(name, draw) for name in names]
        for _ in range(trials // TASKS):
            writer, other = draw.sample(clients, 2)
            misses.extend(await draw.choice(readers).trial(writer, other))
            done += 1

    data = tmp_path / "data"
    with Service(toy_reader_model, data) as one, Service(toy_reader_model, data) as two:
        async with (
            connect(one.address) as first,
            connect(two.address) as second,
        ):
            began = time.monotonic()
            await asyncio.gather(*(task(each, [first, second]) for each in range(TASKS)))
            took = time.monotonic() - began
    print(f"{done:,} trials over two servers in {took:.0f} s: {len(misses)} misses")
    assert done == trials
    assert misses == []
