"""The commands `related-papers feedback ...`: they work beside a running `serve`, or alone.

Each takes the state server of the data folder, which a running `serve` uses too, or another by its
URL. A command loads what it needs and no more.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from service.settings import Settings, SettingsError, load

if TYPE_CHECKING:
    from service.feedback_state import FeedbackState

feedback = typer.Typer(no_args_is_help=True, help="Readers' events: learn, export, import, watch.")

NAMED_LINES = 20
"""So many bad lines of an import are named; the rest is counted."""

DataDir = Annotated[Path | None, typer.Option(help="The data folder of `serve`. \\[default: data]")]
StateUrl = Annotated[
    str | None, typer.Option(help="The Redis of the state. \\[default: the data folder's]")
]
Model = Annotated[
    Path | None, typer.Option(help="The model folder of `train`. \\[default: data/model]")
]


@feedback.command()
def drain(model: Model = None, data_dir: DataDir = None, state_url: StateUrl = None) -> None:
    """Learn from every event that has arrived, then end.

    Prints the lag, how many events were not learned from yet, until it is 0. Beside a running
    `serve` it waits for the updater there; alone it is the updater.

    Example: related-papers feedback drain --model data/model
    """
    from service import drain as draining

    settings = _settings(model=model, data_dir=data_dir, state_url=state_url)
    _run(settings, lambda state: draining.drain(state, settings, lambda lag: _say(f"lag {lag}")))


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
    are any. Equal histories give equal files. Deleted readers are not in it.

    Example: related-papers feedback export --output interactions.jsonl.gz
    """
    from models.console import progress_bars
    from service import feedback_export
    from service.tombstones import Tombstones

    settings = _settings(data_dir=data_dir, state_url=state_url)

    async def run(state: "FeedbackState") -> None:
        tombstones = Tombstones.open(state.client, settings.data_dir)
        with progress_bars() as report:
            done = await feedback_export.export(state, output, report)
        typer.echo(f"{output}: {done.events} events of {done.readers} readers")
        if done.left_out:
            note = "readers were left out: `train` can't take an id with white space"
            typer.echo(f"{done.left_out} {note}", err=True)
        if forget is not None:
            deleted = await feedback_export.export_deleted(tombstones, forget)
            typer.echo(f"{forget}: {deleted} deleted readers")

    _run(settings, run)


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
    files in one command. Bad lines are named and the others imported; the exit code is then 1.

    Example: related-papers feedback import interactions.jsonl.gz --model data/model
    """
    from models.console import messages, progress_bars
    from service import feedback_import

    settings = _settings(model=model, data_dir=data_dir, state_url=state_url)
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
            _fail(f"{done.refused} lines were not imported; the first of them are named above.")

    _run(settings, run)


@feedback.command()
def tail(data_dir: DataDir = None, state_url: StateUrl = None) -> None:
    """Show events as they arrive, until Ctrl-C.

    A line an event: when it arrived, the reader, the type, and the paper or what it takes back.

    Example: related-papers feedback tail
    """
    from service import feedback_tail

    settings = _settings(data_dir=data_dir, state_url=state_url)
    _run(settings, lambda state: feedback_tail.tail(state, _say), endless=True)


def _run(
    settings: Settings, work: Callable[["FeedbackState"], Awaitable[None]], *, endless: bool = False
) -> None:
    """Work on the state; what goes wrong is one sentence and exit code 1.

    endless: work that Ctrl-C ends as it should.
    """
    from models.formats import InputError
    from models.manifest import ArtifactError
    from service.embedded import EmbeddedServersError
    from service.errors import ServiceError
    from service.logs import configure
    from service.secrets import SigningKeysError

    configure()
    try:
        with ExitStack() as stack:
            url = _state_url(settings, stack)
            asyncio.run(_work(url, settings, work))
    except asyncio.CancelledError:
        if not endless:
            _fail(
                "Stopped before it was done; what was done stays, and the rest can be done later."
            )
    except (
        ArtifactError,
        EmbeddedServersError,
        InputError,
        ServiceError,
        SigningKeysError,
    ) as error:
        _fail(str(error))


def _state_url(settings: Settings, stack: ExitStack) -> str:
    """Of the state server that is named, or else of the data folder's, which may start now."""
    from service.embedded import Role, attach

    if settings.state_url is not None:
        return settings.state_url
    return stack.enter_context(attach(settings.data_dir, roles=[Role.STATE]))[Role.STATE]


async def _work(
    url: str, settings: Settings, work: Callable[["FeedbackState"], Awaitable[None]]
) -> None:
    """Ctrl-C and SIGTERM end the work where it stands, so that the server is left in good order."""
    from service.event_types import event_types
    from service.feedback_state import FeedbackState

    try:
        state = FeedbackState(
            url,
            types=event_types(settings.event_types),
            allow_unsafe=settings.allow_unsafe_state,
        )
    except ValueError as error:
        _fail(f"The URL of the state or a setting is wrong: {error}.")
    task = asyncio.ensure_future(work(state))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    try:
        await task
    finally:
        await state.close()


def _settings(**options: object) -> Settings:
    try:
        return load(**options)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def _say(line: str) -> None:
    print(line, flush=True)  # also into a pipe


def _fail(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
