"""Redis servers that tests start, stop, pause and restart: real processes on Unix sockets."""

import signal
import subprocess
from pathlib import Path
from typing import Self

import redis

from tests.support import require_tool, wait_until

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")
"""What makes a server lose nothing that it has acknowledged."""


class SystemRedis:
    """A `redis-server` of its own in a folder; extra options as on its command line."""

    def __init__(self, program: str, folder: Path, *options: str, password: str = "") -> None:
        self._command = [
            *(program, "--port", "0", "--save", "", "--dir", str(folder)),
            *("--unixsocket", str(folder / "redis.sock"), *options),
            *(("--requirepass", password) if password else ()),
        ]
        self.url = f"unix://{folder / 'redis.sock'}"
        self._password = password or None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.begin()
        wait_until(lambda: answers(self.url, self._password), "redis-server answers")

    def begin(self) -> None:
        """Start the process alone."""
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def stop(self) -> None:
        """End the process, also if it is paused; nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Let the process hang: it holds its connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Go on where `pause` stopped it."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)


def durable(folder: Path) -> SystemRedis:
    """A `redis-server` of the system that keeps state in a folder, which may be absent."""
    folder.mkdir(exist_ok=True)
    return SystemRedis(require_tool("redis-server"), folder, *DURABLE)


def answers(url: str, password: str | None = None) -> bool:
    """Whether a server answers at this moment."""
    try:
        with redis.Redis.from_url(url, password=password, socket_timeout=1, retry=None) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def loads(url: str) -> bool:
    """Whether a server says at this moment that it is loading its data."""
    try:
        with redis.Redis.from_url(url, socket_timeout=1, retry=None) as client:
            client.ping()
    except redis.exceptions.BusyLoadingError:
        return True
    except (redis.RedisError, OSError):
        return False
    return False


def identity(url: str) -> str:
    """The run id of the server, which is another after each start."""
    with redis.Redis.from_url(url) as client:
        return str(client.info("server")["run_id"])
