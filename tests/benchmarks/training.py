"""What `related-papers train` costs: seconds of wall and CPU time, and memory at its peak.

    .venv/bin/python -m tests.benchmarks.training [--rounds 3] [--only vis]

Each training is a process of its own with default settings, as a user starts it. Peak memory is the
largest resident set that the kernel saw (`getrusage`), mapped pages included. Compiled kernels are
kept between the runs, as they are on a user's machine; `first run` is one training with none.
Caveats: other work on the machine counts in wall time, and a shared core also in CPU time.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.report import (
    COMMAND,
    DATASETS,
    first_lines,
    heading,
    load,
    run,
    spread,
    table,
)


class Case(NamedTuple):
    """A corpus, how to get the options that name it, and what its training may cost."""

    name: str
    options: Callable[[Path], list[str | Path]]
    seconds: float
    megabytes: float | None = None


def _vis(_folder: Path) -> list[str | Path]:
    return ["--papers", DATASETS / "vis" / "papers.jsonl.gz"]


def _citeulike(_folder: Path) -> list[str | Path]:
    folder = DATASETS / "citeulike-t"
    events = folder / "10-per-user" / "interactions.jsonl.gz"
    return ["--papers", folder / "papers.jsonl.gz", "--interactions", events]


CASES = (
    Case("vis", _vis, 30),
    Case("citeulike-t/10-per-user", _citeulike, 60),
    Case("cs-343k, 100,000 lines", lambda at: ["--papers", first_lines(100_000, at)], 150, 3_000),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="", help="cases with this in their name")
    arguments = parser.parse_args()
    heading("Training")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for case in CASES:
            if arguments.only not in case.name:
                continue
            command = [COMMAND, "train", "--output", folder / "model", *case.options(folder)]
            used = [run(*command) for _ in range(arguments.rounds)]
            goal = f"{case.seconds:.0f} s" + (f", {case.megabytes} MB" if case.megabytes else "")
            rows.append(
                (
                    case.name,
                    len(used),
                    *(spread([each[at] for each in used]) for at in range(2)),
                    spread([each.peak for each in used], "{:.0f}".format),
                    goal,
                    load(),
                )
            )
        if arguments.only in "vis, first run":
            cold = run(
                COMMAND,
                *("train", "--output", folder / "model", *_vis(folder)),
                NUMBA_CACHE_DIR=str(folder / "kernels"),
            )
            spelled = (f"{cold.wall:.1f}", f"{cold.cpu:.1f}", f"{cold.peak:.0f}")
            rows.append(("vis, first run", 1, *spelled, "", load()))
    table(("corpus", "runs", "wall s", "CPU s", "peak MB", "goal", "load after"), rows)


if __name__ == "__main__":
    main()
