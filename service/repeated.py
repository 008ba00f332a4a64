"""Lists that were stored ready made, for requests that come again byte for byte.

Even such a list costs a tenth of a millisecond, and three times that when the processor's caches
are cold; the same bytes again cost next to nothing. They are kept in the process alone, since
asking Redis would cost more than making the list.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from service.cache import AnswerCache
from service.catalog import Catalog
from service.readers import Readers

KEPT_SECONDS = 60.0
LONGEST_REQUEST = 1_000
"""In bytes; longer ones hardly come again, and would be looked up in vain."""


class _Kept(NamedTuple):
    model_version: str
    seed: int
    answer: bytes


class RepeatedLists:
    """Answers by request. An answer that readers have changed since is not found.

    They take as much memory as the in-process part of the cache may. Two plain tables, of which the
    older is dropped whole when the younger is full or old: most answers never come again, and an
    order of last use would add a tenth to what they cost.

    clock: seconds, never running backwards.
    """

    def __init__(
        self,
        catalog: Catalog,
        readers: Readers,
        cache: AnswerCache,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalog = catalog
        self._readers = readers
        self._counters = cache.counters
        self._max_bytes = cache.local_bytes // 2
        self._clock = clock
        self._young: dict[bytes, _Kept] = {}
        self._old: dict[bytes, _Kept] = {}
        self._young_bytes = 0
        self._turned = clock()

    def find(self, request: bytes) -> bytes | None:
        """The answer to a serialized request by the model that serves now, or None."""
        if self._clock() - self._turned > KEPT_SECONDS / 2:
            self._turn()
        kept = self._young.get(request) or self._old.get(request)
        if kept is None or kept.model_version != self._catalog.serving.artifact.version:
            return None
        items = self._readers.items
        if items is not None and kept.seed in items.co_read:
            return None
        self._counters.local_hits += 1
        return kept.answer

    def keep(self, request: bytes, seed: int, answer: bytes) -> None:
        """An answer of the model that serves now. seed: the row of the paper it is for."""
        self._counters.misses += 1
        if len(request) > LONGEST_REQUEST or not self._max_bytes:
            return
        self._young[request] = _Kept(self._catalog.serving.artifact.version, seed, answer)
        self._young_bytes += len(request) + len(answer)
        if self._young_bytes > self._max_bytes:
            self._turn()

    def _turn(self) -> None:
        now = self._clock()
        self._old = self._young if now - self._turned <= KEPT_SECONDS else {}
        self._young, self._young_bytes, self._turned = {}, 0, now
