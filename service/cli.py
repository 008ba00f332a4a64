"""The command line: `related-papers`. Each command loads what it needs and no more."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from service import api_keys
from service.api_keys import Scope
from service.digest_cli import digest
from service.feedback_cli import feedback
from service.public_url import reachable
from service.settings import Settings
from service.state_cli import fail, settings_of
from service.trending.cli import trending

SAMPLE = Path(__file__).resolve().parent.parent / "models" / "sample"

EXAMPLE = "arXiv:1706.03762"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Related papers over gRPC: learns from text, citations and readers, and says why.",
)

api_key = typer.Typer(no_args_is_help=True, help="Keys for what concerns readers.")
app.add_typer(api_key, name="api-key")
app.add_typer(feedback, name="feedback")
app.add_typer(digest, name="digest")
app.add_typer(trending, name="trending")

Host = Annotated[str | None, typer.Option(help="The address to listen on. \\[default: 127.0.0.1]")]
WebPort = Annotated[int | None, typer.Option(help="The web port; 0 picks one. \\[default: 8080]")]
Port = Annotated[int | None, typer.Option(help="The gRPC port; 0 picks one. \\[default: 50051]")]
DataDir = Annotated[
    Path | None,
    typer.Option(help="Signing keys and the embedded servers' files. \\[default: data]"),
]


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        print(f"related-papers {version('related-papers')}")
        raise typer.Exit


@app.callback()
def every_command(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """What goes before a command."""


@app.command()
def serve(
    model: Annotated[
        Path | None, typer.Option(help="The model folder of `train`. \\[default: data/model]")
    ] = None,
    host: Host = None,
    port: Port = None,
    web_port: WebPort = None,
    state_url: Annotated[
        str | None, typer.Option(help="The Redis of the state. \\[default: an embedded server]")
    ] = None,
    cache_url: Annotated[
        str | None, typer.Option(help="The Redis of the cache. \\[default: an embedded server]")
    ] = None,
    data_dir: DataDir = None,
    api_key_file: Annotated[
        Path | None,
        typer.Option(help="API keys; beyond loopback, what concerns readers needs one."),
    ] = None,
    trusted_proxies: Annotated[
        str | None, typer.Option(help="Networks whose x-forwarded-for is believed: 10.0.0.0/8,...")
    ] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where readers reach the web port: https://papers.example")
    ] = None,
    event_types: Annotated[
        str | None, typer.Option(help="Types of events to add or to change, as JSON.")
    ] = None,
    event_window_days: Annotated[
        float | None, typer.Option(help="How old an arriving event may be. \\[default: 30]")
    ] = None,
    log_days: Annotated[
        float | None, typer.Option(help="How long the feedback log keeps events. \\[default: 35]")
    ] = None,
    with_digest: Annotated[
        bool | None, typer.Option("--with-digest", help="Send the digests too, every minute.")
    ] = None,
    allow_unsafe_state: Annotated[
        bool | None,
        typer.Option(
            "--allow-unsafe-state", help="Serve even if the state server could lose events."
        ),
    ] = None,
) -> None:
    """Serve a trained model over gRPC and HTTP until Ctrl-C.

    Each option can also be set as an environment variable, RELATED_PAPERS_PORT for --port.

    Example: related-papers serve --model data/model --port 50051
    """
    _supervise(
        settings_of(
            model=model,
            host=host,
            port=port,
            web_port=web_port,
            state_url=state_url,
            cache_url=cache_url,
            data_dir=data_dir,
            api_key_file=api_key_file,
            trusted_proxies=trusted_proxies,
            public_url=public_url,
            event_types=event_types,
            event_window_days=event_window_days,
            log_days=log_days,
            with_digest=with_digest,
            allow_unsafe_state=allow_unsafe_state,
        )
    )


@app.command()
def demo(
    host: Host = None,
    port: Port = None,
    web_port: WebPort = None,
    data_dir: DataDir = None,
    browser: Annotated[bool, typer.Option(help="Whether to open the page in a browser.")] = True,
) -> None:
    """Train on the sample corpus, serve it until Ctrl-C, and open its page.

    Example: related-papers demo
    """
    settings = settings_of(host=host, port=port, web_port=web_port, data_dir=data_dir)
    settings = settings.model_copy(
        update={"model": settings.data_dir / "demo-model", "with_digest": True}
    )
    training = [sys.executable, "-m", "service.cli", "train"]
    training += ["--papers", str(SAMPLE / "papers.jsonl")]
    training += ["--interactions", str(SAMPLE / "interactions.jsonl")]
    training += ["--output", str(settings.model)]
    if subprocess.run(training, check=False).returncode != 0:
        fail("The sample model could not be trained; the message above says why.")
    _supervise(settings, example=True, browser=browser)


@api_key.command()
def create(
    scope: Annotated[list[Scope], typer.Option(help="What the key allows; may come again.")],
    file: Annotated[Path, typer.Option(help="The file of keys; made if absent.")],
    name: Annotated[str, typer.Option(help="What to call the key in the file.")] = "",
) -> None:
    """Make an API key: print it, once, and add its hash to a file, which a running service rereads.

    Example: related-papers api-key create --scope feedback --scope read --file data/api-keys
    """
    try:
        key = api_keys.create(file, scope, name)
    except api_keys.ApiKeysError as error:
        fail(str(error))
    print(key)
    typer.echo(f"Keep it: {file} holds its hash alone. Remove its line to revoke it.", err=True)


def main() -> None:
    """Run a command; the exit code is 0, 1 (failed, with one sentence) or 2 (usage)."""
    from models.cli import app as offline

    app.registered_commands.extend(offline.registered_commands)
    app.registered_groups.extend(offline.registered_groups)
    app(prog_name="related-papers")


def _supervise(settings: Settings, *, example: bool = False, browser: bool = False) -> None:
    from service.browser import open_page
    from service.logs import configure
    from service.supervisor import Ports, ServingError, supervise

    configure()

    def announce(ports: Ports) -> None:
        host = reachable(settings.host)
        address, page = f"{host}:{ports.grpc}", f"http://{host}:{ports.web}/"
        said = (
            f"Related Papers serves gRPC on {address} and pages on {page}.\nStop it with Ctrl-C.\n"
        )
        if example:
            said = f"\nSearch the sample, and see what is related and why: {page}\n\n{said}"
            said += f"{_example(address)}\n"
        # In one piece: who reads a line of it and then no more does not end us.
        print(said, end="", flush=True)
        if browser:
            open_page(page)

    try:
        supervise(settings, announce)
    except ServingError as error:
        fail(str(error))


def _example(address: str) -> str:
    """A call to copy and paste, and nothing that `make setup` did not install."""
    code = (
        "from relatedpapers import Client; "
        f'[print(f"{{each.score:.3f}}  {{each.paper.title}}") for each in Client("{address}")'
        f'.list_related_papers(paper_ids=["{EXAMPLE}"], limit=5)]'
    )
    question = f"Which papers are related to {EXAMPLE}? In another terminal:"
    return f"\n{question}\n\n    {sys.executable} -c '{code}'\n"


if __name__ == "__main__":
    main()
