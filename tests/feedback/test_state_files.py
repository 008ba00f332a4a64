"""What was deleted goes from every file of a state server, or the answer says where it remains."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
import redis

from service.deletion_report import deletion
from service.feedback_state import FeedbackState
from service.reader_deletion import delete_reader
from service.state_files import FileRewrite, Rewritten, rewrite_files
from service.tombstones import Tombstones
from service.valkey import program
from tests.feedback.oracle import stored
from tests.feedback.test_state_deletion import READER, found_in
from tests.servers import DURABLE, SystemRedis
from tests.support import PATIENCE_SECONDS, require_tool, wait_until

DONE, LATER, FAILED, FORBIDDEN, NO_FILE = FileRewrite
SAVE_POINTS = ("--save", "3600 1", "--rdbcompression", "no")
"""Snapshots as Redis makes them by default, though not while a test runs."""


@pytest.fixture(params=["valkey", "redis"])
def server_program(request: pytest.FixtureRequest) -> str:
    return str(program()) if request.param == "valkey" else require_tool("redis-server")


@asynccontextmanager
async def started(path: str, folder: Path, *options: str) -> AsyncIterator[FeedbackState]:
    """The state on a server of its own that holds an event of the reader."""
    with ExitStack() as stack:
        server = stack.enter_context(SystemRedis(path, folder, *options))
        state = FeedbackState(server.url, allow_unsafe=True, timeout_seconds=PATIENCE_SECONDS)
        await state.append([stored(READER, "e")])
        yield state
        await state.close()


async def deleted(state: FeedbackState, folder: Path) -> Rewritten:
    """What became of the server's files when the reader was deleted."""
    return (await delete_reader(state.client, Tombstones.open(state.client, folder), READER)).files


def snapshot(url: str) -> None:
    """Have the server make one now."""
    with redis.Redis.from_url(url) as client:
        client.save()


def traces(files: Rewritten) -> tuple[list[str], list[str]]:
    """Which files the answer names: gone, and remaining."""
    answer = deletion(1, files, [])
    names = {"append-only-file", "snapshot"}
    gone, remaining = (
        [each.name for each in place if each.name in names]
        for place in (answer.gone, answer.remaining)
    )
    return gone, remaining


async def test_a_snapshot_is_made_anew(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *DURABLE, *SAVE_POINTS) as state:
        snapshot(state.url)
        assert READER.encode() in (tmp_path / "dump.rdb").read_bytes()
        files = await deleted(state, tmp_path)
        assert files == Rewritten(DONE, DONE)
        assert READER.encode() not in (tmp_path / "dump.rdb").read_bytes()
        wait_until(lambda: not found_in(tmp_path), "the server has removed its old files")
    assert traces(files) == (["append-only-file", "snapshot"], [])


async def test_so_is_one_that_was_asked_for(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *DURABLE) as state:
        assert await deleted(state, tmp_path) == Rewritten(DONE, NO_FILE)
        assert not (tmp_path / "dump.rdb").exists(), "a server without save points makes none"
        await state.append([stored(READER, "e2")])
        snapshot(state.url)
        assert await deleted(state, tmp_path) == Rewritten(DONE, DONE)
        wait_until(lambda: not found_in(tmp_path), "the server has removed its old files")


async def test_a_server_with_snapshots_alone(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *SAVE_POINTS) as state:
        snapshot(state.url)
        files = await deleted(state, tmp_path)
        assert files == Rewritten(NO_FILE, DONE)
        assert not found_in(tmp_path)
    assert traces(files) == (["snapshot"], [])


async def test_two_deletions_at_once_both_wait_for_both_files(
    server_program: str, tmp_path: Path
) -> None:
    async with started(server_program, tmp_path, *DURABLE, *SAVE_POINTS) as state:
        tombstones = Tombstones.open(state.client, tmp_path)
        await state.append([stored("another", "e")])
        done = await asyncio.gather(
            *(delete_reader(state.client, tombstones, reader) for reader in (READER, "another"))
        )
        assert {each.files for each in done} == {Rewritten(DONE, DONE)}
        wait_until(lambda: not found_in(tmp_path), "the server has removed its old files")


async def test_who_asks_at_the_same_time_shares_it(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *DURABLE, *SAVE_POINTS) as state:
        before = await state.client.info("persistence")
        await asyncio.gather(*(state.client.ping() for _ in range(50)))  # all connections stand
        asked = (rewrite_files(state.client, PATIENCE_SECONDS) for _ in range(50))
        assert set(await asyncio.gather(*asked)) == {Rewritten(DONE, DONE)}
        after = await state.client.info("persistence")
    for begun in ("aof_rewrites", "rdb_saves"):
        assert 1 <= after[begun] - before[begun] <= 3, "others for those who came meanwhile"


async def test_a_managed_server_that_forbids_it(server_program: str, tmp_path: Path) -> None:
    forbidden = [("--rename-command", each, "") for each in ("BGREWRITEAOF", "BGSAVE", "CONFIG")]
    options = (*DURABLE, *(option for each in forbidden for option in each))
    async with started(server_program, tmp_path, *options) as state:
        files = await deleted(state, tmp_path)
    assert files == Rewritten(FORBIDDEN, FORBIDDEN)
    assert traces(files) == ([], ["append-only-file", "snapshot"])


async def test_a_user_who_may_not_ask(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *DURABLE) as state:
        await state.client.acl_setuser(
            "default", enabled=True, commands=["-bgrewriteaof", "-config"]
        )
        assert await deleted(state, tmp_path) == Rewritten(FORBIDDEN, DONE)


async def test_a_server_that_cannot_is_none_that_forbids(
    server_program: str, tmp_path: Path
) -> None:
    async with started(server_program, tmp_path, *DURABLE, *SAVE_POINTS) as state:
        files = tmp_path / "appendonlydir"
        files.rename(tmp_path / "moved")
        files.write_bytes(b"")  # no folder: it can write no new file there
        (tmp_path / "dump.rdb").mkdir()
        rewritten = await deleted(state, tmp_path)
    assert rewritten == Rewritten(FAILED, FAILED)
    assert traces(rewritten) == ([], ["append-only-file", "snapshot"])


async def test_patience_ends(server_program: str, tmp_path: Path) -> None:
    async with started(server_program, tmp_path, *DURABLE, *SAVE_POINTS) as state:
        files = await rewrite_files(state.client, -1)
    assert files == Rewritten(LATER, LATER)
    assert traces(files) == ([], ["append-only-file", "snapshot"])
