"""Deletes a reader from the live state, and from the append-only file that holds it.

What a reader did is gone at once from what the service answers. The bytes are gone from the disk
when the server has rewritten its file, which this waits for. A managed server may forbid that; then
they go when the server itself rewrites it, which Redis does each time the file has doubled.
"""

import asyncio
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from models.event_types import EVENT_TYPES, EventType
from service.events import (
    StoredEvent,
    identity,
    names_reader,
    pack_accepted,
    unpack_accepted,
    unpack_record,
)
from service.feedback_scripts import BURY, ERASE
from service.feedback_state import pack_for_lua, run_scripts, state_errors
from service.keys import (
    cursor_key,
    events_key,
    log_key,
    partition_of,
    reader_key,
    retracted_key,
    tombstones_key,
    trending_hours_key,
    trending_prefix,
)
from service.times import present_ms
from service.tombstones import Tombstones
from service.trending.records import Fields

DELETION = "delete-reader"
"""The type of the log entry of a deletion: its reader is "" and its id the tombstone. Who holds
readers in memory drops the one with that tombstone."""

_SCANNED_AT_ONCE = 1_000
_POLL_SECONDS = 0.05


class FileRewrite(StrEnum):
    """What became of the append-only file."""

    DONE = "done"
    """It holds nothing of the reader any more."""
    LATER = "later"
    """It is still being rewritten, or the last attempt failed; the server goes on by itself."""
    FORBIDDEN = "forbidden"
    """The server lets nobody ask for it, and does it when its file has doubled."""
    NO_FILE = "no file"
    """The server keeps nothing on disk."""


class Deleted(NamedTuple):
    """What a deletion removed.

    events: of the reader's history. entries: of the log, with the ids of their events.
    """

    events: int
    entries: int
    rewrite: FileRewrite


async def delete_reader(
    client: Redis,
    tombstones: Tombstones,
    reader: str,
    *,
    types: Mapping[str, EventType] = EVENT_TYPES,
    patience_seconds: float = 60.0,
) -> Deleted:
    """Delete all live state of a reader and set the tombstone; a reader unknown here gets one too.

    Events that are accepted meanwhile or later begin a new history. Called again after an error or
    for LATER, it finishes what is left. Counters keep what they have counted: they name no reader.

    types: of the events that readers may have sent.
    patience_seconds: how long the rewrite of the file is waited for.
    Raises ServiceError STATE_AWAY.
    """
    partition = partition_of(reader)
    log, events = log_key(partition), events_key(partition)
    last, held = await _bury(client, tombstones.of(reader), reader)
    erased = 0
    keys = [
        *(log, events, cursor_key(partition)),
        *(trending_prefix(partition), trending_hours_key(partition)),
    ]
    fields = Fields.of(tombstones)
    end = last
    while page := await _page(client, log, events, end):
        mine = {
            entry: unpack_accepted(event)
            for entry, event in page
            if event and names_reader(event, reader)
        }
        if mine:
            trends = pack_for_lua(fields.of_reader(mine.values(), types))
            [count] = await run_scripts(client, ERASE, [(keys, [trends, *mine])])
            erased += count
        end = "(" + page[-1][0]
    return Deleted(held, erased, await rewrite_file(client, patience_seconds))


async def _bury(client: Redis, tombstone: str, reader: str) -> tuple[str, int]:
    """The log entry of the deletion, and how many events the reader's history had."""
    partition, now_ms = partition_of(reader), present_ms()
    entry = StoredEvent("", tombstone, now_ms, now_ms, DELETION, "")
    keys = [
        *(log_key(partition), events_key(partition), retracted_key(partition)),
        *(reader_key(reader), tombstones_key(partition)),
    ]
    while True:
        with state_errors():
            records: Any = await client.lrange(reader_key(reader), 0, -1)
        history = [unpack_record(record)[1] for record in records]
        retracted = [identity(reader, event.retracts) for event in history if event.retracts]
        said = [identity("", f"{tombstone} {now_ms}"), pack_accepted(entry)]
        arguments = [len(records), tombstone, now_ms, *said, *retracted]
        [last] = await run_scripts(client, BURY, [(keys, arguments)])
        if last:
            return last.decode(), len(records)


async def rewrite_file(client: Redis, patience_seconds: float) -> FileRewrite:
    """Have the append-only file written anew from what is live now, and wait for it.

    Any rewrite that begins from now on will do: whoever waits at the same time shares it, in
    whatever process. One that began earlier may keep what was deleted.
    """
    deadline = time.monotonic() + patience_seconds
    with state_errors():
        info = await client.info("persistence")
        if not info["aof_enabled"]:
            return FileRewrite.NO_FILE
        before, began = _rewrites(info), False
        while not began or _rewriting(info):
            if time.monotonic() > deadline:
                return FileRewrite.LATER
            if _rewriting(info):
                await asyncio.sleep(_POLL_SECONDS)
            else:
                try:
                    await client.bgrewriteaof()
                    began = True
                except ResponseError as error:
                    if "in progress" not in str(error):
                        return FileRewrite.FORBIDDEN
            info = await client.info("persistence")
            began = began or _rewrites(info) > before
    return FileRewrite.DONE if info["aof_last_bgrewrite_status"] == "ok" else FileRewrite.LATER


def _rewrites(info: Mapping[str, Any]) -> int:
    """How many have begun; servers before Redis 7.0 do not say."""
    return int(info.get("aof_rewrites", 0))


def _rewriting(info: Mapping[str, Any]) -> bool:
    return bool(info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"])


async def _page(client: Redis, log: str, events: str, end: str) -> list[tuple[str, bytes | None]]:
    """The last entries of a log up to one, with their events, the newest first: a retraction goes
    before what it takes back, so that who counts meanwhile finds none without its event."""
    pairs: Any
    with state_errors():
        pairs = await client.xrevrange(log, end, "-", _SCANNED_AT_ONCE)
        if not pairs:
            return []
        found: Any = await client.hmget(events, [fields[b"e"] for _, fields in pairs])
    return [(entry.decode(), event) for (entry, _), event in zip(pairs, found, strict=True)]
