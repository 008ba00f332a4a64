"""The commands `related-papers feedback ...`: they work beside a running `serve`, or alone.

Each takes the state server of the data folder, which a running `serve` uses too, or another by its
URL. A command loads what it needs and no more.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from service.state_cli import (
    DataDir,
    Model,
    StateUrl,
    fail,
    refuse_new,
    run_on_state,
    say,
    settings_of,
)

if TYPE_CHECKING:
    from service.feedback_state import FeedbackState

feedback = typer.Typer(no_args_is_help=True, help="Readers' events: learn, export, import, watch.")

NAMED_LINES = 20
"""So many bad lines of an import are named; the rest is counted."""


@feedback.command()
def drain(model: Model = None, data_dir: DataDir = None, state_url: StateUrl = None) -> None:
    """Learn from every event that has arrived, then end.

    Prints the lag, how many events were not learned from yet, until it is 0. Beside a running
    `serve` it waits for the updater there; alone it is the updater.

    Example: related-papers feedback drain --model data/model
    """
    from service import drain as draining
    from service.tombstones import KEY_FILE

    settings = settings_of(model=model, data_dir=data_dir, state_url=state_url)
    refuse_new(settings, KEY_FILE)
    run_on_state(
        settings, lambda state: draining.drain(state, settings, lambda lag: say(f"lag {lag}"))
    )


@feedback.command()
def export(
    output: Annotated[Path, typer.Option(help="The file to write: .jsonl, .jsonl.gz, .jsonl.xz.")],
    forget: Annotated[
        Path | None, typer.Option(help="Also write who was deleted, for `train --forget`.")
    ] = None,
    data_dir: DataDir = None,
    state_url: StateUrl = None,
) -> None:
    """Write the history of every reader into a file that `train --interactions` reads.

    A line an event: {"user", "paper", "type", "time", "id"}, and "value" and "retracts" where there
    are any. A first line {"event_types": {...}} defines the types that settings add or change, so
    that training knows them. Equal histories and types give equal files. Deleted readers are not in
    it. Ctrl-C leaves nothing behind; a process that is killed outright may leave a hidden file
    beside the output, `.<output>.<process>.<digits>`, which holds readers: remove it.

    Example: related-papers feedback export --output interactions.jsonl.gz
    """
    from models.console import progress_bars
    from service import feedback_export
    from service.tombstones import KEY_FILE, Tombstones

    settings = settings_of(data_dir=data_dir, state_url=state_url)
    refuse_new(settings, *[KEY_FILE] * (forget is not None))

    async def run(state: "FeedbackState") -> None:
        with progress_bars() as report:
            done = await feedback_export.export(state, settings, output, report)
        typer.echo(f"{output}: {done.events} events of {done.readers} readers")
        if forget is not None:
            tombstones = Tombstones.open(state.client, settings.data_dir)
            deleted = await feedback_export.export_deleted(tombstones, forget)
            typer.echo(f"{forget}: {deleted} deleted readers")

    run_on_state(settings, run)


@feedback.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="JSON Lines, also .gz or .xz.", exists=True, dir_okay=False)
    ],
    model: Model = None,
    data_dir: DataDir = None,
    state_url: StateUrl = None,
) -> None:
    """Take readers' events from files, however old. A second import counts nothing twice.

    A line an event: {"user", "paper", "type", "time", "id", "value", "retracts"}, of which "user"
    and "paper" are required, and "type" is "save" if absent. Times are RFC 3339, or milliseconds
    since 1970. Events without a time come before all others, in the order of the files: give such
    files in one command. Types of events are those of `serve`: a first line that defines some, as
    `export` writes it, is passed over. Bad lines are named and the others imported; the exit code
    is then 1. Takes 90 to 180 bytes of memory for each line with neither an id nor a time, and no
    more for a larger file otherwise.

    Example: related-papers feedback import interactions.jsonl.gz --model data/model
    """
    from models.console import messages, progress_bars
    from service import feedback_import

    settings = settings_of(model=model, data_dir=data_dir, state_url=state_url)
    named: list[str] = []

    def refuse(error: Exception) -> None:
        if len(named) < NAMED_LINES:
            named.append(str(error))
            messages.print(str(error), markup=False, highlight=False, soft_wrap=True)

    async def run(state: "FeedbackState") -> None:
        with progress_bars() as report:
            done = await feedback_import.import_files(state, settings, files, report, refuse)
        typer.echo(f"{done.accepted} events imported, {done.known} known already")
        for why, count in sorted(done.passed_over.items()):
            typer.echo(f"{count} {why} (passed over)", err=True)
        if done.refused:
            fail(f"{done.refused} lines were not imported; the first of them are named above.")

    run_on_state(settings, run)


@feedback.command()
def tail(data_dir: DataDir = None, state_url: StateUrl = None) -> None:
    """Show events as they arrive, until Ctrl-C.

    A line an event: when it arrived, the reader, the type, and the paper or what it takes back.

    Example: related-papers feedback tail
    """
    from service import feedback_tail

    settings = settings_of(data_dir=data_dir, state_url=state_url)
    refuse_new(settings)
    run_on_state(settings, lambda state: feedback_tail.tail(state, say), endless=True)
