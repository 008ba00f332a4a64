"""The commands `related-papers digest ...`: they work beside a running `serve`, or alone."""

import asyncio
import signal
import sys
from datetime import UTC, datetime, timedelta
from os import EX_TEMPFAIL
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
from service.times import present_ms

if TYPE_CHECKING:
    from service.digest.ledger import Named
    from service.digest.store import Subscriptions
    from service.feedback_state import FeedbackState
    from service.settings import Settings

_AHEAD = timedelta(days=1)
"""How far ahead of the present `send --at` may be: the digests of those dates are used up."""

digest = typer.Typer(no_args_is_help=True, help="The digest by mail: send what is due, and look.")

At = Annotated[
    str | None,
    typer.Option(
        help="What counts as now, such as 2026-03-29T07:00:00+02:00, a day ahead at most: what is "
        "due by then is sent, and does not come again at its hour. \\[default: the present]"
    ),
]
PublicUrl = Annotated[
    str | None,
    typer.Option(
        help="Where readers reach the pages; mails by SMTP need it. \\[default: where the last "
        "`serve` on the data folder was reached]"
    ),
]


@digest.command()
def send(
    at: At = None,
    model: Model = None,
    data_dir: DataDir = None,
    state_url: StateUrl = None,
    public_url: PublicUrl = None,
) -> None:
    """Send every mail that is due, then end. Any scheduler may run it, every few minutes.

    Several runs at once share the work. One that was killed is made up for by the next; a mail that
    it was handing over at that moment is named, and settled as RELATED_PAPERS_DIGEST_UNDECIDED
    says. The exit code is 1 if the mail server or the state server is away. To look at a digest and
    send nothing there is `digest preview`.

    Example: related-papers digest send --model data/model
    """
    from service.digest.subscriptions import KEY_FILE
    from service.secrets import SIGNING_KEYS

    at_ms = None if at is None else _instant_ms(at)
    settings = settings_of(
        model=model, data_dir=data_dir, state_url=state_url, public_url=public_url
    )
    _check_mail(settings)
    refuse_new(settings, KEY_FILE, SIGNING_KEYS)
    settings, links = _with_links(settings)

    async def run(state: "FeedbackState") -> None:
        from service.digest.opening import opened
        from service.digest.sender import send_due
        from service.digest.tools import MailServerAway

        stopping = asyncio.Event()  # the mail at hand is finished
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopping.set)
        try:
            async with opened(settings, state) as tools:
                report = await send_due(tools, at_ms, stopping)
                say(str(report))
                await _say_undecided(report.undecided, tools.subscriptions)
                typer.echo(links, err=True, nl=bool(links))
        except MailServerAway as error:
            fail(str(error))

    run_on_state(settings, run)


