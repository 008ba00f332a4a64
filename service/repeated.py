"""Lists that were stored ready made, for requests that come again byte for byte.

Even such a list costs a tenth of a millisecond, and three times that when the processor's caches
are cold; the same bytes again cost next to nothing. They are kept in the process alone, since
asking Redis would cost more than making the list.
"""

import struct

from service.cache import AnswerCache
from service.catalog import Catalog
from service.readers import Readers

KEPT_SECONDS = 60.0
LONGEST_REQUEST = 1_000
"""In bytes; longer ones hardly come again, and would be looked up in vain."""

_ROW = struct.Struct("=i")


class RepeatedLists:
    """Answers by request. An answer that readers have changed since is not found."""

    def __init__(self, catalog: Catalog, readers: Readers, cache: AnswerCache) -> None:
        self._catalog = catalog
        self._readers = readers
        self._cache = cache

    def find(self, request: bytes) -> bytes | None:
        """The answer to a serialized request by the model that serves now, or None."""
        kept = self._cache.find(self._key(request)) if len(request) <= LONGEST_REQUEST else None
        if kept is None:
            return None
        items = self._readers.items
        if items is not None and _ROW.unpack_from(kept)[0] in items.co_read:
            return None
        return kept[_ROW.size :]

    def keep(self, request: bytes, seed: int, answer: bytes) -> None:
        """An answer of the model that serves now. seed: the row of the paper it is for."""
        if len(request) <= LONGEST_REQUEST:
            self._cache.keep(self._key(request), _ROW.pack(seed) + answer, KEPT_SECONDS)

    def _key(self, request: bytes) -> str:
        return f"{self._catalog.serving.artifact.version}:{request.decode('latin-1')}"
