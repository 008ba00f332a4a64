"""Every Redis key: built, typed and documented here, and nowhere else.

Cache role (may be lost at any time; evicted when memory fills):

    key                                           type    value                  TTL        size
    rp:cache:1:<model version>:<method>:<digest>  string  a serialised response  by method  < 1 MB

State role (append-only file, never evicted). NN is the partition of a reader, 00 to 15; its braces
make it the hash tag, so that all keys of a partition lie on one node of a cluster:

    key                         type    value                                      TTL
    rp:format                   string  STATE_FORMAT, decimal                      none
    rp:{NN}:log                 stream  an entry an accepted event: e its identity trimmed
    rp:{NN}:events              hash    identity -> accepted event                 with the log
    rp:{NN}:reader:<reader>     list    a reader's history: "<log id> <event>"     none
    rp:{NN}:retracted           set     identities of the events that their        none
                                        readers took back, whether they came or not
    rp:{NN}:cursor              hash    id: of the last log entry consumed; done:  none
                                        entries consumed, or deleted unread; trends:
                                        the last that is in the hours below; revision:
                                        how often these changed
    rp:{NN}:counts              hash    "<paper> TAB <type>" -> events consumed    none
    rp:{NN}:tombstones          hash    keyed hash of a deleted reader -> Unix ms  none
    rp:{NN}:trending:<hour>     hash    keyed hash of a reader, type, paper ->     the longest
                                        what the reader did in that hour           window
    rp:{NN}:trending-hours      zset    such hours, by the revision of the last    none
                                        change

The log holds no event itself: a stream keeps the bytes of a deleted entry, and writes them to its
file, until its whole neighbourhood is deleted. An event id is remembered as long as the log keeps
its entry. How events are packed: service/events.py. What all this weighs: service/state_memory.py.

    key                                           type    value                  TTL        size
    rp:delta:{<model version>}:items              hash    row -> packed delta    a week     n x 2 KB
    rp:delta:{<model version>}:log                stream  rows that changed      a week     < 40 MB
    rp:delta:{<model version>}:status             hash    how far they are       a week     < 1 KB
    rp:delta:{<model version>}:publisher          string  who may publish them   seconds    32 bytes
    rp:counting                                   string  settings of who counts none       < 1 KB
    rp:window                                     zset    "longest" -> seconds   none       < 1 KB
    rp:keys                                       hash    key file -> its print  none       < 1 KB
    rp:{trending}:rankings:2                      hash    window -> ranking      a week     n x 2 MB
    rp:{trending}:publisher                       string  who may publish them   seconds    32 bytes

The digest, by subscription. NN is the partition of a subscription, 00 to 15:

    key                             type    value                                          TTL
    rp:{digest:NN}:due              zset    active subscription -> when it is due, Unix ms none
    rp:{digest:NN}:mail:<id>        string  how a subscription's latest mail stands        with it
    rp:{digest:NN}:claims           zset    subscription whose mail is being made -> Unix  none
                                            ms at which another sender may take it over
    rp:{digest:NN}:sent:<id>        string  8 bytes a paper: what was sent, newest last    with it
    rp:{digest:NN}:undecided        hash    subscription -> mails that nobody can say      none
                                            whether they arrived
    rp:{digest:NN}:counts           hash    outcome -> mails                               none
    rp:{digest:NN}:tallies          hash    what else happened -> how often                none
    rp:{digest:NN}:subscription:<id>
                                    string  packed subscription                            by status
    rp:{digest:NN}:pending:<id>     hash    revision -> packed request that nobody has     3 days
                                            confirmed yet
    rp:{digest:NN}:going            zset    subscription that is not active -> when all    none
                                            of the above about it goes, Unix ms
    rp:{digest:NN}:notices:<id>     string  notices sent to that mailbox                   a day
    rp:{digest:NN}:outbox           zset    "<id> <notice> <number>" -> from when it       none
                                            may be sent, Unix ms
    rp:digest:requests:<origin>     string  requests for a digest from that network        an hour

What a mail's record holds, and how it changes: service/digest/ledger_scripts.py.

A cache key holds everything that the answer depends on (cache format, model version, method,
request), so nothing is ever invalidated by hand: a new model or a new format simply asks for other
keys, and the old ones expire. Deltas can be computed again from the rest of the state: those of a
model expire when no updater has followed it for a week.
"""

from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote

CACHE_FORMAT = 1
"""Raise it when one request to one model gets another answer: a new field, a fixed defect."""

STATE_FORMAT = 1
"""Raise it when older releases could no longer read what the state server holds."""

STATE_FORMAT_KEY = "rp:format"

PARTITIONS = 16
"""Into how many the state is split by a hash of the reader. Another number is another format."""

_DIGEST_BYTES = 16  # a collision among 10^12 cached requests has probability under 10^-14


class DeltaKeys(NamedTuple):
    """The keys of one model's deltas, all in one slot."""

    items: str
    log: str
    status: str
    publisher: str


def cache_key(model_version: str, method: str, request: bytes) -> str:
    """The key of one cached answer.

    request: the request message, serialised deterministically after its defaults were filled in
        and with everything removed that does not change the answer.
    """
    digest = blake2b(request, digest_size=_DIGEST_BYTES).hexdigest()
    return f"rp:cache:{CACHE_FORMAT}:{quote(model_version, safe='')}:{method}:{digest}"


