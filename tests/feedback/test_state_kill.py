"""What was acknowledged is there after the state server was killed in the middle of writes."""

import asyncio
from pathlib import Path

import pytest

from service.errors import Reason, ServiceError
from service.events import StoredEvent
from service.feedback_log import FeedbackLog
from service.feedback_state import FeedbackState, Outcome
from service.group_commit import GroupCommit
from service.state_digest import state_digest
from service.valkey import program
from tests.feedback.oracle import stored
from tests.feedback.test_state_append import consume, digest_of
from tests.servers import DURABLE, SystemRedis
from tests.support import PATIENCE_SECONDS, require_tool

WRITERS = 8
KILLS = 3


@pytest.mark.parametrize("kind", ["valkey", "redis"])
async def test_no_acknowledged_event_is_lost(kind: str, tmp_path: Path) -> None:
    path = str(program()) if kind == "valkey" else require_tool("redis-server")
    with SystemRedis(path, tmp_path, *DURABLE) as server:
        state = FeedbackState(server.url)
        commit = GroupCommit(state)
        sent: list[StoredEvent] = []
        acknowledged: list[StoredEvent] = []
        refused: list[Reason] = []
        enough = 0
        ready = asyncio.Event()

        async def writer(name: str) -> None:
            number = 0
            while True:
                events = [
                    stored(f"r{name}-{number % 9}", f"{number}-{n}") for n in range(number % 40)
                ]
                number += 1
                sent.extend(events)
                try:
                    await commit.write(events)
                except ServiceError as error:
                    refused.append(error.reason)
                    return
                acknowledged.extend(events)
                if len(acknowledged) > enough:
                    ready.set()

        for life in range(KILLS):
            enough = len(acknowledged) + 1_000
            ready.clear()
            writers = [asyncio.create_task(writer(f"{life}-{n}")) for n in range(WRITERS)]
            async with asyncio.timeout(PATIENCE_SECONDS):
                await ready.wait()
            server.stop()
            await asyncio.gather(*writers)
            server.start()

        assert refused == [Reason.STATE_AWAY] * KILLS * WRITERS
        assert set(await state.append(acknowledged)) == {Outcome.DUPLICATE}
        held = {
            (reader, event.id)
            async for reader in state.readers()
            for event in (await state.history(reader)).events
        }
        assert {(event.reader, event.id) for event in acknowledged} <= held
        assert held <= {(event.reader, event.id) for event in sent}

        await state.append(sent)  # all retry what they do not know to be stored
        await consume(FeedbackLog(state.client), 500)
        after_kills = await state_digest(state)
        assert after_kills == await digest_of(state, [sent])
        await state.close()
