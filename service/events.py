"""Readers' events as the state server holds them, in MessagePack.

accepted event   the content digest (12 bytes), a mark (1 byte), then
                 mark " "  the event
                 mark "v"  the event, which its reader had taken back before it came
                 mark "u"  [[paper, type], event]: a retraction of an event that had come, and
                           what that one had added to the counters
the event        [reader, id, time_ms, arrived_ms, type, paper, value, retracts,
                 attribution_token, surface, rank, origin]; defaults at the end are left out
in a history     [id, time_ms, type, paper, value, retracts], likewise
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import NamedTuple, cast

import msgpack

from models.interactions import Event

CONTENT_BYTES = 12
"""Two events of one reader and id with other contents pass for equal with probability 2^-96."""

_IDENTITY_BYTES = 16  # a collision among 10^12 remembered ids has probability under 10^-14
_PACKED_FIELDS = 12

_pack = cast("Callable[[object], bytes]", msgpack.Packer(autoreset=True).pack)


class StoredEvent(NamedTuple):
    """One accepted event, with all that its sender said.

    time_ms, arrived_ms: Unix time. An event without a time of its own happened when it arrived.
    retracts: of a retraction, the id of the event that it takes back.
    rank: the place in the list where the reader saw the paper, from 1; 0: not said.
    origin: where the reader was, as a salted hash; never an address.
    content: `content_digest` of what the sender sent; empty in what was read from the log.
    retracted, undoes: known of what was read from the log: whether the reader had taken the event
        back before it came; the paper and type of which a retraction takes one from the counters.
    """

    reader: str
    id: str
    time_ms: int
    arrived_ms: int
    type: str
    paper: str
    value: float = 1.0
    retracts: str = ""
    attribution_token: str = ""
    surface: str = ""
    rank: int = 0
    origin: str = ""
    content: bytes = b""
    retracted: bool = False
    undoes: tuple[str, str] | None = None


GONE = StoredEvent("", "", 0, 0, "", "")
"""Stands in the log for an event that the state server no longer has: it is nobody's and says
nothing."""

_DEFAULTS = (None,) * 6 + (1.0, "", "", "", 0, "")


def content_digest(*sent: str | float | bytes | None) -> bytes:
    """12 bytes that tell contents apart; give all that the client sent, in one fixed order.

    What the service adds (the time of arrival, an origin that it found) is no part of it: a retry
    must have the content of the first try.
    """
    return blake2b(_pack(sent), digest_size=CONTENT_BYTES).digest()


def identity(reader: str, event_id: str) -> bytes:
    """16 bytes that stand for one reader's one event id."""
    return blake2b(
        f"{len(reader)}:{reader}{event_id}".encode(), digest_size=_IDENTITY_BYTES
    ).digest()


def pack(event: StoredEvent) -> bytes:
    """The event as a log entry holds it."""
    size = _PACKED_FIELDS
    while event[size - 1] == _DEFAULTS[size - 1]:
        size -= 1
    return _pack(event[:size])


def pack_accepted(event: StoredEvent) -> bytes:
    """The event as the log's reader finds it, if no retraction concerns it."""
    return event.content.ljust(CONTENT_BYTES, b"\0") + b" " + pack(event)


def unpack_accepted(data: bytes) -> StoredEvent:
    """An accepted event."""
    mark, packed = data[CONTENT_BYTES : CONTENT_BYTES + 1], data[CONTENT_BYTES + 1 :]
    if mark == b"u":
        (paper, kind), event = msgpack.unpackb(packed)
        return StoredEvent(*event)._replace(undoes=(paper, kind))
    event = StoredEvent(*msgpack.unpackb(packed))
    return event._replace(retracted=True) if mark == b"v" else event


def names_reader(data: bytes, reader: str) -> bool:
    """Whether an accepted event is this reader's; quicker than unpacking it."""
    return _pack(reader) in data and unpack_accepted(data).reader == reader


def pack_history(event: StoredEvent) -> bytes:
    """The event as its reader's history holds it: what the reader's library depends on."""
    if event.retracts:
        record: tuple[object, ...] = (
            *(event.id, event.time_ms, event.type, event.paper),
            *(event.value, event.retracts),
        )
    elif event.value != 1:
        record = (event.id, event.time_ms, event.type, event.paper, event.value)
    else:
        record = (event.id, event.time_ms, event.type, event.paper)
    return _pack(record)


def unpack_record(record: bytes) -> tuple[str, Event]:
    """A record of a history: the id of the event's log entry, and the event."""
    entry, _, packed = record.partition(b" ")
    return entry.decode(), Event(*msgpack.unpackb(packed))
