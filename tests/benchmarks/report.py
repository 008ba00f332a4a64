"""What every benchmark shares: the datasets, measured commands, and tables that say where and when.

A figure of wall or CPU time means little without the load of the machine, so each table begins
with it. Linux only (/proc).
"""

import lzma
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.support import ROOT

DATASETS = ROOT.parent / "shared" / "datasets"
COMMAND = Path(sys.executable).with_name("related-papers")


class Usage(NamedTuple):
    """What a command cost: seconds of wall and CPU time, and megabytes of memory at its peak."""

    wall: float
    cpu: float
    peak: float


def run(*command: str | Path, **environment: str) -> Usage:
    """Run a command of the project from its root, with variables added; it must succeed.

    The peak is the largest resident set of its process, mapped pages included.
    """
    begun = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    ) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    wall = time.perf_counter() - begun
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def first_lines(count: int, folder: Path) -> Path:
    """A file with the first lines of cs-343k: a random sample, as its lines are in random order."""
    path = folder / f"cs-{count}.jsonl"
    with lzma.open(DATASETS / "cs-343k" / "papers.jsonl.xz") as source, path.open("wb") as file:
        file.writelines(islice(source, count))
    return path


def load() -> str:
    """How many processes wanted a core in the last minute: more than there are spoils a figure."""
    return f"{os.getloadavg()[0]:.1f}"


def heading(title: str) -> None:
    """A title, then machine, date and the load before the first measurement."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    print(
        f"### {title}\n\n{names[0] if names else platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, "
        f"load average {load()}\n",
        flush=True,
    )


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A Markdown table."""
    print("| " + " | ".join(columns) + " |")
    print("|" + " --- |" * len(columns))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    print(f"\nLoad average afterwards {load()}.\n", flush=True)


def spread(values: Sequence[float], spell: Callable[[float], str] = "{:.1f}".format) -> str:
    """The median, with the least and the most where there are several values."""
    if len(values) == 1:
        return spell(values[0])
    return f"{spell(median(values))} ({spell(min(values))} to {spell(max(values))})"
