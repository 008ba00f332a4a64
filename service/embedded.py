"""The embedded servers' room: attach to the two Valkey servers of a data folder, or start them.

    <data folder>/servers/      mode 0700
        lock                    held exclusively while a command attaches, starts or stops
        users                   held shared by every attached command; who can hold it exclusively
                                is the last one
        sockets                 only if this path is too long for sockets: names the private
                                temporary folder that holds them
        state.sock, cache.sock  the sockets, otherwise
        state/, cache/          each server's own files (see service/valkey.py)

Both locks are the kernel's (flock), so a command that is killed drops out by itself. Its servers go
on, the next command on the folder adopts them, and whoever leaves last stops them.
"""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import IO

import structlog

from service.valkey import EmbeddedServersError, Health, Role, Server

__all__ = ["EmbeddedServersError", "Role", "attach", "has_state", "keep"]

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 1.0
_SOCKET_PATH_BYTES = 100  # the kernel allows 103 (macOS) or 107 (Linux)

log = structlog.get_logger(__name__)


@contextmanager
def attach(
    data_dir: Path,
    *,
    roles: Collection[Role] = tuple(Role),
    cache_megabytes: int = 64,
    patience_seconds: float = 60.0,
) -> Iterator[dict[Role, str]]:
    """Use the servers of a data folder, starting those that do not run; yields each role's URL.

    Every command on one folder shares its servers. Leave the block only after the last request is
    served: the last user stops the servers.

    cache_megabytes: the most memory that the cache may fill; it counts when the cache starts.
    patience_seconds: how long a server may be silent at its start, or take to stop. A server that
        says that it is loading, and another command at work here, are waited for without limit.
    Raises EmbeddedServersError when a server cannot be had.
    """
    folder = _private_folder(data_dir.resolve() / "servers")
    with (folder / "users").open("ab") as users:
        with _locked(folder / "lock"):
            fcntl.flock(users, fcntl.LOCK_SH)
            sockets = _sockets_folder(folder)
        servers = {role: Server(role, folder / role, sockets / f"{role}.sock") for role in Role}
        try:
            with _locked(folder / "lock"):
                for role in roles:
                    _make_ready(servers[role], cache_megabytes, patience_seconds)
            yield {role: servers[role].url for role in roles}
        finally:
            _leave(folder, users, list(servers.values()), patience_seconds)


@contextmanager
def keep(
    data_dir: Path, *, roles: Collection[Role] = tuple(Role), cache_megabytes: int = 64
) -> Iterator[dict[Role, str]]:
    """`attach` for a command that stays: a server that dies meanwhile is started again."""
    ending = Event()

    def attached() -> AbstractContextManager[dict[Role, str]]:
        return attach(data_dir, roles=roles, cache_megabytes=cache_megabytes)

    def revive() -> None:
        folder = data_dir.resolve() / "servers"
        servers = [Server(role, folder / role, folder) for role in roles]
        while not ending.wait(_WATCH_SECONDS):
            dead = [server.role.value for server in servers if not server.alive()]
            if not dead:
                continue
            log.error("an embedded server died and is started again", roles=dead)
            try:
                with attached():  # starts it, and leaves it to us who are attached already
                    pass
            except EmbeddedServersError as error:
                log.warning("an embedded server cannot be started again yet", error=str(error))

    with attached() as urls:
        thread = Thread(target=revive, name="embedded servers", daemon=True)
        thread.start()
        try:
            yield urls
        finally:
            ending.set()
            thread.join()


def has_state(data_dir: Path) -> bool:
    """Whether the state server of a data folder ever ran."""
    return (data_dir / "servers" / Role.STATE).is_dir()


def _make_ready(server: Server, cache_megabytes: int, patience_seconds: float) -> None:
    started = announced = False
    deadline = time.monotonic() + patience_seconds
    while (health := server.health()) is not Health.READY:
        now = time.monotonic()
        if health is Health.LOADING:
            deadline = now + patience_seconds
        elif not server.alive():
            if started:
                raise EmbeddedServersError(
                    f"the embedded {server.role} server ended at its start. {server.log_tail()}"
                )
            server.start(cache_megabytes)
            started = True
            deadline = time.monotonic() + patience_seconds
            continue
        if now > deadline:
            raise EmbeddedServersError(
                f"the embedded {server.role} server (process {server.pid()}) does not answer on "
                f"{server.socket}. Try again; if it happens again, end that process. "
                f"{server.log_tail()}"
            )
        if not announced and (health is Health.LOADING or not started):
            log.info("waiting for an embedded server", role=server.role.value, because=health.value)
            announced = True
        time.sleep(_POLL_SECONDS)


def _leave(folder: Path, users: IO[bytes], servers: list[Server], patience_seconds: float) -> None:
    with _locked(folder / "lock"):
        if not _try_lock(users):
            return
        for server in servers:
            if server.alive():
                server.stop(patience_seconds)
            server.socket.unlink(missing_ok=True)
        if (sockets := servers[0].socket.parent) != folder:
            sockets.rmdir()
            (folder / "sockets").unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        if not _try_lock(file):
            log.info("waiting for another command on the same servers", folder=str(path.parent))
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _private_folder(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        raise EmbeddedServersError(
            f"cannot use {path} for the embedded servers: {error.strerror}. "
            "Choose a folder of your own with --data-dir."
        ) from error
    return path


def _sockets_folder(folder: Path) -> Path:
    """Where the sockets lie: this folder, or a private temporary one if its path is too long."""
    if _fits(folder):
        return folder
    record = folder / "sockets"
    if record.exists() and _is_private(recorded := Path(record.read_text())):
        return recorded
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes it private
        made = Path(tempfile.mkdtemp(prefix="related-papers-", dir=parent))
        if _fits(made):
            record.write_text(str(made))
            return made
        made.rmdir()
    raise EmbeddedServersError(
        f"{folder} and the temporary folder are both too long for a socket path; "
        "set TMPDIR to a short one"
    )


def _fits(folder: Path) -> bool:
    return all(len(os.fsencode(folder / f"{role}.sock")) <= _SOCKET_PATH_BYTES for role in Role)


def _is_private(folder: Path) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return (
        stat.S_ISDIR(status.st_mode)
        and status.st_uid == os.getuid()
        and stat.S_IMODE(status.st_mode) == 0o700
    )
