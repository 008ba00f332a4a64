"""The supervisor: holds the embedded servers, the worker process and its companions.

It loads no gRPC and opens no model, so it stays small and starts fast.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Event, Thread
from typing import IO, NamedTuple, cast

import structlog

from service.public_url import leave_public_url
from service.settings import Settings

_ENVIRONMENT = {
    "GRPC_VERBOSITY": "NONE",  # errors are ours to word
    "OPENBLAS_NUM_THREADS": "1",  # a request is too short to share out
}


_RESTART_SECONDS = (1.0, 30.0)
"""How long after its end a companion is started again: first, doubling up to the second."""

_POLL_SECONDS = 0.5

_END_SECONDS = 10.0
"""How long a companion may take to end; killing it loses nothing."""

_STEADY_SECONDS = 60.0
"""A companion that ran this long begins again with the shortest pause."""

log = structlog.get_logger(__name__)


class ServingError(RuntimeError):
    """The service could not start, or stopped by itself; the message says why in one sentence."""


class Ports(NamedTuple):
    """Where a worker listens."""

    grpc: int
    web: int


def supervise(settings: Settings, announce: Callable[[Ports], None]) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP, and return when every call in flight is answered.

    announce: called with the ports once they are served.
    Raises ServingError.
    """
    with ExitStack() as stack:
        worker = Worker(settings.model)  # it loads what it needs while the servers start
        stack.callback(worker.end)
        settings = _with_servers(settings, stack)
        stack.callback(worker.end)  # again: before the servers are left
        worker.begin(settings)
        for number in _stops():
            signal.signal(number, lambda _number, _frame: worker.stop())
        if (ports := worker.ports()) is not None:
            # Of the very version that serves, also when a newer one is published meanwhile.
            served = settings.model_copy(update={"model": worker.model, "web_port": ports.web})
            if settings.updater:
                stack.callback(Companion("service.updater", served).end)
            if settings.with_digest:
                stack.callback(Companion("service.digest.process", served).end)
            _leave_public_url(served)
            announce(ports)
        worker.wait()


def _leave_public_url(served: Settings) -> None:
    """Commands on the data folder write links too. What serves does so without."""
    try:
        leave_public_url(served)
    except OSError as error:
        log.warning("commands can't know where links lead; set public_url", because=str(error))


def _stops() -> list[signal.Signals]:
    """The signals that end us: SIGHUP, of a terminal that closes, unless `nohup` ignores it."""
    ends = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:
        ends.append(signal.SIGHUP)
    return ends


def _with_servers(settings: Settings, stack: ExitStack) -> Settings:
    """The settings with the URLs of embedded servers where they name none. Raises ServingError."""
    from service.embedded import EmbeddedServersError, Role, keep  # noqa: PLC0415 - beside the worker

    roles = [
        role
        for role, url in ((Role.STATE, settings.state_url), (Role.CACHE, settings.cache_url))
        if url is None
    ]
    if not roles:
        return settings
    servers = keep(settings.data_dir, roles=roles, cache_megabytes=settings.cache_megabytes)
    try:
        urls = stack.enter_context(servers)
    except EmbeddedServersError as error:
        raise ServingError(str(error)) from error
    return settings.model_copy(update={f"{role.value}_url": url for role, url in urls.items()})


class Worker:
    """A `service.worker` process."""

    def __init__(self, model: Path) -> None:
        # Ctrl-C and a closing terminal reach the whole group: it ignores the one until it can end
        # well, and the other for good, since we tell it to end.
        group = (signal.SIGINT, signal.SIGHUP)
        previous = {number: signal.signal(number, signal.SIG_IGN) for number in group}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.worker", str(model)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**_ENVIRONMENT, **os.environ},
            )
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)
        self._stopped = False
        self._input = cast("IO[bytes]", self._process.stdin)
        self.model = Path()
        """The folder of the version that it serves, once `ports` are known."""

    def begin(self, settings: Settings) -> None:
        """Let it serve."""
        with suppress(BrokenPipeError):  # it died: `ports` says so
            self._input.write(settings.model_dump_json().encode() + b"\n")
            self._input.flush()  # and it stays open: its end would tell the worker that we are gone

    def ports(self) -> Ports | None:
        """Wait for its ports; None when it was stopped before. Raises ServingError."""
        line = cast("IO[bytes]", self._process.stdout).readline()
        report = json.loads(line) if line else {}
        if "port" in report:
            self.model = Path(report["model"])
            return Ports(int(report["port"]), int(report["web_port"]))
        code = self._process.wait()
        if self._stopped:
            return None
        raise ServingError(report.get("error", f"The worker did not start (exit code {code})."))

    def stop(self) -> None:
        """Ask it to drain and end."""
        self._stopped = True
        self._process.terminate()

    def wait(self) -> None:
        """Return when it has ended as asked. Raises ServingError when it ended by itself."""
        code = self._process.wait()
        if not self._stopped:
            raise ServingError(f"The worker stopped by itself (exit code {code}); see its log.")

    def end(self) -> None:
        """See it out, however we leave: the end of its input tells it to drain."""
        self._input.close()
        self._process.wait()


class Companion:
    """A process beside the worker, started again whenever it dies.

    In a process group of its own: Ctrl-C and a closing terminal reach it through us alone.
    module: takes the settings and its end as service/updater.py does.
    """

    def __init__(self, module: str, settings: Settings) -> None:
        self._module = module
        self._settings = settings.model_dump_json().encode() + b"\n"
        self._ending = Event()
        self._process = self._start()
        self._thread = Thread(target=self._keep, name=module, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """See it out: the end of its input tells it to finish what it is at."""
        self._ending.set()
        self._thread.join()

    def _start(self) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**_ENVIRONMENT, **os.environ},
            process_group=0,
        )
        with suppress(BrokenPipeError):  # it died: it is started again
            stdin = cast("IO[bytes]", process.stdin)
            stdin.write(self._settings)
            stdin.flush()
        return process

    def _keep(self) -> None:
        pause, longest = _RESTART_SECONDS
        while True:
            began = time.monotonic()
            code = self._outlive()
            if code is None or code == 0:  # told to end, or a model without readers
                return
            if time.monotonic() - began > _STEADY_SECONDS:
                pause = _RESTART_SECONDS[0]
            log.error(
                "a process stopped and is started again",
                module=self._module,
                exit_code=code,
                seconds=pause,
            )
            if self._ending.wait(pause):
                return
            pause = min(2 * pause, longest)
            self._process = self._start()

    def _outlive(self) -> int | None:
        """Wait until it ends by itself: its exit code; None when it was told to end."""
        while (code := self._process.poll()) is None:
            if self._ending.wait(_POLL_SECONDS):
                cast("IO[bytes]", self._process.stdin).close()
                try:
                    self._process.wait(_END_SECONDS)
                except subprocess.TimeoutExpired:
                    self._process.kill()
                    self._process.wait()
                return None
        cast("IO[bytes]", self._process.stdin).close()
        return code
