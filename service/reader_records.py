"""What is stored of one reader, as messages: to hand over, and to delete."""

import hashlib
import struct
from collections.abc import Mapping
from typing import NamedTuple

from models.artifact import Artifact
from models.event_types import EventType
from relatedpapers.v1 import feedback_service_pb2 as pb
from service import tokens
from service.background import Background
from service.catalog import Catalog
from service.deletion_report import deletion
from service.errors import Reason, ServiceError
from service.events import StoredEvent
from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState, History
from service.keys import partition_of
from service.reader_deletion import delete_reader
from service.reader_library import effective_library, trained_library
from service.secrets import InvalidToken, SigningKeys
from service.tombstones import Tombstones

_PURPOSE = "export"
_HEAD = struct.Struct(">16sq")  # digest of the reader, time of the last event of the page before
_ENTRIES = 1_000


class _Place(NamedTuple):
    """An event's place in the order of an export."""

    time_ms: int
    id: str


class ReaderRecords:
    """Exports and deletes readers. Methods fail with STATE_AWAY."""

    def __init__(
        self,
        state: FeedbackState,
        tombstones: Tombstones,
        types: Mapping[str, EventType],
        keys: SigningKeys,
        background: Background,
    ) -> None:
        self._state = state
        self._log = FeedbackLog(state.client)
        self._tombstones = tombstones
        self._types = types
        self._keys = keys
        self._background = background

    async def export(
        self, artifact: Artifact, reader: str, size: int, page_token: str
    ) -> pb.ExportReaderResponse:
        """A page of the reader's events; on the first one the library too.

        Each page reads the reader's whole history, and the log of the reader's partition.
        Fails with PAGE_TOKEN_INVALID.
        """
        after = self._resume(reader, page_token) if page_token else None
        history = await self._state.history(reader)
        events = await self._events(reader, history)
        places = sorted(place for place in events if after is None or place > after)
        response = pb.ExportReaderResponse(events=[events[place] for place in places[:size]])
        if len(places) > size:
            response.next_page_token = self._next_page(reader, places[size - 1])
        if after is None:
            response.library.extend(await self._library(artifact, reader, history))
            response.reader_revision = history.revision
        return response

    async def delete(self, catalog: Catalog, reader: str) -> pb.DeleteReaderResponse:
        """Delete the reader, and say what is gone and what goes when."""
        events = await self._events(reader, await self._state.history(reader))
        deleted = await delete_reader(
            self._state.client, self._tombstones, reader, types=self._types
        )
        models = await self._background.run(_models_with, catalog, reader)
        return deletion(len(events), deleted.files, models)

    async def _events(self, reader: str, history: History) -> dict[_Place, pb.Event]:
        """The events as they were stored. The history knows all that shape the library, for good;
        the log knows more of each, and impressions, as long as it keeps them."""
        found = {
            _Place(event.time_ms, event.id): StoredEvent(
                reader,
                event.id,
                event.time_ms,
                event.time_ms,
                event.type,
                event.paper,
                event.value,
                event.retracts,
            )
            for event in history.events
        }
        partition, last = partition_of(reader), START
        while entries := await self._log.read(partition, last, _ENTRIES):
            last = entries[-1][0]
            found.update(
                (_Place(event.time_ms, event.id), event)
                for _, event in entries
                if event.reader == reader
            )
        return {place: _message(event) for place, event in found.items()}

    async def _library(
        self, artifact: Artifact, reader: str, history: History
    ) -> list[pb.LibraryPaper]:
        deleted = await self._tombstones.is_deleted(reader)
        trained = {} if deleted else trained_library(artifact, reader)
        papers = artifact.papers
        changed = {event.paper for event in history.events}
        weights = {
            papers.id(row): (weight, row in trained and papers.id(row) not in changed)
            for row, weight in effective_library(
                artifact, trained, history.events, self._types
            ).items()
        }
        return [
            pb.LibraryPaper(paper_id=paper_id, weight=weight, trained=is_trained)
            for paper_id, (weight, is_trained) in sorted(weights.items())
        ]

    def _next_page(self, reader: str, last: _Place) -> str:
        payload = _HEAD.pack(_digest(reader), last.time_ms) + last.id.encode()
        return tokens.seal(self._keys, _PURPOSE, payload)

    def _resume(self, reader: str, page_token: str) -> _Place:
        """The last event of the page before."""
        try:
            payload = tokens.unseal(self._keys, _PURPOSE, page_token)
        except InvalidToken as error:
            message = "`page_token` was not made by this service: begin again without it."
            raise ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token") from error
        digest, time_ms = _HEAD.unpack_from(payload)
        if digest != _digest(reader):
            message = "`page_token` belongs to another reader: begin again without it."
            raise ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token")
        return _Place(time_ms, payload[_HEAD.size :].decode())


def _models_with(catalog: Catalog, reader: str) -> list[str]:
    """The versions in the model folder that were trained on this reader."""
    found = []
    for version in catalog.versions():
        name = version.manifest.version
        if version.manifest.corpus.get("readers", 0):
            try:
                artifact = catalog.recommender(name).artifact
            except ServiceError:  # removed meanwhile
                continue
            if artifact.readers.find(reader) >= 0:
                found.append(name)
    return found


def _message(event: StoredEvent) -> pb.Event:
    message = pb.Event(
        id=event.id,
        reader_id=event.reader,
        paper_id=event.paper,
        type=event.type,
        attribution_token=event.attribution_token,
        surface=event.surface,
        origin=event.origin,
        retracted_event_id=event.retracts,
    )
    message.event_time.FromMilliseconds(event.time_ms)
    if event.value != 1.0:
        message.value = event.value
    if event.rank:
        message.rank = event.rank
    return message


def _digest(reader: str) -> bytes:
    return hashlib.blake2b(reader.encode(), digest_size=16).digest()
