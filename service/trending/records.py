"""What readers did, hour by hour, as the state server holds it for trends.

An hour of event time, counted from 1970, is a hash of each partition of readers:

    field   keyed hash of the reader (8 bytes), type, TAB, paper
    value   MessagePack: [count, ms, id, acts, origin, ms, id, acts, origin, ...]: how many events
            of that type, or undoing it, the reader had there; and the latest 32 of them: when in
            the hour, the event's own id, 1 if it does and 0 if it undoes, and the keyed hash of its
            origin (8 bytes, or empty)

It is written in the step that moves the cursor of the log, so each event is in it exactly once. A
retraction takes its event out again, and the deletion of a reader all that is the reader's: its
events are found by the log, which outlives every window. The hash of a reader is keyed by the
secret of the tombstones, which is not on the state server: nobody can guess a reader back from it.
An hour goes when the longest window has passed it.

Where a reader has more than 32 events of one type on one paper in one hour, those beyond count as
if they had happened at the time of the oldest that is kept, and taking the latest back may leave
none where an older one was.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b

from models.event_types import EVENT_TYPES, RETRACT, EventType
from service.events import StoredEvent, identity
from service.feedback_state import pack_for_lua
from service.tombstones import Tombstones
from service.trending.layout import HASH_BYTES, HOUR_MS

_SLACK_SECONDS = 7_200
_READERS_KEPT = 65_536
_PERSON = b"trending"


class Fields:
    """Names readers, and what they did, in the hours.

    key: of the tombstones. It must never change, or hours can no longer be told to be a reader's.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self.hash = lru_cache(_READERS_KEPT)(self._hash)

    @classmethod
    def of(cls, tombstones: Tombstones) -> "Fields":
        """With the secret of a data folder."""
        return cls(tombstones.key)

    def _hash(self, name: str) -> bytes:
        """8 bytes that stand for a reader or an origin."""
        return blake2b(
            name.encode(), digest_size=HASH_BYTES, key=self._key, person=_PERSON
        ).digest()

    def field(self, reader: str, family: str, paper: str) -> bytes:
        """The field of what a reader did with a paper."""
        return self.hash(reader) + f"{family}\t{paper}".encode()

    def of_reader(
        self, events: Iterable[StoredEvent], types: Mapping[str, EventType] = EVENT_TYPES
    ) -> list[int | bytes]:
        """Hour and field, by turns, of all that events may have left in the hours, whatever the
        settings were then; each once."""
        found = {
            (event.time_ms // HOUR_MS, self.field(event.reader, family, event.paper)): None
            for event in events
            if event.type != RETRACT
            for family in {event.type, types[event.type].undoes if event.type in types else ""}
            if family
        }
        return [part for each in found for part in each]


class Records:
    """Makes of the log's entries what is written to the hours.

    families: for each type of event that counts, the type that it speaks of; see
        `service.trending.windows`.
    longest_ms: the length of the longest window.
    """

    def __init__(self, fields: Fields, families: Mapping[str, str], longest_ms: int) -> None:
        self.fields = fields
        self._families = families
        self._longest_ms = longest_ms
        self.keep_seconds = longest_ms // 1000 + _SLACK_SECONDS
        """How long after its beginning an hour is kept."""

    def of(self, entries: Sequence[tuple[str, StoredEvent]], now_ms: int) -> list[object]:
        """What the scripts take, 4 values each: entry, hour, field and the record that the event
        makes alone; of a retraction entry, -1, field, and identity and id of what it takes back."""
        flat: list[object] = []
        fields, families = self.fields, self._families
        earliest_ms = now_ms - self._longest_ms
        for entry, event in entries:
            if event.undoes:
                paper, kind = event.undoes
                if (family := families.get(kind)) is not None:
                    target = identity(event.reader, event.retracts), event.retracts
                    field = fields.field(event.reader, family, paper)
                    flat += (entry, -1, field, pack_for_lua(target))
                continue
            family = families.get(event.type)
            if family is None or event.retracted or event.time_ms <= earliest_ms:
                continue
            hour, ms = divmod(event.time_ms, HOUR_MS)
            field = fields.field(event.reader, family, event.paper)
            origin = fields.hash(event.origin) if event.origin else b""
            record = pack_for_lua((1, ms, event.id, int(family == event.type), origin))
            flat += (entry, hour, field, record)
        return flat
