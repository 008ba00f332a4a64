"""Processes that use embedded servers, and a folder in which none of them survives a test."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from service.embedded import Role
from service.valkey import Server
from tests.support import PATIENCE_SECONDS, ROOT, wait_until

USER = Path(__file__).parent / "user.py"


class User:
    """A process that attaches to the servers of a folder."""

    def __init__(self, folder: Path, patience_seconds: float = 2 * PATIENCE_SECONDS) -> None:
        self.log = folder.parent / f"{folder.name[:40]}-{os.urandom(4).hex()}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(USER), str(folder), str(patience_seconds)],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # a terminal of its own, so to say, for Ctrl-C
                text=True,
            )

    def says(self) -> dict[str, str]:
        """The next thing that the process reports."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the user ended without a word: {self.log.read_text()}"
        said: dict[str, str] = json.loads(line)
        return said

    def logged(self, text: str) -> bool:
        """Whether the process has logged this."""
        return text in self.log.read_text()

    def leave(self) -> None:
        """Let the process finish and wait until it has."""
        self.process.communicate(timeout=PATIENCE_SECONDS)
        assert self.process.returncode == 0, self.log.read_text()

    def interrupt(self) -> None:
        """Press Ctrl-C: the signal goes to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End the process with no chance to do anything more."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder; whatever still runs on it after the test is ended."""
    data = tmp_path / "data"
    yield data
    for role in Role:
        server = Server(role, data / "servers" / role, data)
        pid = server.pid()
        if pid is not None and server.alive():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., User]]:
    """Start a user of the folder; those that still run after the test are killed."""
    users: list[User] = []

    def _start(data: Path = folder, patience_seconds: float = 2 * PATIENCE_SECONDS) -> User:
        data.parent.mkdir(parents=True, exist_ok=True)
        users.append(User(data, patience_seconds))
        return users[-1]

    yield _start
    for user in users:
        user.kill()


def gone(folder: Path, role: Role) -> None:
    """Wait until the server of this role has ended."""
    server = Server(role, folder / "servers" / role, folder)
    wait_until(lambda: not server.alive(), f"the {role} server has ended")
