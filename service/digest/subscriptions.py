"""A subscription to the digest: what is kept of it, and in which bytes.

There is one for each mailbox, and requests for one have the same form. Its id is a keyed hash of
the address (BLAKE2b, RFC 7693), so that neither an id nor a link says whose it is. The key lies in
the data folder and must never change: with another key nobody would be found again, and no link in
a mail would end anything.
"""

from dataclasses import astuple, dataclass
from enum import IntEnum, StrEnum
from hashlib import blake2b
from typing import Any

import msgpack

from service.digest.addresses import mailbox

KEY_FILE = "digest.key"
"""In the data folder; replicas share it, and those who run `digest send`."""

ID_BYTES = 16
_FORMAT = 1


class Unreadable(ValueError):  # noqa: N818 - nobody's fault
    """What is kept of a subscription can't be read: a newer release wrote it, or it is damaged."""


class Tally(StrEnum):
    """What is counted of subscriptions beside how their digests ended."""

    NOTICES = "notices"
    """Notices that were sent."""
    SUPPRESSED = "suppressed"
    """Mailboxes that were suppressed."""


class Frequency(IntEnum):
    """On which days a digest is sent. The numbers are those of the API."""

    DAILY = 1
    WEEKDAYS = 2
    """Monday to Friday."""
    WEEKLY = 3


class ContentKind(IntEnum):
    """What a digest is made of. The numbers are kept."""

    TRENDING = 1
    SEARCH = 2
    SEEDS = 3
    READER = 4


class Status(IntEnum):
    """Where a subscription stands. The numbers are those of the API."""

    PENDING = 1
    """A request, kept apart: nobody has confirmed it from the mailbox. It goes by itself."""
    ACTIVE = 2
    SUPPRESSED = 3
    """The mailbox refused a mail for good; no other is sent."""
    ENDED = 4
    """Left; kept a while, so that one who left by mistake can come back, and then gone."""


@dataclass(frozen=True, slots=True)
class Content:
    """What a digest is made of: by its kind, one of the others is set.

    window: the name of a window of trending papers. query: of a search. paper_ids: seeds.
    """

    kind: ContentKind
    window: str = ""
    query: str = ""
    paper_ids: tuple[str, ...] = ()
    reader_id: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Who gets which digest, and when.

    id: 32 hexadecimal digits; see `subscription_id`.
    address: as service/digest/addresses.py keeps it.
    time_zone: its IANA name, such as Europe/Berlin.
    weekday: 1 (Monday) to 7, of a weekly digest; else 0. hour: 0 to 23, in that time zone.
    created_ms, confirmed_ms: Unix times; confirmed_ms is 0 until then.
    revision: grows with each change and is never used again: the Unix ms of the change, or one more
        than before.
    refusal: of a suppressed one what the mail server said; else empty.
    """

    id: str
    address: str
    time_zone: str
    frequency: Frequency
    weekday: int
    hour: int
    content: Content
    status: Status
    created_ms: int
    confirmed_ms: int
    revision: int
    refusal: str = ""


def subscription_id(key: bytes, address: str) -> str:
    """The id of the subscription of a kept address. key: of `KEY_FILE`."""
    return blake2b(mailbox(address).encode(), digest_size=ID_BYTES, key=key).hexdigest()


def next_revision(before: int, now_ms: int) -> int:
    """The revision of a change that is made now. before: the one it replaces, or 0."""
    return max(before + 1, now_ms)


def pack(subscription: Subscription) -> bytes:
    """The bytes that are kept."""
    content = subscription.content
    values = [getattr(subscription, name) for name in _PLAIN]
    packed: bytes = msgpack.packb([_FORMAT, *values, astuple(content)])
    return packed


def unpack(packed: bytes) -> Subscription:
    """What `pack` made. Raises Unreadable."""
    try:
        return _unpacked(*msgpack.unpackb(packed))
    except (ValueError, TypeError, msgpack.UnpackException) as error:
        raise Unreadable(str(error)) from error


def _unpacked(format: int, *values: Any) -> Subscription:
    if format != _FORMAT:
        raise ValueError(f"its format is {format!r}, and this release knows {_FORMAT}")
    *plain, content = values
    fields = dict(zip(_PLAIN, plain, strict=True))
    kind, window, query, paper_ids, reader_id = content
    fields["frequency"] = Frequency(fields["frequency"])
    fields["status"] = Status(fields["status"])
    return Subscription(
        **fields, content=Content(ContentKind(kind), window, query, tuple(paper_ids), reader_id)
    )


_PLAIN = tuple(name for name in Subscription.__slots__ if name != "content")
"""The fields in the order in which they are kept; see _FORMAT."""
