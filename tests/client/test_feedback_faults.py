"""Feedback while the service is killed and comes back: nothing is lost, nothing counts twice."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState
from service.keys import partition_of
from service.settings import Settings
from tests.client.conftest import Caller
from tests.serving import Worker

COUNT = 20_000
KILLS = (1, 5_000, 13_000)
"""Before which event the service is killed; it comes back at once."""


@pytest.fixture
def settings(settings: Settings, state_url: str) -> Settings:
    """The toy model on a free port, with a state server."""
    return settings.model_copy(update={"state_url": state_url})


class Restarting:
    """Events, and a service that is killed before some of them and started again after others."""

    def __init__(self, reader: str, settings: Settings) -> None:
        self._reader = reader
        self._worker = Worker(settings)
        self.port = self._worker.port
        self._settings = settings.model_copy(update={"port": self.port})

    def _event(self, number: int) -> dict[str, object]:
        return {
            "id": f"e{number}",
            "reader_id": self._reader,
            "paper_id": "graph-05",
            "type": "read",
        }

    def _restart(self) -> None:
        self._worker.kill()
        self._worker = Worker(self._settings)

    def __iter__(self) -> Iterator[Any]:
        for number in range(COUNT):
            if number in KILLS:
                self._restart()
            yield self._event(number)

    async def __aiter__(self) -> AsyncIterator[Any]:
        for number in range(COUNT):
            if number in KILLS:
                await asyncio.to_thread(self._restart)
            yield self._event(number)

    def kill(self) -> None:
        self._worker.kill()


async def in_log(state: FeedbackState, reader: str) -> list[str]:
    """The ids of the reader's events in the log, as often as they are there."""
    log, after = FeedbackLog(state.client), START
    ids: list[str] = []
    while page := await log.read(partition_of(reader), after, 1_000):
        ids += (event.id for _, event in page if event.reader == reader)
        after = page[-1][0]
    return ids


async def test_a_stream_over_a_service_that_is_killed(
    kind: str, settings: Settings, tmp_path: Path
) -> None:
    reader = str(tmp_path)
    events = Restarting(reader, settings)
    caller = Caller(kind, f"127.0.0.1:{events.port}")
    answers = await caller.many("stream_feedback", events)
    assert sum(answer.settled for answer in answers) == COUNT
    assert not [failure for answer in answers for failure in answer.failures]
    await caller.close()
    events.kill()
    state = FeedbackState(settings.state_url or "")
    try:
        history = await state.history(reader)
        logged = await in_log(state, reader)
    finally:
        await state.close()
    ids = sorted(f"e{number}" for number in range(COUNT))
    assert sorted(event.id for event in history.events) == ids
    assert sorted(logged) == ids
