"""`related-papers serve` as a user runs it: processes, signals, and what keeps it from starting."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import grpc
import pytest

from relatedpapers.v1.recommendation_service_pb2 import ListRelatedPapersRequest
from relatedpapers.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from service.embedded import Role
from service.settings import PREFIX, Settings, SettingsError, load, table
from tests.serving import children, exists
from tests.support import PATIENCE_SECONDS, ROOT, wait_until

COMMAND = Path(sys.executable).with_name("related-papers")


def environment(**variables: str) -> dict[str, str]:
    """Ours, without settings of the service."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    return {**ours, **variables}


def run(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
    """A command that ends by itself."""
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )


class Served:
    """`related-papers serve` on free ports."""

    def __init__(self, process: "subprocess.Popen[str]", output: IO[str]) -> None:
        self.process = process
        line = output.readline()
        assert "serves gRPC on 127.0.0.1:" in line, line
        self.address = line.split()[5].rstrip(".")
        self.port = self.address.split(":")[1]

    def call(self) -> int:
        """How many papers a list has."""

        async def send() -> int:
            async with grpc.aio.insecure_channel(self.address) as channel:
                stub = RecommendationServiceStub(channel)
                request = ListRelatedPapersRequest(paper_ids=["graph-05"])
                return len((await stub.ListRelatedPapers(request)).results)

        return asyncio.run(send())


@pytest.fixture
def urls(embedded_urls: dict[Role, str], state_url: str) -> dict[Role, str]:
    """Both embedded servers, that of the state empty."""
    assert embedded_urls[Role.STATE] == state_url
    return embedded_urls


@contextmanager
def serve(model: Path, data: Path, urls: dict[Role, str], **variables: str) -> Iterator[Served]:
    """A service in its own processes, over servers that run already."""
    command: list[str | Path] = [COMMAND, "serve", "--model", model, "--data-dir", data]
    command += ["--port", "0", "--web-port", "0"]
    command += ["--state-url", urls[Role.STATE], "--cache-url", urls[Role.CACHE]]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(**variables),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield Served(process, process.stdout)
        finally:
            process.kill()


