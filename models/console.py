"""What the offline commands show: progress bars, tables, and one clear sentence on failure."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from models.formats import InputError
from models.manifest import ArtifactError
from models.progress import Advance, Report

console = Console()
messages = Console(stderr=True)


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn what went wrong into one sentence and exit code 1."""
    try:
        yield
    except (InputError, ArtifactError) as error:
        messages.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


@contextmanager
def progress_bars() -> Iterator[Report]:
    """A bar for each step, on standard error; a line each where that is no terminal."""
    columns = (
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=messages, disable=not messages.is_terminal) as bars:

        def finish() -> None:
            for task in bars.tasks:
                bars.update(task.id, total=task.total or 1, completed=task.total or 1)

        def report(step: str, size: int) -> Advance:
            finish()  # a new step ends the one before
            if not messages.is_terminal:
                messages.print(step, highlight=False)
            task_id = bars.add_task(step, total=size or None)
            return lambda done: bars.advance(task_id, done)

        yield report
        finish()


@contextmanager
def heeding_interrupts(report: Report) -> Iterator[Report]:
    """A report that raises KeyboardInterrupt again where Ctrl-C went unheard: libraries in C may
    swallow what is raised while they import something (pyarrow does, in its first computation)."""
    interrupted = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        signal.default_int_handler(number, frame)

    def heeding(step: str, size: int) -> Advance:
        if interrupted:
            raise KeyboardInterrupt
        return report(step, size)

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield heeding
    finally:
        signal.signal(signal.SIGINT, before)
