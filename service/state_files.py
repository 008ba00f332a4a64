"""Has the state server write its files anew, from what is live: what was deleted is gone from them.

The append-only file keeps a write until it is written anew, which Redis does by itself each time
the file has doubled. A server with save points, as Redis has them by default, makes snapshots too,
and the latest keeps what was deleted until the next one. A managed server may let nobody ask.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import NoPermissionError, ResponseError

from service.feedback_state import state_errors

_POLL_SECONDS = 0.05
_BUSY = ("in progress", "child process is active")  # a server has one child at a time


class FileRewrite(StrEnum):
    """What became of one of the files."""

    DONE = "done"
    """It holds nothing any more of what was deleted."""
    LATER = "later"
    """The server had not written it in the time that it was given."""
    FAILED = "failed"
    """The server was asked and could not, for want of memory or disk; its log says why."""
    FORBIDDEN = "forbidden"
    """The server lets nobody ask for it."""
    NO_FILE = "no file"
    """The server has no such file."""


class Rewritten(NamedTuple):
    """What became of all of them."""

    append_only_file: FileRewrite
    snapshot: FileRewrite

    @property
    def complete(self) -> bool:
        """Whether nothing that was deleted is in any file of the server."""
        return set(self) <= {FileRewrite.DONE, FileRewrite.NO_FILE}


class _File(NamedTuple):
    """How a server is asked for a file, and the fields of INFO that tell how far it is.

    begun: how often it began to write the file; servers before Redis 7.0 do not say.
    """

    ask: Callable[[Redis], Awaitable[object]]
    begun: str
    at_work: tuple[str, ...]
    status: str


_APPEND_ONLY_FILE = _File(
    lambda client: client.bgrewriteaof(),
    "aof_rewrites",
    ("aof_rewrite_in_progress", "aof_rewrite_scheduled"),
    "aof_last_bgrewrite_status",
)
_SNAPSHOT = _File(
    lambda client: client.bgsave(schedule=False),  # INFO does not tell of a scheduled one
    "rdb_saves",
    ("rdb_bgsave_in_progress",),
    "rdb_last_bgsave_status",
)


async def rewrite_files(client: Redis, patience_seconds: float) -> Rewritten:
    """Have the files written anew, one after the other, and wait for it.

    patience_seconds: for both together.
    Raises ServiceError STATE_AWAY.
    """
    deadline = time.monotonic() + patience_seconds
    append_only_file = snapshot = FileRewrite.NO_FILE
    with state_errors():
        info = await client.info("persistence")
        if info["aof_enabled"]:
            append_only_file = await _rewrite(client, _APPEND_ONLY_FILE, deadline)
        if await _makes_snapshots(client, info):
            snapshot = await _rewrite(client, _SNAPSHOT, deadline)
    return Rewritten(append_only_file, snapshot)


async def _makes_snapshots(client: Redis, info: Mapping[str, Any]) -> bool:
    """Whether there may be one: the server has save points, or made one since it started."""
    if info.get(_SNAPSHOT.begun):
        return True
    try:
        return bool((await client.config_get("save")).get("save"))
    except ResponseError:  # nobody may ask
        return True


async def _rewrite(client: Redis, file: _File, deadline: float) -> FileRewrite:
    """Any that begins from now on will do: whoever waits at the same time shares it, in whatever
    process. One that began earlier may keep what was deleted."""
    info = await client.info("persistence")
    before, began = info.get(file.begun, 0), False
    while not began or _at_work(file, info):
        if time.monotonic() > deadline:
            return FileRewrite.LATER
        if _at_work(file, info):
            await asyncio.sleep(_POLL_SECONDS)
        else:
            try:
                await file.ask(client)
                began = True
            except ResponseError as error:
                if not any(each in str(error) for each in _BUSY):
                    return _refused(error)
                await asyncio.sleep(_POLL_SECONDS)
        info = await client.info("persistence")
        began = began or info.get(file.begun, 0) > before
    return FileRewrite.DONE if info[file.status] == "ok" else FileRewrite.FAILED


def _at_work(file: _File, info: Mapping[str, Any]) -> bool:
    return any(info[each] for each in file.at_work)


def _refused(error: ResponseError) -> FileRewrite:
    forbidden = isinstance(error, NoPermissionError) or "unknown command" in str(error)
    return FileRewrite.FORBIDDEN if forbidden else FileRewrite.FAILED