@digest.command()
def status(
    data_dir: DataDir = None,
    state_url: StateUrl = None,
    forget: Annotated[
        bool, typer.Option("--forget", help="Forget the names of the undecided mails.")
    ] = False,
) -> None:
    """Show how many mails are due and what became of the others, and name the undecided.

    A mail is undecided if its sender, or the mail server, was lost while it was handed over: it may
    have arrived, and nobody can know. Ask the mail server's log by the Message-ID.

    Example: related-papers digest status
    """
    settings = settings_of(data_dir=data_dir, state_url=state_url)
    refuse_new(settings)

    async def run(state: "FeedbackState") -> None:
        from service.digest.ledger_view import LedgerView
        from service.digest.store import Subscriptions

        ledger = LedgerView(state.client)
        due = await ledger.overdue(present_ms())
        say(f"{due} due, {await ledger.open()} being made or to be tried again")
        counts = await ledger.counts()
        say(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none sent")
        await _say_undecided(await ledger.undecided(), Subscriptions(state.client))
        if forget:
            await ledger.forget_undecided()

    run_on_state(settings, run)


@digest.command()
def preview(
    window: Annotated[
        str | None, typer.Option(help="Trending papers of this window. \\[default: the first]")
    ] = None,
    search: Annotated[str | None, typer.Option(help="Papers that this search finds.")] = None,
    paper: Annotated[
        list[str] | None, typer.Option(help="Papers like this one; may be given again.")
    ] = None,
    reader: Annotated[str | None, typer.Option(help="What this reader's list shows next.")] = None,
    to: Annotated[str, typer.Option(help="Whom it is for.")] = "ada@papers.example",
    output: Annotated[
        Path | None, typer.Option(help="Where to write it. \\[default: into the data folder]")
    ] = None,
    model: Model = None,
    data_dir: DataDir = None,
    state_url: StateUrl = None,
    public_url: PublicUrl = None,
) -> None:
    """Write a digest as it would be sent now into an .eml file, and send nothing.

    Mail programs open such a file. The one in the data folder also stands in the explorer's
    mailbox, at /mailbox/preview, where `serve` runs on loopback without keys.

    Example: related-papers digest preview --search "language models"
    """
    from service.digest.addresses import InvalidAddress, kept
    from service.digest.maildir import PREVIEW_FILE
    from service.digest.subscriptions import Content, ContentKind

    given = [window, search, paper or None, reader]
    if sum(each is not None for each in given) > 1:
        raise typer.BadParameter("Give one of --window, --search, --paper and --reader.")
    kinds = [ContentKind.TRENDING, ContentKind.SEARCH, ContentKind.SEEDS, ContentKind.READER]
    kind = next(
        (kind for kind, each in zip(kinds, given, strict=True) if each is not None), kinds[0]
    )
    content = Content(kind, window or "", search or "", tuple(paper or ()), reader or "")
    try:
        address = kept(to)
    except InvalidAddress as error:
        raise typer.BadParameter(f"--to is {to!r}: it must be {error}.") from error
    settings = settings_of(
        model=model, data_dir=data_dir, state_url=state_url, public_url=public_url
    )
    _check_mail(settings)
    settings, links = _with_links(settings)
    file = output or settings.data_dir / PREVIEW_FILE

    async def run(state: "FeedbackState") -> None:
        from service.digest.opening import opened
        from service.digest.preview import preview as made

        async with opened(settings, state) as tools:
            mail = await made(tools, content, address)
        if mail is None:
            fail("No paper is found for it at present, so there would be no mail.")
        try:
            file.touch(mode=0o600)  # what somebody reads is nobody else's business
            file.write_bytes(mail.as_bytes())
        except OSError as error:
            fail(f"{file} can't be written: {error.strerror}.")
        say(f"{file}: {mail['Subject']}")
        typer.echo(links, err=True, nl=bool(links))

    run_on_state(settings, run)


@digest.command()
def bounces(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Mails, or Maildirs of them. \\[default: one on standard input]"),
    ] = None,
    data_dir: DataDir = None,
    state_url: StateUrl = None,
) -> None:
    """Read what came back, and send no more mails to mailboxes that take none.

    Takes the reports that mail servers send to the address of RELATED_PAPERS_MAIL_FROM: mails that
    could not be delivered, and complaints. A report that some mail is only late changes nothing,
    nor does any other mail. Of a Maildir the new mails are read, and then are new no more. On
    standard input it is what a mail server pipes into: if the state server is away the exit code is
    75, and the mail server tries again.

    Example: related-papers digest bounces /var/mail/digest
    """
    settings = settings_of(data_dir=data_dir, state_url=state_url)

    async def run(state: "FeedbackState") -> None:
        from service.digest.lifecycle import Lifecycle
        from service.digest.returned import returned
        from service.digest.store import Subscriptions

        lifecycle = Lifecycle(Subscriptions(state.client))
        suppressed = passed = 0
        if not files and sys.stdin.isatty():
            typer.echo("Reading one mail, up to Ctrl-D.", err=True)
        for bounce in returned(files, sys.stdin.buffer):
            if bounce is None or not bounce.permanent:
                passed += 1
                continue
            found = await lifecycle.suppress(bounce.id, bounce.text, present_ms())
            if found is None:
                passed += 1
                continue
            say(f"suppressed: {found.address}: {bounce.text}")
            suppressed += 1
        say(f"{suppressed} suppressed, {passed} passed over")

    try:
        refuse_new(settings)
        run_on_state(settings, run)
    except typer.Exit as error:
        raise typer.Exit(1 if files else EX_TEMPFAIL) from error


def _check_mail(settings: "Settings") -> None:
    """End where mails could not be sent as the settings want it."""
    from service.digest.transport import check
    from service.settings import SettingsError

    try:
        check(settings)
    except SettingsError as error:
        fail(str(error))


def _with_links(settings: "Settings") -> "tuple[Settings, str]":
    """With the address where links lead, and what to say of it where no setting names it."""
    from service.public_url import left_public_url

    if settings.public_url is not None:
        return settings, ""
    url = left_public_url(settings)
    said = f"Links lead to {url}; --public-url names another address."
    return settings.model_copy(update={"public_url": url}), said


async def _say_undecided(undecided: "list[Named]", subscriptions: "Subscriptions") -> None:
    """A line a mail: to whom, for when, and its Message-ID."""
    found = await subscriptions.many([each.id for each in undecided])
    for each, subscription in zip(undecided, found, strict=True):
        whom = subscription.address if subscription else each.id
        due = datetime.fromtimestamp(each.occurrence_ms / 1_000, UTC)
        say(f"undecided: {whom}, due {due:%Y-%m-%d %H:%M} UTC, Message-ID {each.message_id}")


def _instant_ms(text: str) -> int:
    """Unix ms of a time with its offset, a day ahead of the present at most."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        expected = "a date, a time and its offset from UTC, such as 2026-03-29T07:00:00+02:00"
        raise typer.BadParameter(f"--at is {text!r}: it must be {expected}.")
    if instant > datetime.now(UTC) + _AHEAD:
        raise typer.BadParameter(
            f"--at is {text!r}: it must be a day ahead of the present at most, since what is due "
            "by then is sent for real; `digest preview` only looks."
        )
    return round(instant.timestamp() * 1_000)
