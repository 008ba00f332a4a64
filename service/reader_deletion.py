"""Deletes a reader from the live state, and from the files that hold it.

What a reader did is gone at once from what the service answers. The bytes are gone from the disk
when the server has written its files anew, which this waits for: service/state_files.py.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from redis.asyncio import Redis

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
from service.state_files import Rewritten, rewrite_files
from service.times import present_ms
from service.tombstones import Tombstones
from service.trending.records import Fields

DELETION = "delete-reader"
"""The type of the log entry of a deletion: its reader is "" and its id the tombstone. Who holds
readers in memory drops the one with that tombstone."""

_SCANNED_AT_ONCE = 1_000


class Deleted(NamedTuple):
    """What a deletion removed.

    events: of the reader's history. entries: of the log, with the ids of their events.
    """

    events: int
    entries: int
    files: Rewritten


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
    for files that are not complete, it finishes what is left. Counters keep what they have counted:
    they name no reader.

    types: of the events that readers may have sent.
    patience_seconds: how long the server's files are waited for.
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
    return Deleted(held, erased, await rewrite_files(client, patience_seconds))


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
