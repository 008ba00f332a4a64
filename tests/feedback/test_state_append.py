"""The state accepts each event once, whatever order and however often it comes."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from models.interactions import Event, library
from service.errors import Reason, ServiceError
from service.events import StoredEvent
from service.feedback_log import START, FeedbackLog
from service.feedback_state import FeedbackState, History, Outcome
from service.keys import PARTITIONS, STATE_FORMAT, STATE_FORMAT_KEY
from service.state_digest import StateDigest, state_digest
from tests.feedback.oracle import NOW_MS, Oracle, retraction, stored
from tests.servers import DURABLE, SystemRedis
from tests.support import require_tool

ACCEPTED, DUPLICATE, REUSED, _ = Outcome
TYPES = ["impression", "click", "save", "unsave", "hide", "retract"]


async def consume(log: FeedbackLog, count: int = 7) -> None:
    """Count all that is in the logs."""
    for partition in range(PARTITIONS):
        after = await log.cursor(partition)
        while entries := await log.read(partition, after, count):
            assert await log.advance(partition, after, entries)
            after = entries[-1][0]
    assert await log.lag() == 0


async def counters(log: FeedbackLog) -> dict[tuple[str, str], int]:
    """By paper and type."""
    return {
        (paper, kind): count
        for paper in ("p1", "p2")
        for kind, count in (await log.counts(paper)).items()
    }


async def digest_of(state: FeedbackState, batches: Sequence[Sequence[StoredEvent]]) -> StateDigest:
    """The digest of a state that began empty and got these batches, all at once."""
    await state.client.flushall()
    await asyncio.gather(*(state.append(batch) for batch in batches))
    await consume(FeedbackLog(state.client))
    return await state_digest(state)


@st.composite
def _event(draw: st.DrawFn) -> StoredEvent:
    kind = draw(st.sampled_from(TYPES))
    event_id = st.sampled_from(["e1", "e2", "e3", "e4", "", "+", "é"]).filter(bool)
    return stored(
        draw(st.sampled_from(["ann", "bob", "{0}:*"])),
        draw(event_id),
        kind,
        "" if kind == "retract" else draw(st.sampled_from(["p1", "p2"])),
        retracts=draw(event_id) if kind == "retract" else "",
        time_ms=NOW_MS - draw(st.integers(0, 3)),
        value=draw(st.sampled_from([1.0, 0.5])),
    )


slowly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slowly
@given(batches=st.lists(st.lists(_event(), max_size=8), max_size=5))
async def test_each_outcome_history_and_counter_is_the_oracles(
    state: FeedbackState, batches: list[list[StoredEvent]]
) -> None:
    await state.client.flushall()
    oracle, log = Oracle(), FeedbackLog(state.client)
    for batch in batches:
        assert await state.append(batch) == [oracle.append(event) for event in batch]
    await consume(log)
    readers = {reader async for reader in state.readers()}
    histories = {reader: set((await state.history(reader)).events) for reader in readers}
    assert histories == oracle.histories()
    assert await counters(log) == oracle.counts()


@st.composite
def _life(draw: st.DrawFn) -> list[list[StoredEvent]]:
    """Batches of different events and of many retractions, which name events that came before them,
    come after them and never come."""
    said = draw(
        st.permutations([("save", n) for n in range(6)] + [("retract", n) for n in range(9)])
    )
    events = []
    for kind, number in said:
        reader, target = draw(st.sampled_from(["ann", "bob"])), draw(st.integers(0, 8))
        if kind == "retract":
            events.append(
                retraction(reader, f"r{number}", draw(st.sampled_from("er")) + str(target))
            )
        else:
            events.append(stored(reader, f"e{number}", kind, f"p{number % 2 + 1}"))
    cuts = sorted(draw(st.sets(st.integers(1, len(events) - 1), max_size=4)))
    return [events[a:b] for a, b in itertools.pairwise([0, *cuts, len(events)])]


@slowly
@given(batches=_life(), forgets=st.lists(st.booleans(), min_size=5, max_size=5))
async def test_retractions_of_what_the_log_holds_or_forgot_and_of_what_never_came(
    state: FeedbackState, batches: list[list[StoredEvent]], forgets: list[bool]
) -> None:
    await state.client.flushall()
    oracle, log = Oracle(), FeedbackLog(state.client)
    for batch, forget in zip(batches, forgets, strict=False):
        assert await state.append(batch) == [oracle.append(event) for event in batch]
        await consume(log)
        if forget:
            await log.trim(0, now=NOW_MS / 1000 + 60 * 86_400)
    assert await counters(log) == oracle.counts()
    for reader, events in oracle.histories().items():
        assert set((await state.history(reader)).events) == events


@slowly
@given(
    events=st.lists(_event(), max_size=20, unique_by=lambda event: (event.reader, event.id)),
    seed=st.integers(0, 2**32),
)
async def test_replays_shuffles_and_concurrent_duplicates_give_the_same_digest(
    state: FeedbackState, events: list[StoredEvent], seed: int
) -> None:
    clean = await digest_of(state, [[event] for event in events])
    draw = random.Random(seed)  # noqa: S311
    often = [event for event in events for _ in range(draw.randint(1, 5))]
    draw.shuffle(often)
    batches: list[list[StoredEvent]] = [[] for _ in range(4)]
    for event in often:
        draw.choice(batches).append(event)
    assert await digest_of(state, batches) == clean


async def test_the_digest_tells_states_apart(state: FeedbackState) -> None:
    one = await digest_of(state, [[stored("r", "e")]])
    assert (await digest_of(state, [[stored("r", "e", paper="p2")]])).libraries != one.libraries
    assert (await digest_of(state, [[stored("r", "f")]])).ids != one.ids
    assert (await digest_of(state, [[stored("r", "f")]])).libraries == one.libraries
    impressions = await digest_of(state, [[stored("r", "e", "impression")]])
    assert impressions.counters != one.counters


async def test_an_id_with_another_content_is_refused_and_changes_nothing(
    state: FeedbackState,
) -> None:
    first, other = stored("r", "e"), stored("r", "e", paper="p2")
    assert await state.append([first, other, first]) == [ACCEPTED, REUSED, DUPLICATE]
    before = await state_digest(state)
    assert await state.append([other]) == [REUSED]
    assert await state_digest(state) == before
    assert await state.append([stored("another reader", "e", paper="p2")]) == [ACCEPTED]


async def test_reader_and_id_are_told_apart(state: FeedbackState) -> None:
    events = [stored("ab", "c"), stored("a", "bc"), stored("1:a", "b"), stored("1", ":ab")]
    assert await state.append(events) == [ACCEPTED] * 4


async def test_a_retraction_before_and_after_its_event(state: FeedbackState) -> None:
    log = FeedbackLog(state.client)
    await state.append([stored("after", "e"), stored("after", "seen", "impression", "p2")])
    await state.append([retraction("after", "r1", "e"), retraction("after", "r2", "seen")])
    await state.append([retraction("before", "r1", "e"), retraction("before", "r2", "seen")])
    await state.append([stored("before", "e"), stored("before", "seen", "impression", "p2")])
    for reader in ("after", "before"):
        assert library((await state.history(reader)).events) == {}
    await consume(log)
    assert await log.counts("p1") == await log.counts("p2") == {}


async def test_a_retraction_concerns_its_own_reader_alone(state: FeedbackState) -> None:
    log = FeedbackLog(state.client)
    await state.append([stored("ann", "e"), retraction("bob", "r", "e")])
    await consume(log)
    assert await log.counts("p1") == {"save": 1}
    assert library((await state.history("ann")).events) == {"p1": 1.0}


async def test_an_event_older_than_the_log_can_be_retracted(state: FeedbackState) -> None:
    log = FeedbackLog(state.client)
    await state.append([stored("r", "e"), stored("r", "f", paper="p2")])
    await consume(log)
    assert await log.trim(0, now=NOW_MS / 1000 + 60 * 86_400) == 2
    await state.append([retraction("r", "back", "e")])
    await consume(log)
    assert await log.counts("p1") == {}
    assert await log.counts("p2") == {"save": 1}
    assert library((await state.history("r")).events) == {"p2": 1.0}


async def test_many_retractions_read_a_history_once(state: FeedbackState) -> None:
    log = FeedbackLog(state.client)
    await state.append([stored("r", f"e{number}") for number in range(1_000)])
    await consume(log, 1_000)
    await log.trim(0, now=NOW_MS / 1000 + 60 * 86_400)
    await state.client.config_resetstat()
    back = [retraction("r", f"back {number}", f"e{number}") for number in range(0, 1_000, 4)]
    unknown = [retraction("r", f"of none {number}", f"none {number}") for number in range(750)]
    assert await state.append([*back, *unknown]) == [ACCEPTED] * 1_000
    assert (await state.client.info("commandstats"))["cmdstat_lrange"]["calls"] == 1
    await consume(log, 1_000)
    assert await log.counts("p1") == {"save": 750}


async def test_a_history_is_whole_and_its_revision_moves(state: FeedbackState) -> None:
    assert await state.revision("r") == ""
    assert await state.history("r") == History("", [])
    revisions = [""]
    for number in range(300):
        await state.append([stored("r", f"e{number}", paper=f"p{number}", value=0.5)])
        revisions.append(await state.revision("r"))
    assert len(set(revisions)) == 301
    revision, events = await state.history("r")
    assert revision == revisions[-1]
    assert set(events) == {
        Event(f"e{number}", NOW_MS, "save", f"p{number}", 0.5) for number in range(300)
    }


async def test_an_impression_is_in_the_log_and_in_no_history(state: FeedbackState) -> None:
    await state.append([stored("r", "e", "impression")])
    assert await state.history("r") == History("", [])
    assert [reader async for reader in state.readers()] == []
    assert await FeedbackLog(state.client).lag() == 1


async def test_everything_comes_back_from_the_log(state: FeedbackState) -> None:
    full = StoredEvent(
        *("r\u00e9ader {7} *?", "id", NOW_MS, NOW_MS + 1, "read", "p:\t1", 0.25, "", "token"),
        *("list", 3, "origin", b"0123456789ab"),
    )
    await state.append([full, stored("plain", "id")])
    log = FeedbackLog(state.client)
    found = [e for n in range(PARTITIONS) for _, e in await log.read(n, START, 10)]
    plain = stored("plain", "id")._replace(content=b"")
    assert sorted(found) == sorted([full._replace(content=b""), plain])
    assert {reader async for reader in state.readers()} == {full.reader, "plain"}


async def test_more_than_one_script_takes_at_once(state: FeedbackState) -> None:
    events = [stored("r", f"e{number}") for number in range(2_500)]
    assert await state.append([*events, *events]) == [ACCEPTED] * 2_500 + [DUPLICATE] * 2_500
    assert len((await state.history("r")).events) == 2_500


async def test_a_state_server_that_is_away(state_server: SystemRedis) -> None:
    state = FeedbackState(state_server.url, timeout_seconds=5)
    await state.append([stored("r", "e1")])
    state_server.stop()
    for call in (state.append([stored("r", "e2")]), state.history("r"), state.revision("r")):
        with pytest.raises(ServiceError) as caught:
            await call
        assert caught.value.reason is Reason.STATE_AWAY
    state_server.start()  # it has forgotten the scripts, and nothing else
    assert await state.append([stored("r", "e1"), stored("r", "e2")]) == [DUPLICATE, ACCEPTED]
    await state.close()


async def test_a_server_that_came_back_less_safe_gets_nothing(state_server: SystemRedis) -> None:
    state = FeedbackState(state_server.url)
    careless = FeedbackState(state_server.url, allow_unsafe=True)
    await state.append([stored("r", "e1")])
    state_server.stop()
    with pytest.raises(ServiceError):
        await state.append([stored("r", "e2")])
    state_server.start()
    await state.client.config_set("appendfsync", "everysec")
    with pytest.raises(ServiceError, match="'everysec', not 'always'") as caught:
        await state.append([stored("r", "e2")])
    assert caught.value.reason is Reason.STATE_UNSAFE
    assert len((await state.history("r")).events) == 1
    assert await careless.append([stored("r", "e3")]) == [ACCEPTED]
    await state.client.config_set("appendfsync", "always")
    assert await state.append([stored("r", "e2")]) == [ACCEPTED]
    await state.client.set(STATE_FORMAT_KEY, STATE_FORMAT + 1)
    assert await state.append([stored("r", "e2")]) == [DUPLICATE]  # was checked
    newer = FeedbackState(state_server.url, allow_unsafe=True)
    with pytest.raises(ServiceError, match="written by a newer release"):
        await newer.append([stored("r", "e4")])
    for each in (state, careless, newer):
        await each.close()


async def test_nor_does_one_that_came_back_while_nobody_asked(tmp_path: Path) -> None:
    program = require_tool("redis-server")
    with SystemRedis(program, tmp_path, *DURABLE) as server:
        state = FeedbackState(server.url)
        assert await state.append([stored("r", "e1")]) == [ACCEPTED]
    with SystemRedis(program, tmp_path, "--maxmemory-policy", "allkeys-lru"):
        await _ended(state)
        for _ in range(2):
            with pytest.raises(ServiceError, match=r"no append-only file.*evicts") as caught:
                await state.append([stored("r", "e2")])
            assert caught.value.reason is Reason.STATE_UNSAFE
        await state.history("r")  # who reads is not held up
    with SystemRedis(program, tmp_path, *DURABLE):
        await _ended(state)
        assert await state.append([stored("r", "e1"), stored("r", "e2")]) == [DUPLICATE, ACCEPTED]
        before = await _checks(state)
        assert await state.append([stored("r", "e3")]) == [ACCEPTED]
        assert await _checks(state) == before, "no write waits for a check of what is known"
    await state.close()


async def _ended(state: FeedbackState) -> None:
    """Returns when an idle connection of the state has seen the end of a server that was killed: it
    came before the answer of the next one."""
    async with Redis.from_url(state.url) as another:
        await another.ping()


async def _checks(state: FeedbackState) -> int:
    """How often the server was asked how it syncs its file."""
    return int((await state.client.info("commandstats"))["cmdstat_config|get"]["calls"])


async def test_a_full_server_refuses_and_keeps_what_it_has(state_server: SystemRedis) -> None:
    state = FeedbackState(state_server.url)
    await state.append([stored("r", "e1")])
    await state.client.config_set("maxmemory", 1)
    with pytest.raises(ServiceError, match="maxmemory"):
        await state.append([stored("r", "e2"), stored("q", "e2")])
    await state.client.config_set("maxmemory", 0)
    assert await state.append([stored("r", "e1"), stored("r", "e2")]) == [DUPLICATE, ACCEPTED]
    await state.close()