def delta_keys(model_version: str) -> DeltaKeys:
    """The keys of one model's deltas; service/deltas.py says what they hold."""
    prefix = f"rp:delta:{{{quote(model_version, safe='')}}}"
    return DeltaKeys(f"{prefix}:items", f"{prefix}:log", f"{prefix}:status", f"{prefix}:publisher")


def partition_of(reader: str) -> int:
    """The partition that holds all of a reader's state."""
    return blake2b(reader.encode(), digest_size=1).digest()[0] % PARTITIONS


def log_key(partition: int) -> str:
    """The feedback log of one partition."""
    return f"rp:{{{partition:02}}}:log"


def cursor_key(partition: int) -> str:
    """How far the updater has read the log of one partition."""
    return f"rp:{{{partition:02}}}:cursor"


def counts_key(partition: int) -> str:
    """The counters of one partition."""
    return f"rp:{{{partition:02}}}:counts"


def tombstones_key(partition: int) -> str:
    """The deleted readers of one partition."""
    return f"rp:{{{partition:02}}}:tombstones"


def events_key(partition: int) -> str:
    """The events to which the log of one partition points."""
    return f"rp:{{{partition:02}}}:events"


def readers_prefix(partition: int) -> str:
    """What the keys of one partition's histories begin with; the reader's id follows."""
    return f"rp:{{{partition:02}}}:reader:"


def reader_key(reader: str) -> str:
    """The history of one reader."""
    return readers_prefix(partition_of(reader)) + reader


ANY_READER = "rp:{[0-9][0-9]}:reader:*"
"""The pattern of every reader's history."""


def trending_prefix(partition: int) -> str:
    """What the keys of one partition's trending hours begin with; the hour follows, counted from
    1970: service/trending/records.py says what they hold."""
    return f"rp:{{{partition:02}}}:trending:"


def trending_hours_key(partition: int) -> str:
    """The trending hours of one partition, each with the revision of its last change."""
    return f"rp:{{{partition:02}}}:trending-hours"


STATE_KEYS_KEY = "rp:keys"
"""A print of each key of the data folder by which this state is read: service/state_keys.py."""

COUNTING_KEY = "rp:counting"
"""The settings by which events are counted: service/counting_settings.py says which."""

WINDOW_KEY = "rp:window"
"""The longest window in which any `serve` ever took events: service/event_window.py. A sorted set,
since that keeps the greater score in one step."""

RANKINGS_KEY = "rp:{trending}:rankings:2"
"""The present rankings by window, and in the field `#revision` how often they were published. The
number grows with the format of rankings, so that no release reads those of another."""

RANKINGS_PUBLISHER_KEY = "rp:{trending}:publisher"
"""The lease of the one updater that publishes them."""


def retracted_key(partition: int) -> str:
    """The events of one partition that their readers took back."""
    return f"rp:{{{partition:02}}}:retracted"


def digest_partition(subscription: str) -> int:
    """The partition that holds all of a subscription. Its id is a hash already."""
    return int(subscription[:8], 16) % PARTITIONS


def digest_due_key(partition: int) -> str:
    """When the active subscriptions of one partition are due."""
    return f"rp:{{digest:{partition:02}}}:due"


def digest_mail_prefix(partition: int) -> str:
    """What the keys of latest mails of one partition begin with; the subscription's id follows."""
    return f"rp:{{digest:{partition:02}}}:mail:"


def digest_claims_key(partition: int) -> str:
    """The mails of one partition that a sender is making."""
    return f"rp:{{digest:{partition:02}}}:claims"


def digest_sent_prefix(partition: int) -> str:
    """What the keys of sent papers of one partition begin with; the subscription's id follows."""
    return f"rp:{{digest:{partition:02}}}:sent:"


def digest_undecided_key(partition: int) -> str:
    """The mails of one partition that nobody can say whether they arrived."""
    return f"rp:{{digest:{partition:02}}}:undecided"


def digest_counts_key(partition: int) -> str:
    """How many mails of one partition ended how."""
    return f"rp:{{digest:{partition:02}}}:counts"


def digest_tallies_key(partition: int) -> str:
    """How often other things happened to the subscriptions of one partition: `Tally` says which."""
    return f"rp:{{digest:{partition:02}}}:tallies"


def digest_outbox_key(partition: int) -> str:
    """The notices of one partition that are to be sent."""
    return f"rp:{{digest:{partition:02}}}:outbox"


def digest_going_key(partition: int) -> str:
    """When the subscriptions of one partition that are not active go."""
    return f"rp:{{digest:{partition:02}}}:going"


def subscriptions_prefix(partition: int) -> str:
    """What the keys of one partition's subscriptions begin with; the id follows."""
    return f"rp:{{digest:{partition:02}}}:subscription:"


def subscription_key(id: str) -> str:
    """A subscription."""
    return subscriptions_prefix(digest_partition(id)) + id


def digest_pending_prefix(partition: int) -> str:
    """What the keys of unconfirmed requests of one partition begin with; the subscription's id
    follows."""
    return f"rp:{{digest:{partition:02}}}:pending:"


def digest_pending_key(id: str) -> str:
    """The requests for a subscription that nobody has confirmed yet."""
    return digest_pending_prefix(digest_partition(id)) + id


def digest_notices_prefix(partition: int) -> str:
    """What the keys begin with that count notices to mailboxes; the subscription's id follows."""
    return f"rp:{{digest:{partition:02}}}:notices:"


def digest_requests_key(origin: str) -> str:
    """How many requests for a digest came from a network."""
    return f"rp:digest:requests:{origin}"
