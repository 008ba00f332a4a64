"""A stream of feedback for programs without asyncio: a thread of its own reads the events."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import grpc

from relatedpapers import errors
from relatedpapers.events import EventLike
from relatedpapers.v1.feedback_service_pb2 import StreamFeedbackRequest, StreamFeedbackResponse
from relatedpapers.window import Acknowledgement, Patience, Window, ended_early

Open = Callable[[Iterator[StreamFeedbackRequest]], Any]
"""Opens a stream: gives the answers to an iterator of messages."""


class FeedbackStream:
    """Sends events until all are acknowledged, over as many streams as it takes.

    An event goes out while the next one is awaited. A thread that waits for the next event when
    the program ends does not hold the program up.
    """

    def __init__(self, events: Iterable[EventLike], open_stream: Open, patience: Patience) -> None:
        self._events = events
        self._open = open_stream
        self._window = Window()
        self._changed = threading.Condition()  # guards the window
        self._patience = patience
        self._failure: Exception | None = None  # of the events themselves

    def run(self) -> Iterator[Acknowledgement]:
        """The acknowledgements, as they come. Raises RelatedPapersError, and what the events do."""
        threading.Thread(target=self._read, name="feedback events", daemon=True).start()
        try:
            while self._unsettled():
                try:
                    yield from self._stream()
                except grpc.RpcError as error:
                    time.sleep(self._patience.pause_seconds(errors.of_call(error)))
        finally:
            self._change(self._end)
        if self._failure is not None:
            raise self._failure

    def _unsettled(self) -> bool:
        """Whether there is something to send; waits until there is, or there never will be."""
        with self._changed:
            self._changed.wait_for(lambda: self._window.ended or not self._window.empty)
            return not self._window.empty

    def _stream(self) -> Iterator[Acknowledgement]:
        """The acknowledgements of one stream."""
        call = self._open(self._messages(self._window.stream))
        try:
            for answer in call:
                yield self._take(answer)
            if not self._window.empty:
                time.sleep(self._patience.pause_seconds(ended_early()))
        finally:
            self._change(self._window.restart)
            call.cancel()

    def _take(self, answer: StreamFeedbackResponse) -> Acknowledgement:
        self._patience.progress()
        with self._changed:
            acknowledgement = self._window.take(answer)
            self._changed.notify_all()
        return acknowledgement

    def _messages(self, stream: int) -> Iterator[StreamFeedbackRequest]:
        """What to send on one stream, which gRPC reads in a thread of its own."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._window.due(stream))
                message = self._window.next_message(stream)
            if message is None:
                return
            yield message

    def _read(self) -> None:
        try:
            for event in self._events:
                with self._changed:
                    self._changed.wait_for(lambda: self._window.ended or not self._window.full)
                    if self._window.ended:
                        return
                    self._window.add(event)
                    self._changed.notify_all()
        except Exception as failure:  # noqa: BLE001 - `run` raises it
            self._failure = failure
        finally:
            self._change(self._end)

    def _end(self) -> None:
        self._window.ended = True

    def _change(self, change: Callable[[], None]) -> None:
        with self._changed:
            change()
            self._changed.notify_all()
