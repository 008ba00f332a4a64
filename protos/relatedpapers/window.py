"""What a stream of feedback knows, with no input or output; both clients have one.

Where a stream breaks, what was not acknowledged is sent again on the next.
"""

import random
import time
from collections import deque
from typing import NamedTuple

import grpc

from relatedpapers import errors
from relatedpapers.events import EventLike, Outcome, as_event, take_call
from relatedpapers.v1.feedback_service_pb2 import (
    Event,
    StreamFeedbackRequest,
    StreamFeedbackResponse,
)

STREAM_PATH = "/relatedpapers.v1.FeedbackService/StreamFeedback"

WINDOW = 10_000
"""Events of a stream that are read and not acknowledged, as many as the service allows."""

PATIENCE_SECONDS = 60.0
"""How long after a stream broke another is tried: a service may restart meanwhile."""


class Acknowledgement(NamedTuple):
    """What the service made of the next events of a stream, in the order of the stream.

    settled: how many they are; each is durable now, or refused.
    duplicates: how many of them it had already, also because a broken stream left that unknown.
    failures: those that were refused, and why.
    """

    settled: int
    duplicates: int
    failures: list[Outcome]


class Window:
    """The events of a stream that are read and not acknowledged: those that wait, and those sent.

    Where a stream breaks, the next one sends again what was not acknowledged. Not for several
    threads at once.
    """

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._sent: deque[tuple[int, list[Event]]] = deque()
        self._size = 0
        self._sequence_number = 0
        self.stream = 0
        """Which stream it is, counted from 0: what an earlier one still asks for is not given."""
        self.ended = False
        """Whether there are no further events."""

    @property
    def full(self) -> bool:
        """Whether no further event may be added before some are acknowledged."""
        return self._size >= WINDOW

    @property
    def empty(self) -> bool:
        """Whether every event is acknowledged."""
        return self._size == 0

    def add(self, event: EventLike) -> None:
        """One more event."""
        self._waiting.append(as_event(event))
        self._size += 1

    def due(self, stream: int) -> bool:
        """Whether that stream has a message to send, or nothing more ever."""
        return bool(self._waiting) or self.ended or stream != self.stream

    def next_message(self, stream: int) -> StreamFeedbackRequest | None:
        """What to send on that stream next; None if nothing waits, or another stream began."""
        if not self._waiting or stream != self.stream:
            return None
        events = take_call(self._waiting)
        self._sequence_number += 1
        self._sent.append((self._sequence_number, events))
        return StreamFeedbackRequest(sequence_number=self._sequence_number, events=events)

    def take(self, answer: StreamFeedbackResponse) -> Acknowledgement:
        """Let go of what the service acknowledges."""
        settled: dict[int, list[Event]] = {}
        while self._sent and self._sent[0][0] <= answer.acknowledged_sequence_number:
            number, events = self._sent.popleft()
            settled[number] = events
        count = sum(map(len, settled.values()))
        self._size -= count
        failures = [
            Outcome(
                settled[failure.sequence_number][failure.event_index],
                errors.of_item(failure.status),
                failure.retryable,
            )
            for failure in answer.failures
        ]
        return Acknowledgement(count, answer.duplicate_count, failures)

    def restart(self) -> None:
        """The stream is over: what it sent and is not acknowledged waits again, in its order."""
        while self._sent:
            _, events = self._sent.pop()
            self._waiting.extendleft(reversed(events))
        self._sequence_number = 0
        self.stream += 1


class Patience:
    """When a broken stream is opened again: after pauses that grow from 0.2 to 2 seconds, a fifth
    more or less, as gRPC's own retries make them.

    seconds: how long after it broke another stream is still tried; 0 for never.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.progress()

    def progress(self) -> None:
        """The service acknowledged events: begin to count anew."""
        self._broken_since: float | None = None
        self._longest = 0.2

    def pause_seconds(self, error: errors.RelatedPapersError) -> float:
        """The pause before the next stream; raises the error if there is none."""
        now = time.monotonic()
        if self._broken_since is None:
            self._broken_since = now
        worn_out = now - self._broken_since >= self._seconds
        if worn_out or not _passes(error):
            raise error
        pause = self._longest * random.uniform(0.8, 1.2)  # noqa: S311 - no secret
        self._longest = min(2 * self._longest, 2.0)
        return pause


def _passes(error: errors.RelatedPapersError) -> bool:
    """Whether another stream may fare better."""
    # INTERNAL without a reason is not the service's: it is grpc's, of a connection that broke.
    broken = error.code is grpc.StatusCode.INTERNAL and not error.reason
    return broken or isinstance(error, errors.UnavailableError) or error.reason == "OVERLOADED"


def ended_early() -> errors.UnavailableError:
    """The error of a stream that the service ended before everything was acknowledged."""
    message = "the service ended the stream before it acknowledged every event"
    return errors.UnavailableError(grpc.StatusCode.UNAVAILABLE, "", message, {})
