"""The commands `related-papers trending ...`: they work beside a running `serve`, or alone."""

from typing import TYPE_CHECKING

import typer

from service.state_cli import DataDir, StateUrl, refuse_new, run_on_state, say, settings_of

if TYPE_CHECKING:
    from service.feedback_state import FeedbackState

trending = typer.Typer(no_args_is_help=True, help="What readers choose at present.")


@trending.callback()
def _group() -> None:
    """A group, though it has one command: there may be more."""


@trending.command()
def rebuild(data_dir: DataDir = None, state_url: StateUrl = None) -> None:
    """Make the trends anew from the feedback log, after another choice of types, or for a check.

    It may run beside a running `serve`, which answers from the rankings before meanwhile. It counts
    by the settings that `serve` was last started with: to count others, restart that first.

    Example: related-papers trending rebuild
    """
    from service.tombstones import KEY_FILE

    settings = settings_of(data_dir=data_dir, state_url=state_url)
    refuse_new(settings, KEY_FILE)

    async def run(state: "FeedbackState") -> None:
        from service.trending import rebuild as rebuilding

        done = await rebuilding.rebuild(state, settings)
        by = "are published" if done.published else "come from the updater that is at work"
        say(f"{done.records} records of what a reader did with a paper; the rankings {by}")

    run_on_state(settings, run)
