"""A deleted reader is gone: from answers at once, and from every file of the state server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from service.embedded import Role, attach
from service.feedback_log import START, FeedbackLog
from service.feedback_scripts import ERASE
from service.feedback_state import FeedbackState, History, Outcome, run_scripts
from service.keys import counts_key, partition_of
from service.reader_deletion import DELETION, Deleted, delete_reader
from service.state_files import FileRewrite, Rewritten, rewrite_files
from service.tombstones import Tombstones
from tests.feedback.oracle import retraction, stored
from tests.feedback.test_state_append import consume
from tests.servers import durable
from tests.support import wait_until

READER = f"reader-{uuid4()}"
PAPER = f"paper-{uuid4()}"
EVENT = f"event-{uuid4()}"
IMPRESSION = f"event-{uuid4()}"
NAMES = (READER, PAPER, EVENT, IMPRESSION)
FILE_DONE = Rewritten(FileRewrite.DONE, FileRewrite.NO_FILE)


@pytest_asyncio.fixture(params=["embedded", "system"])
async def own_state(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[FeedbackState]:
    """A state whose files all lie in the test's folder, not compressed: a search finds all."""
    with ExitStack() as stack:
        if request.param == "embedded":
            url = stack.enter_context(attach(tmp_path, roles=[Role.STATE]))[Role.STATE]
        else:
            url = stack.enter_context(durable(tmp_path)).url
        state = FeedbackState(url)
        await state.client.config_set("rdbcompression", "no")
        yield state
        await state.close()


