"""What commands on the state server share: its options, and how such a command runs and fails."""

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

DataDir = Annotated[Path | None, typer.Option(help="The data folder of `serve`. \\[default: data]")]
StateUrl = Annotated[
    str | None, typer.Option(help="The Redis of the state. \\[default: the data folder's]")
]
Model = Annotated[
    Path | None, typer.Option(help="The model folder of `train`. \\[default: data/model]")
]


def run_on_state(
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
            fail("Stopped before it was done; what was done stays, and the rest can be done later.")
    except (
        ArtifactError,
        EmbeddedServersError,
        InputError,
        ServiceError,
        SettingsError,
        SigningKeysError,
    ) as error:
        fail(str(error))


def refuse_new(settings: Settings, *keys: str) -> None:
    """End on a data folder that was never used, and leave it as it is: it is named by mistake, and
    "nothing is there" would be taken for an answer.

    For commands that work on what is there. Used is a folder where the embedded state server ran,
    unless the state is elsewhere, and which has the keys that the command needs: new ones would fit
    nothing in that state.
    keys: their files in the folder.
    """
    from service.embedded import has_state

    folder = settings.data_dir.resolve()
    what = "Give the data folder of `serve` by --data-dir"
    if settings.state_url is None and not has_state(folder):
        fail(f"{folder} holds no state. {what}, or the Redis of its state by --state-url.")
    for key in keys:
        if not (folder / key).is_file():
            fail(f"{folder} has no {key}, which belongs to the state. {what}.")


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
    from service.state_keys import match
    from service.stepping import end

    types = event_types(settings.event_types)
    try:
        state = FeedbackState(url, types=types, allow_unsafe=settings.allow_unsafe_state)
    except ValueError as error:
        fail(f"The URL of the state is not one of Redis: {error}.")

    async def checked() -> None:
        await match(state.client, settings.data_dir)
        await work(state)

    task = asyncio.ensure_future(checked())
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, told.set)
    stopped = asyncio.ensure_future(told.wait())
    try:
        await asyncio.wait([task, stopped], return_when=asyncio.FIRST_COMPLETED)
        if told.is_set():
            await end(task)
        await task
    finally:
        await end(stopped)
        await state.close()


def settings_of(**options: object) -> Settings:
    """The settings with a command's options; a wrong one is a usage error."""
    try:
        return load(**options)
    except SettingsError as error:
        raise typer.BadParameter(str(error)) from error


def say(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # also into a pipe


def fail(sentence: str) -> NoReturn:
    """End with one sentence and exit code 1."""
    typer.echo(sentence, err=True)
    raise typer.Exit(1)
