"""Where readers stand at this moment: asked from the state server each time, computed when it
differs from what is kept.

Read-your-writes by construction: a standing is kept under the revision of the reader's history and
the version of the papers' state, and an event that was acknowledged has changed the revision.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import NamedTuple

from models.artifact import Artifact
from models.interactions import EventType
from service.background import Background
from service.errors import Reason, ServiceError
from service.feedback_state import FeedbackState
from service.live import LiveModel
from service.live_items import LiveItems
from service.reader_library import effective_library, trained_library
from service.reader_lists import ReaderLists, Standing
from service.tombstones import Tombstones

KEPT = 1_000
"""Readers whose standing is kept; each takes about 50 KB."""


class Reader(NamedTuple):
    """A reader at one moment.

    revision: of the history; empty without events.
    trained: what training knew of the library; empty for a reader that was deleted.
    library: signed weights by row; all of them count as seen.
    standing: None if no paper is wanted, so that there is nothing to go by.
    """

    revision: str
    trained: Mapping[int, float]
    library: Mapping[int, float]
    standing: Standing | None

    @property
    def factors_version(self) -> int:
        """Of the papers' state that the standing rests on; 0 if it is as trained."""
        return self.standing.live.version if self.standing else 0


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
        self._kept: OrderedDict[str, Reader] = OrderedDict()

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
        revision = await self._state.revision(reader_id)
        reader = self._kept.get(reader_id)
        if reader is None or reader.revision != revision or reader.trained != trained:
            history = await self._state.history(reader_id)
            library = effective_library(self._artifact, trained, history.events, self._types)
            standing = reader.standing if reader else None
            reader = Reader(history.revision, trained, library, standing)
        reader = await self._present(reader)
        self._kept[reader_id] = reader
        self._kept.move_to_end(reader_id)
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return reader

    async def _present(self, reader: Reader) -> Reader:
        """With a standing that belongs to the library and to the papers' present state."""
        if self._live is None or not any(weight > 0 for weight in reader.library.values()):
            return reader._replace(standing=None)
        live = await self._live.present()
        before = reader.standing
        if before and before.live is live and before.library is reader.library:
            return reader
        lists = await self.lists()
        if before and lists.can_refresh(reader.library, live, before):
            standing = await self._background.run(lists.refreshed, reader.library, live, before)
        else:
            standing = await self._background.run(lists.scanned, reader.library, live)
        return reader._replace(standing=standing)