def found_in(folder: Path) -> set[str]:
    """Which of the names stand anywhere in the files of a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    return {name for name in NAMES if any(name.encode() in each for each in contents)}


async def live(state: FeedbackState) -> None:
    """A life of the reader, among others of the same partition."""
    neighbours = [
        name for name in map("neighbour-{}".format, range(400))
        if partition_of(name) == partition_of(READER)
    ]  # fmt: skip
    for number in range(30):
        await state.append([stored(name, f"e{number}") for name in neighbours])
        await state.append([stored(READER, f"{EVENT}-{number}", "save", PAPER)])
    await state.append([stored(READER, IMPRESSION, "impression", PAPER)])
    await state.append([retraction(READER, "back", f"{EVENT}-3")])
    await state.append([retraction(READER, "early", f"{EVENT}-never")])


async def test_no_byte_of_a_deleted_reader_stays(own_state: FeedbackState, tmp_path: Path) -> None:
    tombstones = Tombstones.open(own_state.client, tmp_path)
    await live(own_state)
    await consume(FeedbackLog(own_state.client), 20)
    await live(own_state)  # replayed: changes nothing
    assert (await rewrite_files(own_state.client, 60)).complete
    assert found_in(tmp_path) == set(NAMES)  # the search would find them, also in a written file

    deleted = await delete_reader(own_state.client, tombstones, READER)

    assert deleted == Deleted(events=32, entries=33, files=FILE_DONE)
    # The counters of a paper name no reader, and stay: it stands nowhere else.
    wait_until(lambda: found_in(tmp_path) == {PAPER}, "the server has removed its old files")
    await own_state.client.delete(counts_key(partition_of(READER)))
    assert (await rewrite_files(own_state.client, 60)).complete
    wait_until(lambda: not found_in(tmp_path), "the server has removed its old files")
    assert await own_state.history(READER) == History("", [])
    assert READER not in {reader async for reader in own_state.readers()}
    neighbour = next(iter([reader async for reader in own_state.readers()]))
    assert len((await own_state.history(neighbour)).events) == 30


async def test_what_was_not_counted_yet_goes_too(own_state: FeedbackState, tmp_path: Path) -> None:
    log, tombstones = FeedbackLog(own_state.client), Tombstones.open(own_state.client, tmp_path)
    await own_state.append([stored(READER, f"e{n}", "save", PAPER) for n in range(10)])
    await own_state.append([stored("another", "e")])
    here = partition_of(READER)
    entries = await log.read(here, START, 4)
    assert await log.advance(here, START, entries)
    held = await log.read(here, entries[-1][0], 3)  # another consumer is about to count these
    await delete_reader(own_state.client, tombstones, READER)
    assert await log.advance(here, entries[-1][0], held)
    await consume(log)
    assert await log.lag() == 0


async def test_a_consumer_at_work_between_two_pages_of_a_deletion(
    own_state: FeedbackState, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, tombstones = FeedbackLog(own_state.client), Tombstones.open(own_state.client, tmp_path)
    await own_state.append([stored(READER, "e1"), stored(READER, "e2", paper="p2")])
    await own_state.append([retraction(READER, "back", "e1")])
    pages = 0

    async def page_then_count(*arguments: Any) -> list[Any]:
        nonlocal pages
        page = await run_scripts(*arguments)
        if arguments[1] is ERASE:
            pages += 1
            await consume(log)
        return page

    monkeypatch.setattr("service.reader_deletion._SCANNED_AT_ONCE", 1)
    monkeypatch.setattr("service.reader_deletion.run_scripts", page_then_count)
    await delete_reader(own_state.client, tombstones, READER)
    assert pages == 3
    # The first to go is the retraction; the consumer then counts the events that are left.
    assert await log.counts("p1") == await log.counts("p2") == {"save": 1}


async def test_followers_of_the_log_learn_of_it(own_state: FeedbackState, tmp_path: Path) -> None:
    log, tombstones = FeedbackLog(own_state.client), Tombstones.open(own_state.client, tmp_path)
    await own_state.append([stored(READER, "e")])
    [end] = [place for place in (await log.ends()).values() if place != START]
    await delete_reader(own_state.client, tombstones, READER)
    [(_, event)] = await log.read(partition_of(READER), end, 10)
    assert (event.reader, event.type, event.id) == ("", DELETION, tombstones.of(READER))
    await consume(log)
    assert await log.counts("") == {}


async def test_a_tombstone_names_its_reader_only_to_who_has_the_key(
    own_state: FeedbackState, tmp_path: Path
) -> None:
    tombstones = Tombstones.open(own_state.client, tmp_path)
    assert not await tombstones.is_deleted(READER)
    await delete_reader(own_state.client, tombstones, READER)  # nobody knew this reader
    assert await tombstones.is_deleted(READER)
    assert not await tombstones.is_deleted("another")
    assert list(await tombstones.all()) == [tombstones.of(READER)]
    assert Tombstones.open(own_state.client, tmp_path).of(READER) == tombstones.of(READER)
    assert Tombstones.open(own_state.client, tmp_path / "other").of(READER) != tombstones.of(READER)
    assert (tmp_path / "tombstones.key").stat().st_mode & 0o077 == 0


async def test_old_events_are_stored_again_only_by_who_brings_no_tombstones(
    own_state: FeedbackState, tmp_path: Path
) -> None:
    tombstones = Tombstones.open(own_state.client, tmp_path)
    old = [stored(READER, "e1"), retraction(READER, "r", "e2"), stored("another", "e")]
    await delete_reader(own_state.client, tombstones, READER)
    deleted_ms = await tombstones.deleted_ms(READER)
    later = [stored(READER, f"e{n}", time_ms=deleted_ms + n) for n in range(2)]
    assert await own_state.append([*old, *later], tombstones.of) == [
        *(Outcome.FORGOTTEN, Outcome.FORGOTTEN, Outcome.ACCEPTED),
        *(Outcome.FORGOTTEN, Outcome.ACCEPTED),  # at the very moment of the deletion, and after it
    ]
    assert [each.id for each in (await own_state.history(READER)).events] == ["e1"]
    assert await own_state.append([stored(READER, "e2")]) == [Outcome.ACCEPTED]
    log = FeedbackLog(own_state.client)
    await consume(log)
    assert await log.counts("p1") == {"save": 3}  # no retraction is left that would undo e2


async def test_new_events_of_a_deleted_reader_begin_a_new_history(
    own_state: FeedbackState, tmp_path: Path
) -> None:
    tombstones = Tombstones.open(own_state.client, tmp_path)
    await own_state.append([stored(READER, "e1"), stored(READER, "e2")])
    await own_state.append([retraction(READER, "r", "e3")])
    before = await own_state.revision(READER)
    await delete_reader(own_state.client, tombstones, READER)
    again = [stored(READER, "e1"), stored(READER, "e3")]
    assert await own_state.append(again) == [Outcome.ACCEPTED] * 2
    revision, events = await own_state.history(READER)
    assert {event.id for event in events} == {"e1", "e3"}
    assert revision != before
    log = FeedbackLog(own_state.client)
    await consume(log)
    assert await log.counts("p1") == {"save": 2}


async def test_events_that_come_during_a_deletion_are_kept_or_deleted_whole(
    own_state: FeedbackState, tmp_path: Path
) -> None:
    tombstones, log = Tombstones.open(own_state.client, tmp_path), FeedbackLog(own_state.client)
    writing = asyncio.gather(
        *(own_state.append([stored(READER, f"e{n}", paper=f"p{n}")]) for n in range(200))
    )
    await delete_reader(own_state.client, tombstones, READER)
    await writing
    entries = await log.read(partition_of(READER), START, 1_000)
    logged = {event.id for _, event in entries if event.reader == READER}
    assert logged == {event.id for event in (await own_state.history(READER)).events}
    await consume(log, 50)


async def test_two_deletions_at_once_both_wait_for_their_own_rewrite(
    own_state: FeedbackState, tmp_path: Path
) -> None:
    tombstones = Tombstones.open(own_state.client, tmp_path)
    await live(own_state)
    done = await asyncio.gather(
        delete_reader(own_state.client, tombstones, READER),
        delete_reader(own_state.client, tombstones, "neighbour-1"),
    )
    assert {each.files for each in done} == {FILE_DONE}
    wait_until(lambda: not found_in(tmp_path), "the server has removed its old files")


async def test_a_server_without_a_file(system_redis: str, tmp_path: Path) -> None:
    state = FeedbackState(system_redis, allow_unsafe=True)
    await state.client.flushall()
    await state.append([stored(READER, "e")])
    deleted = await delete_reader(state.client, Tombstones.open(state.client, tmp_path), READER)
    assert deleted == Deleted(1, 1, Rewritten(FileRewrite.NO_FILE, FileRewrite.NO_FILE))
    await state.close()
