"""FeedbackService: what readers do with papers, stored before it is acknowledged."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from relatedpapers.v1 import feedback_service_pb2 as pb
from service import feedback_results, validation
from service.access import Access, Caller
from service.api_keys import Scope
from service.catalog import Catalog
from service.errors import Reason, ServiceError
from service.events import StoredEvent
from service.feedback_results import Settled
from service.feedback_state import Outcome
from service.feedback_stream import MAX_MESSAGE_EVENTS, Message, Unacknowledged
from service.group_commit import GroupCommit
from service.reader_records import ReaderRecords
from service.received_events import Batch, Rules, read_batch
from service.times import present_ms

MAX_EVENTS = 10_000
"""Events that one call stores; each one after them is refused with a status of its own."""

MAX_CALL_EVENTS = 131_072
"""Events that one call may have: the statuses of more could outgrow what clients take in."""

DEFAULT_PAGE_SIZE = 1_000
MAX_PAGE_SIZE = 10_000

_TURN = 1_000  # events that are checked before other calls have their turn: about 10 ms


class FeedbackHandlers:
    """The methods of FeedbackService.

    records: None if the service was started without a state server.
    """

    def __init__(
        self,
        catalog: Catalog,
        access: Access,
        rules: Rules,
        commit: GroupCommit,
        records: ReaderRecords | None,
    ) -> None:
        self._catalog = catalog
        self._access = access
        self._rules = rules
        self._commit = commit
        self._records = records

    async def write_feedback(self, request: pb.WriteFeedbackRequest) -> bytes:
        """A result for each event, a WriteFeedbackResponse."""
        caller = self._access.require(Scope.FEEDBACK, browsers=True)
        size = len(request.events)
        if not size:
            raise validation.missing("events", "give at least one event")
        if size > MAX_CALL_EVENTS:
            raise _far_too_many(size)
        taken = min(size, MAX_EVENTS)
        batch = Batch([], {})
        for first in range(0, taken, _TURN):
            part = request.events[first : min(first + _TURN, taken)]
            accepted, refused = self._read(part, caller, first)
            batch.accepted.extend(accepted)
            batch.refused.update(refused)
            await asyncio.sleep(0)
        if request.validate_only:
            settled = Settled(batch.refused)
        else:
            settled = await self._settle(batch, taken)
        answer = feedback_results.response(taken, settled)
        if size > taken:
            answer += feedback_results.all_refused(size - taken, _too_many(size))
        return answer

    async def stream_feedback(
        self, requests: AsyncIterator[pb.StreamFeedbackRequest]
    ) -> AsyncIterator[pb.StreamFeedbackResponse]:
        """Acknowledgements, in the order of the messages, as their events become durable."""
        self._access.require(Scope.FEEDBACK, browsers=True)
        unacknowledged = Unacknowledged()
        receiving = asyncio.create_task(self._receive(requests, unacknowledged))
        try:
            async for group in unacknowledged.settled():
                yield _acknowledgement(group)
            await receiving  # raises what ended the messages
        finally:
            receiving.cancel()
            await asyncio.gather(receiving, return_exceptions=True)
            await unacknowledged.abandon()

    async def export_reader(self, request: pb.ExportReaderRequest) -> pb.ExportReaderResponse:
        """A page of what is stored of a reader."""
        self._access.require(Scope.ADMIN)
        reader = validation.name("reader_id", request.reader_id, "say who the reader is")
        size = validation.page_size(request.page_size, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)
        artifact = self._catalog.serving.artifact
        return await self._stored().export(artifact, reader, size, request.page_token)

    async def delete_reader(self, request: pb.DeleteReaderRequest) -> pb.DeleteReaderResponse:
        """Delete a reader."""
        self._access.require(Scope.ADMIN)
        reader = validation.name("reader_id", request.reader_id, "say who the reader is")
        return await self._stored().delete(self._catalog, reader)

    def _stored(self) -> ReaderRecords:
        if self._records is None:
            raise no_state()
        return self._records

    async def _receive(
        self, requests: AsyncIterator[pb.StreamFeedbackRequest], unacknowledged: Unacknowledged
    ) -> None:
        last = 0
        try:
            async for request in requests:
                # A stream may outlive its key, and the day that the network's hash is of.
                caller = self._access.require(Scope.FEEDBACK, browsers=True)
                number, events = request.sequence_number, request.events
                if number <= last:
                    expected = f"more than {last}, the number of the message before"
                    raise validation.invalid("sequence_number", number, expected)
                validation.at_most("events", events, MAX_MESSAGE_EVENTS)
                last = number
                batch = self._read(events, caller)
                unacknowledged.add(number, events, self._settle(batch, len(events)))
                await unacknowledged.room()
        finally:
            unacknowledged.end()

    def _read(self, events: Sequence[pb.Event], caller: Caller, first: int = 0) -> Batch:
        papers = self._catalog.serving.artifact.papers
        return read_batch(events, self._rules, papers, caller, present_ms(), first)

    async def _settle(self, batch: Batch, size: int) -> Settled:
        """Store what was accepted. Fails as a whole when that may not have been stored."""
        accepted, refused = batch
        outcomes = await self._commit.write(accepted)
        if not any(outcomes):
            return Settled(refused)
        places = [place for place in range(size) if place not in refused]
        duplicates = set()
        for place, event, outcome in zip(places, accepted, outcomes, strict=True):
            if outcome is Outcome.DUPLICATE:
                duplicates.add(place)
            elif outcome is Outcome.REUSED:
                refused[place] = _reused(event)
        return Settled(refused, frozenset(duplicates))


class NoState:
    """Stands where a service without a state server would append events."""

    async def append(self, _events: Sequence[StoredEvent]) -> list[Outcome]:
        """Fails with STATE_AWAY."""
        raise no_state()


def no_state() -> ServiceError:
    """The error of a call that needs the state server of a service without."""
    message = "The service runs without a state server: start it with --state-url."
    return ServiceError(Reason.STATE_AWAY, message)


def _acknowledgement(group: list[tuple[Message, Settled]]) -> pb.StreamFeedbackResponse:
    return pb.StreamFeedbackResponse(
        acknowledged_sequence_number=group[-1][0].number,
        failures=[
            feedback_results.failure(
                message.number,
                place,
                message.events[place].id[: validation.MAX_NAME_CHARACTERS],
                error,
            )
            for message, settled in group
            for place, error in sorted(settled.refused.items())
        ],
        duplicate_count=sum(len(settled.duplicates) for _, settled in group),
    )


def _too_many(size: int) -> ServiceError:
    message = (
        f"The call has {size:,} events, and the first {MAX_EVENTS:,} are taken: send this one and "
        "those after it in other calls."
    )
    return ServiceError(Reason.TOO_MANY_EVENTS, message, field="events")


def _far_too_many(size: int) -> ServiceError:
    message = (
        f"The call has {size:,} events, and of more than {MAX_CALL_EVENTS:,} none is taken: send "
        f"{MAX_EVENTS:,} in a call at most."
    )
    return ServiceError(Reason.TOO_MANY_EVENTS, message, field="events")


def _reused(event: StoredEvent) -> ServiceError:
    message = (
        f"The reader has already sent another event with the id {event.id!r}, which stands: give "
        "each event an id of its own."
    )
    return ServiceError(Reason.EVENT_ID_REUSED, message, field="id", value=event.id)
