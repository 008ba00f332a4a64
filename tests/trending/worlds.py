"""Simulated readers: what a month of events looks like, drawn from a seed."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from service.events import StoredEvent

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
ACTIONS = ("click", "read", "save", "share", "cite", "unsave")
_SHARES = (0.62, 0.2, 0.1, 0.03, 0.03, 0.02)


class World(NamedTuple):
    """How many of each there are; `days` up to `now_ms`."""

    events: int
    papers: int
    readers: int
    origins: int
    days: float = 30.0
    seed: int = 7
    now_ms: int = NOW_MS


def history(world: World) -> Iterator[StoredEvent]:
    """Events in the order of their time.

    Papers, readers and origins are heavy-tailed (their shares fall with the rank to the power of
    -1, -0.7 and -0.8), about ten papers are shown for one that is chosen, each paper has a month of
    its own (it comes up and fades), and some papers are shown far more than chosen. A reader comes
    from one or two networks, one reader in ten from an unknown one. One event in fifty is taken
    back by its reader.
    """
    draw = np.random.default_rng(world.seed)
    size = world.events
    paper = draw.choice(world.papers, size, p=_falling(world.papers, 1.0))
    reader = draw.choice(world.readers, size, p=_falling(world.readers, 0.7))
    home = draw.choice(world.origins, (world.readers, 2), p=_falling(world.origins, 0.8))
    appeal = draw.lognormal(0, 0.5, world.papers)
    shown = draw.random(size) < 1 / (1 + 0.1 * appeal[paper])
    kind = draw.choice(len(ACTIONS), size, p=_SHARES)
    rise = draw.random(world.papers)
    age = np.abs(draw.normal(0, 0.4, size) + rise[paper]) % 1.0
    time_ms = world.now_ms - (age * world.days * DAY_MS).astype(np.int64)
    away = (draw.random(size) < 0.2).astype(int)
    back = draw.random(size) < 0.02
    for at in np.argsort(time_ms, kind="stable").tolist():
        who, when = int(reader[at]), int(time_ms[at])
        name, event_id = f"reader-{who}", f"e{at:07}"
        origin = "" if who % 10 == 0 else f"network-{home[who, away[at]]}"
        type_ = "impression" if shown[at] else ACTIONS[kind[at]]
        yield StoredEvent(name, event_id, when, when, type_, f"paper-{paper[at]:04}", origin=origin)
        if back[at]:
            yield StoredEvent(
                name, f"r{at:07}", when + 1, when + 1, "retract", "", retracts=event_id
            )


def _falling(count: int, power: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shares = np.arange(1, count + 1, dtype=np.float64) ** -power
    falling: np.ndarray[tuple[int], np.dtype[np.float64]] = shares / shares.sum()
    return falling
