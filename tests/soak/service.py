"""`related-papers serve`, killed and started again on the same port and data folder."""

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Self

import grpc
import grpc.aio

from relatedpapers import AsyncClient
from relatedpapers.channel import OPTIONS
from tests.serving import COMMAND, children, exists
from tests.support import ROOT, wait_until

MODULES = ("service.worker", "service.updater")


class OwnConnection(AsyncClient):
    """A client that shares its connection with no other; gRPC would share those to one address."""

    def _open(self, target: str, credentials: grpc.ChannelCredentials | None) -> grpc.aio.Channel:
        assert credentials is None
        options = [*OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
        return grpc.aio.insecure_channel(target, options)


def connect(address: str) -> AsyncClient:
    """A client with patience for a busy machine."""
    return OwnConnection(address, timeout_seconds=60)


class Service:
    """The command with its worker and its updater, for the time of a block.

    Its embedded servers are the data folder's: who attaches to that too keeps them running.
    """

    def __init__(self, model: Path, data: Path) -> None:
        self._options: list[str | Path] = ["--model", model, "--data-dir", data]
        self._port = "0"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._process.terminate()
            self._process.communicate(timeout=60)
            assert self._process.returncode == 0, "it did not stop as it should"
        else:
            self.kill()

    def start(self) -> None:
        """Start it and wait until it serves: on a free port, and later on the same."""
        command = [COMMAND, "serve", *self._options, "--port", self._port]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert "serves gRPC on 127.0.0.1:" in line, f"it did not start: {line}"
        self.address = line.split()[5].rstrip(".")
        self._port = self.address.split(":")[1]

    def kill(self) -> None:
        """End all its processes with no chance to do anything more."""
        supervisor = self._process.pid
        others = [each for module in MODULES for each in children(supervisor, module)]
        for process in (supervisor, *others):
            with suppress(ProcessLookupError):  # it saw the supervisor gone
                os.kill(process, signal.SIGKILL)
        self._process.communicate()
        wait_until(lambda: not any(map(exists, others)), "its processes are gone")
