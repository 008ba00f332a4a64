"""Every Redis key: built, typed and documented here, and nowhere else.

Cache role (may be lost at any time; evicted when memory fills):

    key                                           type    value                  TTL        size
    rp:cache:1:<model version>:<method>:<digest>  string  a serialised response  by method  < 1 MB

State role (append-only file, never evicted):

    key                                           type    value                  TTL        size
    rp:format                                     string  STATE_FORMAT, decimal  none       1 byte
    rp:delta:{<model version>}:items              hash    row -> packed delta    a week     n x 2 KB
    rp:delta:{<model version>}:log                stream  rows that changed      a week     < 40 MB
    rp:delta:{<model version>}:status             hash    how far they are       a week     < 1 KB
    rp:delta:{<model version>}:publisher          string  who may publish them   seconds    32 bytes

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