@pytest.fixture
def terminal() -> Iterator[None]:
    """SIGHUP means to commands what it does in a terminal, also where `nohup` runs the tests."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_serve_until_told_to_stop(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str], number: signal.Signals
) -> None:
    with serve(toy_model, tmp_path, urls) as served:
        assert served.call() == 10
        # The terminal tells of Ctrl-C, or of its end, every process of the group, worker and all
        if number is signal.SIGTERM:
            served.process.send_signal(number)
        else:
            os.killpg(served.process.pid, number)
        assert served.process.wait(PATIENCE_SECONDS) == 0


def test_says_where_it_serves_in_one_piece(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    """Who reads the addresses may then close the pipe: a second piece would end the service."""
    command: list[str | Path] = [COMMAND, "serve", "--model", toy_model, "--data-dir", tmp_path]
    command += ["--port", "0", "--web-port", "0", "--state-url", urls[Role.STATE]]
    # Of datagrams: each write is received by itself.
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with (
        ours,
        subprocess.Popen(
            command, cwd=ROOT, env=environment(PYTHONUNBUFFERED="1"), stdout=theirs.fileno()
        ) as process,
    ):
        theirs.close()
        ours.settimeout(PATIENCE_SECONDS)
        try:
            said = ours.recv(65_536).decode()
        finally:
            process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0
    assert said.startswith("Related Papers serves gRPC on 127.0.0.1:")
    assert said.endswith("Stop it with Ctrl-C.\n")


def test_worker_and_updater_end_when_the_supervisor_is_killed(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    with serve(toy_model, tmp_path, urls) as served:
        [worker] = children(served.process.pid, "service.worker")
        [updater] = children(served.process.pid, "service.updater")
        served.process.kill()
        wait_until(lambda: not exists(worker), "the worker has ended")
        wait_until(lambda: not exists(updater), "the updater has ended")


def test_an_updater_that_dies_is_started_again_and_serving_goes_on(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    with serve(toy_model, tmp_path, urls) as served:
        [first] = children(served.process.pid, "service.updater")
        os.kill(first, signal.SIGKILL)

        def another() -> bool:
            return bool({*children(served.process.pid, "service.updater")} - {first})

        wait_until(another, "another updater runs")
        assert served.call() > 0
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(PATIENCE_SECONDS) == 0


def test_serve_runs_without_an_updater_where_it_is_told_to(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    with serve(toy_model, tmp_path, urls, RELATED_PAPERS_UPDATER="false") as served:
        assert not children(served.process.pid, "service.updater")


def test_serve_fails_when_the_worker_dies(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    with serve(toy_model, tmp_path, urls) as served:
        [worker] = children(served.process.pid, "service.worker")
        os.kill(worker, signal.SIGKILL)
        assert served.process.wait(PATIENCE_SECONDS) == 1


def test_a_taken_port_is_one_sentence(
    toy_model: Path, tmp_path: Path, urls: dict[Role, str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        state, cache = urls[Role.STATE], urls[Role.CACHE]
        options = ["--port", port, "--state-url", state, "--cache-url", cache]
        result = run("serve", "--model", toy_model, "--data-dir", tmp_path, *options)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--model", "no/such/folder"], "no/such/folder"),
        (["--cache-url", "ftp://example.org"], "The URL of the cache"),
        (["--state-url", "ftp://example.org"], "The URL of the state"),
        (["--host", "192.0.2.1"], "192.0.2.1"),
    ],
    ids=["model", "cache", "state", "host"],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    toy_model: Path,
    tmp_path: Path,
    urls: dict[Role, str],
    options: list[str],
    says: str,
) -> None:
    usual = ["--model", str(toy_model), "--data-dir", str(tmp_path), "--port", "0"]
    usual += ["--state-url", urls[Role.STATE], "--cache-url", urls[Role.CACHE]]
    result = run("serve", *usual, *options)
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1, result.stderr
    assert says in result.stderr


@pytest.mark.parametrize(
    ("options", "variables", "says"),
    [
        (["--port", "x"], {}, "--port"),
        (["--port", "70000"], {}, "--port"),
        ([], {"RELATED_PAPERS_PORT": "many"}, "RELATED_PAPERS_PORT"),
        (["--no-such"], {}, "--no-such"),
    ],
    ids=["word", "range", "variable", "option"],
)
def test_wrong_usage_is_2(options: list[str], variables: dict[str, str], says: str) -> None:
    result = run("serve", *options, **variables)
    assert result.returncode == 2
    assert says in result.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_help_has_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.returncode == 0
    assert f"related-papers {command}" in result.stdout.split("Example")[1]


def test_help_says_every_default() -> None:
    listed = " ".join(run("serve", "--help", COLUMNS="200").stdout.split())
    for default in ["data/model", "127.0.0.1", "50051", "an embedded server", "data"]:
        assert f"[default: {default}]" in listed


def test_version_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert run("--version").stdout == f"{project['name']} {project['version']}\n"


def test_help_lists_every_command() -> None:
    listed = run("--help").stdout
    for command in ["serve", "demo", "train", "rank", "evaluate", "inspect", "search"]:
        assert f" {command} " in listed


def loaded(module: str) -> set[str]:
    """The packages that are loaded once a module is."""
    code = f"import {module}, sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {*result.stdout.split()}


def test_serving_loads_nothing_that_trains() -> None:
    assert not loaded("service.serving") & {"sklearn", "implicit", "numba", "pandas", "typer"}


def test_the_supervisor_loads_no_grpc_and_no_model() -> None:
    assert not loaded("service.supervisor") & {"grpc", "numpy", "scipy", "pyarrow", "google"}


def test_an_option_wins_over_the_environment_and_that_over_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert load().port == 50051
    monkeypatch.setenv("RELATED_PAPERS_PORT", "1234")
    assert load().port == 1234
    assert load(port=None).port == 1234
    assert load(port=99).port == 99


def test_a_wrong_setting_names_itself_and_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELATED_PAPERS_DRAIN_SECONDS", "soon")
    with pytest.raises(SettingsError, match="RELATED_PAPERS_DRAIN_SECONDS is 'soon'"):
        load()
    with pytest.raises(SettingsError, match="--cache-megabytes is 0"):
        load(cache_megabytes=0, drain_seconds=1)
    with pytest.raises(SettingsError, match="--public-url is 'papers': 'papers' is no origin"):
        load(public_url="papers", drain_seconds=1)


def test_every_setting_is_in_the_table() -> None:
    rows = list(table())
    assert {row.variable for row in rows} == {
        PREFIX + name.upper() for name in Settings.model_fields
    }
    assert all(row.description for row in rows)
