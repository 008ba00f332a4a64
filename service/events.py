"""Readers' events as the state server holds them: MessagePack arrays that begin with the reader.

place        array
log entry    reader, id, time_ms, arrived_ms, type, paper, value, retracts, attribution_token,
             surface, rank, origin; defaults at the end are left out
history      time_ms, type, paper, value, retracts, likewise; the id is the field's name
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
    content: `content_digest` of what the sender sent. It is not packed: what was read from the log
        has none.
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


def unpack(data: bytes) -> StoredEvent:
    """What `pack` packed, without its content digest."""
    return StoredEvent(*msgpack.unpackb(data))


def pack_reader(reader: str) -> bytes:
    """What stands in each packed event of this reader right after its first byte."""
    return _pack(reader)


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


def unpack_history(data: bytes) -> Event:
    """What `pack_history` packed."""
    return Event(*msgpack.unpackb(data))
