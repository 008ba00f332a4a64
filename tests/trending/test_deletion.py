"""Trends hold nothing of a reader who was deleted, in no file."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest_asyncio

from models.event_types import RETRACT
from service.embedded import Role, attach
from service.feedback_state import FeedbackState
from service.keys import partition_of
from service.reader_deletion import delete_reader
from service.state_files import rewrite_files
from tests.support import wait_until
from tests.trending.conftest import Server
from tests.trending.oracle import trends
from tests.trending.support import LENGTHS, assert_same, made, month


@pytest_asyncio.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[Server]:
    """A state server whose files all lie in the test's folder."""
    with attach(tmp_path, roles=[Role.STATE]) as urls:
        state = FeedbackState(urls[Role.STATE])
        yield Server(state, tmp_path, int(time.time() * 1000))
        await state.close()


async def test_nothing_of_a_deleted_reader_stays(own_server: Server) -> None:
    server = own_server
    now_ms = server.now_ms
    events = month(now_ms, 1_000)
    mine = [
        made(now_ms, "ada", "1", "impression", "secret"),
        made(now_ms, "ada", "2", "click", "secret", time_ms=now_ms - 3 * LENGTHS["day"]),
        made(now_ms, "ada", "3", "save", "secret"),
        made(now_ms, "ada", "4", "unsave", "secret"),
        made(now_ms, "ada", "5", "save", "other"),
        made(now_ms, "ada", "6", RETRACT, "", retracts="5"),
    ]
    await server.write([*events, *mine])
    await server.state.append([made(now_ms, "ada", "7", "cite", "unread by any updater")])
    publisher = server.publisher()
    await publisher.step()
    assert "secret" in (await server.ranking()).papers
    whose = server.records.fields.hash("ada")
    assert (await rewrite_files(server.state.client, 60)).complete
    assert list(holding(server, whose)), "the search would find it"
    await delete_reader(server.state.client, server.tombstones, "ada")
    await server.count()
    assert await publisher.step()
    for window, length_ms in LENGTHS.items():
        assert_same(await server.ranking(window), trends(events, length_ms, now_ms))
    assert not [field async for field in fields(server, "ada") if field.startswith(whose)]
    wait_until(lambda: not list(holding(server, whose)), "the server has removed its old files")


async def test_a_reader_deleted_while_events_are_counted_stays_deleted(
    own_server: Server,
) -> None:
    server = own_server
    partition = partition_of("ada")
    await server.state.append([made(server.now_ms, "ada", "1", "click")])
    entries = await server.log.read(partition, "0-0", 10)
    await delete_reader(server.state.client, server.tombstones, "ada")
    assert await server.log.advance(partition, "0-0", entries)
    assert [field async for field in fields(server, "ada")] == []


async def fields(server: Server, reader: str) -> AsyncIterator[bytes]:
    """Every field of every hour of the reader's partition."""
    partition = partition_of(reader)
    hours = await server.hours.changed(partition, 0)
    async for _, records in server.hours.read(partition, hours):
        for field in records:
            yield field


def holding(server: Server, secret: bytes) -> Iterator[Path]:
    """The files of the data folder that hold these bytes."""
    for path in server.data.rglob("*"):
        if path.is_file() and secret in path.read_bytes():
            yield path
