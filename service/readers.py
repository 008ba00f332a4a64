"""Where readers stand at this moment: asked from the state server each time, computed when it
differs from what is kept.

Read-your-writes by construction: a standing is kept with the history and the papers' state that it
was made of, and an event that was acknowledged has changed the history.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import NamedTuple
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.event_types import EventType
from service.background import Background
from service.errors import Reason, ServiceError
from service.feedback_state import FeedbackState, History
from service.live import LiveModel
from service.live_items import LiveItems
from service.reader_library import effective_library, renewed_library, trained_library
from service.reader_lists import ReaderLists, Standing
from service.tombstones import Tombstones

KEPT = 1_000
"""Readers that are kept; each takes about 50 KB, 200 bytes more for an event, and 40 KB more from
`reader_scores.MANY` papers on."""


class Reader(NamedTuple):
    """A reader at one moment.

    history: every event; rows: those of their papers, int32, -1 outside the model.
    trained: what training knew of the library; empty for a reader that was deleted.
    live: the papers' state; None if the model knows nothing of readers.
    library: signed weights by row; all of them count as seen.
    standing: None if no paper is wanted, so that there is nothing to go by.
    """

    history: History
    rows: NDArray[np.int32]
    trained: Mapping[int, float]
    live: LiveItems | None
    library: Mapping[int, float]
    standing: Standing | None

    @property
    def factors_version(self) -> int:
        """Of the papers' state; 0 if it is as trained."""
        return self.live.version if self.live else 0


class KeptReader(NamedTuple):
    """A reader without the papers' state, which is known by a weak reference: else readers who come
    at a thousand moments would hold a thousand states, a megabyte each."""

    reader: Reader
    live: Callable[[], LiveItems | None]

    @classmethod
    def of(cls, reader: Reader) -> "KeptReader":
        """A reader to keep."""
        live: Callable[[], LiveItems | None] = ref(reader.live) if reader.live else _nothing
        return cls(reader._replace(live=None), live)


def _nothing() -> None:
    """What a reference to nothing refers to."""


_NOBODY = KeptReader.of(Reader(History("", []), np.zeros(0, np.int32), {}, None, {}, None))


class Readers:
    """The readers of one artifact.

    state, tombstones: None if the service was started without; `reader` then fails with STATE_AWAY.
    live: the papers' present state; None if the model knows nothing of readers.
    """

    def __init__(
        self,
        artifact: Artifact,
        state: FeedbackState | None,
        tombstones: Tombstones | None,
        live: LiveModel | None,
        types: Mapping[str, EventType],
        background: Background,
    ) -> None:
        self._artifact = artifact
        self._state = state
        self._tombstones = tombstones
        self._live = live
        self._types = types
        self._background = background
        self._lists: ReaderLists | None = None
        self._kept: OrderedDict[str, KeptReader] = OrderedDict()

    @property
    def types(self) -> Mapping[str, EventType]:
        """The types of events, by name."""
        return self._types

    @property
    def items(self) -> LiveItems | None:
        """The papers' present state; None if there is none, or it is being opened."""
        return self._live.items if self._live else None

    async def lists(self) -> ReaderLists:
        """What makes the lists."""
        if self._lists is None:
            self._lists = await self._background.run(ReaderLists, self._artifact)
        return self._lists

    async def reader(self, reader_id: str) -> Reader:
        """How the reader stands after every acknowledged event. Fails with STATE_AWAY."""
        if self._state is None or self._tombstones is None:
            message = "This service was started without a state server: it knows no readers."
            raise ServiceError(Reason.STATE_AWAY, message)
        trained = trained_library(self._artifact, reader_id)
        if trained and await self._tombstones.is_deleted(reader_id):
            trained = {}
        kept, kept_live = self._kept.get(reader_id, _NOBODY)
        history = await self._state.renewed(reader_id, kept.history)
        live = await self._live.present() if self._live else None
        if history is kept.history and trained == kept.trained and live is kept_live():
            reader = kept._replace(live=live)
        else:
            lists = await self.lists()
            reader = await self._background.run(self._now, lists, kept, history, trained, live)
        self._kept[reader_id] = KeptReader.of(reader)
        self._kept.move_to_end(reader_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return reader

    def _now(
        self,
        lists: ReaderLists,
        kept: Reader,
        history: History,
        trained: Mapping[int, float],
        live: LiveItems | None,
    ) -> Reader:
        """The reader as these make it, from what was kept."""
        rows = self._rows(kept, history)
        library = self._library(kept, history, rows, trained)
        standing = None
        if live is not None and any(weight > 0 for weight in library.values()):
            if kept.standing:
                standing = lists.refreshed(library, live, kept.standing)
            standing = standing or lists.scanned(library, live)
        return Reader(history, rows, trained, live, library, standing)

    def _rows(self, kept: Reader, history: History) -> NDArray[np.int32]:
        known = len(kept.rows) if _goes_on(kept.history, history) else 0
        found = [self._artifact.papers.row(each.paper) for each in history.events[known:]]
        new = np.array([-1 if row is None else row for row in found], np.int32)
        return np.concatenate([kept.rows[:known], new])

    def _library(
        self,
        kept: Reader,
        history: History,
        rows: NDArray[np.int32],
        trained: Mapping[int, float],
    ) -> Mapping[int, float]:
        known = len(kept.rows)
        if trained != kept.trained or not known or not _goes_on(kept.history, history):
            return effective_library(self._artifact, trained, history.events, self._types)
        if history is kept.history:
            return kept.library
        return renewed_library(
            self._artifact, trained, kept.library, history.events, rows, known, self._types
        )


def _goes_on(before: History, history: History) -> bool:
    """Whether a history is the one before, and perhaps newer events."""
    return history is before or history.events[: len(before.events)] == before.events
