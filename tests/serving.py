"""The service for tests: inside the test's own event loop, or as the command that a user starts."""

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import grpc

from relatedpapers import Client
from relatedpapers.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from relatedpapers.v1.model_service_pb2_grpc import ModelServiceStub
from relatedpapers.v1.paper_service_pb2_grpc import PaperServiceStub
from relatedpapers.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from service.application import Application
from service.settings import Settings
from tests.support import PATIENCE_SECONDS, ROOT

COMMAND = Path(sys.executable).with_name("related-papers")


def train(*papers: Path, output: Path, seed: int = 0, interactions: Path | None = None) -> Path:
    """Train by the command line, as a user does, and return the model folder."""
    command: list[str | Path] = [COMMAND, "train", "--output", output, "--seed", str(seed)]
    command += ["--papers", *papers]
    command += ["--interactions", interactions] if interactions else []
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return output


def trained_once(
    folder: Path, *papers: Path, seed: int = 0, interactions: Path | None = None
) -> Path:
    """`train` into a folder that test processes share: the first trains, the others wait."""
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            new = folder.with_suffix(".new")
            train(*papers, output=new, seed=seed, interactions=interactions).rename(folder)
    return folder


def put_together(folder: Path, *models: Path) -> Path:
    """A model folder with the versions of several, of which the last one's serves."""
    for each in models:
        shutil.copytree(each, folder, dirs_exist_ok=True)
    return folder


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[str]:
    """The address of a service in this process, for the time of the block."""
    application = await Application(settings).start()
    try:
        yield f"127.0.0.1:{application.port}"
    finally:
        await application.stop()


@dataclass
class Running:
    """A service that runs in this process, and its stubs over a real channel."""

    application: Application
    channel: grpc.aio.Channel

    def __post_init__(self) -> None:
        self.recommendations = RecommendationServiceStub(self.channel)
        self.papers = PaperServiceStub(self.channel)
        self.feedback = FeedbackServiceStub(self.channel)
        self.models = ModelServiceStub(self.channel)


class Starting:
    """`async with Starting(settings) as running`: a service for the time of the block."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __aenter__(self) -> Running:
        self._application = await Application(self._settings).start()
        self._channel = grpc.aio.insecure_channel(f"127.0.0.1:{self._application.port}")
        return Running(self._application, self._channel)

    async def __aexit__(self, *error: object) -> None:
        await self._channel.close()
        await self._application.stop()


def client_of(address: str) -> Client:
    """A client with the patience of tests."""
    return Client(address, timeout_seconds=PATIENCE_SECONDS)


class Addresses(NamedTuple):
    """Where a service listens: `grpc` as host:port, `web` as http://host:port."""

    grpc: str
    web: str


@contextmanager
def serve_command(model: Path, data: Path) -> Iterator[str]:
    """The gRPC address of `related-papers serve`, for the time of the block."""
    with serve_both(model, data) as addresses:
        yield addresses.grpc


@contextmanager
def serve_both(model: Path, data: Path, **settings: str) -> Iterator[Addresses]:
    """Both addresses of `related-papers serve` and its embedded servers, for the time of the block.

    settings: as the environment gives them, such as RELATED_PAPERS_CORS_ORIGINS.
    """
    command: list[str | Path] = [COMMAND, "serve", "--model", model, "--data-dir", data]
    command += ["--port", "0", "--web-port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **settings}
    ) as process:
        assert process.stdout is not None
        lines = []
        try:
            for line in process.stdout:  # it ends when the command does
                lines.append(line)
                if found := re.search(r"serves gRPC on (\S+:\d+) and pages on (\S+)/\.", line):
                    yield Addresses(found[1], found[2])
                    break
            else:
                raise AssertionError(f"it did not start: {''.join(lines)}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.stdout.read()
    assert process.returncode == 0, "it did not stop as it should"


def children(process: int, module: str) -> list[int]:
    """The processes of a module that a process started and that still run."""
    found = subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(process)],
        capture_output=True,
        text=True,
        check=False,
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if module in line.split()]


def exists(process: int) -> bool:
    """Whether a process runs."""
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return bool(state) and not state.startswith("Z")


class Worker:
    """A serving process that a test may kill: `service.worker`, as the supervisor starts it."""

    def __init__(self, settings: Settings) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(settings.model_dump_json().encode() + b"\n")
        self._process.stdin.flush()
        report = json.loads(self._process.stdout.readline() or b"{}")
        assert "port" in report, f"it did not start: {report}"
        self.port: int = report["port"]
        self.web_port: int = report["web_port"]

    def kill(self) -> None:
        """End it with no chance to do anything more."""
        self._process.kill()
        self._process.communicate()
