"""What the readers' state weighs in the memory of the state server.

    an event in the log      140 + its packed size (24 + reader, id, paper and type + what else the
                             client sent), for as long as the log keeps it: 35 days by default
    an event in a history    40 + id, paper and type, for ever; impressions are in no history
    a reader with a history  200 + reader
    a counter                80 + paper and type
    a retraction             beside its place in the log and in the history, 100 + the id that it
                             takes back, for ever, and in the log 20 + that id and the type of
                             that event
    a deleted reader         110
    a record of the trends   90 + paper and type: what one reader did of one type with one paper in
                             one hour, impressions too
    an event in a record     20 + its id; 32 of them at most, the others are only counted
    an hour of the trends    150 in each of the 16 partitions of readers that did something then

Trends stay as long as the longest window: 30 days by default. All in bytes, where a name stands for
its length in UTF-8. A reader of 14 bytes who saved 100 papers weighs 10 KB in the history, and
another 24 KB while the log holds the events, with random event ids of 32 digits and paper ids of
12. The constants are those of Redis 7.0, rounded up; Valkey 9 takes up to a third less. Beside this
the server needs room for the changes that happen while it rewrites its file.
"""

from typing import NamedTuple


class Names(NamedTuple):
    """The mean length of each name, in bytes of UTF-8.

    extra: of what else events carry, such as attribution tokens.
    """

    reader: float = 16
    event: float = 32
    paper: float = 16
    type: float = 8
    extra: float = 0


def trending_bytes(names: Names, *, records: int, events: int, hours: int) -> int:
    """The memory that the trending hours take, at most, in bytes.

    records: see above; at most one for each event of a type that counts. events: in all of them.
    hours: in which something happened, of each partition.
    """
    return round(
        records * (90 + names.paper + names.type) + events * (20 + names.event) + hours * 150
    )


def state_bytes(
    names: Names,
    *,
    log_events: int,
    history_events: int,
    readers: int,
    counters: int = 0,
    retractions: int = 0,
    log_retractions: int = 0,
    tombstones: int = 0,
) -> int:
    """The memory that this state takes, at most, in bytes.

    log_events, history_events: retractions too. log_retractions: those that the log still holds.
    """
    reader, event, paper, kind, extra = names
    return round(
        log_events * (140 + 24 + reader + event + paper + kind + extra)
        + history_events * (40 + event + paper + kind)
        + readers * (200 + reader)
        + counters * (80 + paper + kind)
        + retractions * (100 + event)
        + log_retractions * (20 + event + kind)
        + tombstones * 110
    )
