"""Subscriptions on a real state server: each change upon what was read, and nothing left over."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from service.digest.ledger import Ledger, Undecided, Wanted, paper_print
from service.digest.lifecycle import Lifecycle, Wishes
from service.digest.links import CONFIRM_MS
from service.digest.outbox import LEASE_MS, Notice, Outbox, Waiting
from service.digest.schedule import next_due
from service.digest.store import ENDED_MS, SUPPRESSED_MS, Held, Subscriptions
from service.digest.store_scripts import SWEPT_AT_ONCE
from service.digest.subscriptions import (
    Content,
    ContentKind,
    Frequency,
    Status,
    Subscription,
    next_revision,
    pack,
    subscription_id,
    unpack,
)
from service.errors import Reason, ServiceError
from service.keys import (
    digest_going_key,
    digest_outbox_key,
    digest_partition,
    digest_pending_key,
    subscription_key,
)
from tests.digest.subscribers import DUE_MS, KEY, TRENDING, subscription

NOBODY = Held(None, b"")
ADA = "ada@papers.example"
ID = subscription_id(KEY, ADA)
WISHES = Wishes("UTC", Frequency.DAILY, 0, 7, TRENDING)
FUTURE_MS = 4_102_444_800_000
"""2100: what is kept until some days later is not gone when a test looks."""


@pytest.fixture
def store(client: Redis) -> Subscriptions:
    return Subscriptions(client)


@pytest.fixture
def lifecycle(store: Subscriptions) -> Lifecycle:
    return Lifecycle(store)


_TEXTS = st.text(max_size=50)
_CONTENTS = st.builds(
    Content,
    kind=st.sampled_from(ContentKind),
    window=_TEXTS,
    query=_TEXTS,
    paper_ids=st.lists(_TEXTS, max_size=5).map(tuple),
    reader_id=_TEXTS,
)
_NUMBERS = st.integers(0, 2**53)
_SUBSCRIPTIONS = st.builds(
    Subscription,
    id=_TEXTS,
    address=_TEXTS,
    time_zone=_TEXTS,
    frequency=st.sampled_from(Frequency),
    weekday=st.integers(0, 7),
    hour=st.integers(0, 23),
    content=_CONTENTS,
    status=st.sampled_from(Status),
    created_ms=_NUMBERS,
    confirmed_ms=_NUMBERS,
    revision=_NUMBERS,
    refusal=_TEXTS,
)


@given(_SUBSCRIPTIONS)
def test_what_is_kept_is_read_again(kept: Subscription) -> None:
    assert unpack(pack(kept)) == kept


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_revision_never_comes_again(before: int, now_ms: int) -> None:
    assert next_revision(before, now_ms) > before
    assert next_revision(before, now_ms) >= now_ms


def test_one_mailbox_has_one_id_and_it_says_nothing_without_the_key() -> None:
    assert subscription_id(KEY, "Ada@papers.example") == ID
    assert subscription_id(KEY, "ada+x@papers.example") != ID
    assert subscription_id(bytes(32), ADA) != ID


async def asked(lifecycle: Lifecycle, store: Subscriptions, now_ms: int = FUTURE_MS) -> int:
    """Ask for Ada's digest; the revision of the request, or of a later one."""
    assert await lifecycle.subscribe(ID, ADA, WISHES, now_ms)
    found = await store.latest_request(ID)
    assert found
    return found.revision


async def test_only_an_active_one_is_due(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    revision = await asked(lifecycle, store)
    assert await store.get(ID) is None
    assert await store.next_due_ms(ID) is None
    confirmed = await lifecycle.confirm(ID, revision, FUTURE_MS)
    assert await store.next_due_ms(ID) == next_due(confirmed, FUTURE_MS)
    later = await lifecycle.change(ID, replace(WISHES, hour=23), FUTURE_MS)
    assert await store.next_due_ms(ID) == next_due(later, FUTURE_MS)
    await lifecycle.suppress(ID, "550 nobody here", FUTURE_MS)
    assert await store.next_due_ms(ID) is None
    found = await store.get(ID)
    assert found
    assert (found.status, found.refusal) == (Status.SUPPRESSED, "550 nobody here")
    assert not await lifecycle.subscribe(ID, ADA, WISHES, FUTURE_MS)  # no mail goes there
    again = await lifecycle.change(ID, WISHES, FUTURE_MS)
    assert (again.status, again.refusal) == (Status.ACTIVE, "")
    await lifecycle.end(ID, FUTURE_MS)
    assert await store.next_due_ms(ID) is None
    await lifecycle.suppress(ID, "550", FUTURE_MS)  # who left has left
    found = await store.get(ID)
    assert found
    assert found.status is Status.ENDED
    assert await client.ttl(subscription_key(ID)) > 0


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.SUPPRESSED, Status.ENDED])
async def test_how_long_each_is_kept(client: Redis, store: Subscriptions, status: Status) -> None:
    kept_ms = {
        Status.ACTIVE: -1,
        Status.SUPPRESSED: SUPPRESSED_MS,
        Status.ENDED: ENDED_MS,
    }[status]
    assert await store.write(NOBODY, subscription(ADA, status=status), FUTURE_MS)
    until = await client.pexpiretime(subscription_key(ID))
    assert until == (-1 if kept_ms < 0 else FUTURE_MS + kept_ms)


async def test_what_is_not_active_goes_with_all_that_is_kept_of_it(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    ada = subscription(ADA)
    await store.write(NOBODY, ada, DUE_MS - 1)
    ledger = Ledger(client, lease_ms=60_000, undecided=Undecided.SKIP)
    partition = digest_partition(ID)
    [claim] = await ledger.claim(partition, [Wanted(ID, DUE_MS, DUE_MS + 1, DUE_MS)])
    assert await ledger.handing_over(claim, "<1@papers.example>", [paper_print("paper")])
    assert await ledger.sent(claim)
    await lifecycle.end(ID, FUTURE_MS)
    before = set(await client.keys(f"*{ID}*"))
    assert len(before) > 1
    await store.sweep(FUTURE_MS + ENDED_MS - 1)
    assert set(await client.keys(f"*{ID}*")) == before
    await store.sweep(FUTURE_MS + ENDED_MS)
    assert not await client.keys(f"*{ID}*")
    for key in await client.keys("rp:{digest:*"):
        assert ID.encode() not in (await client.dump(key) or b""), key


async def test_all_of_them_go_and_nobody_else(client: Redis, store: Subscriptions) -> None:
    """However many there are in one partition; a request for another waits on."""
    many = [
        subscription(ADA, id=ID[:8] + f"{number:024x}", status=Status.ENDED)
        for number in range(SWEPT_AT_ONCE * 2 + 1)
    ]
    active = replace(many[0], status=Status.ACTIVE)
    ben = subscription("ben@papers.example")
    for each in (active, *many[1:], ben):
        assert await store.write(NOBODY, each, FUTURE_MS)
    request = replace(many[1], status=Status.PENDING)
    assert await store.ask(await store.read(request.id), request, FUTURE_MS)
    await store.sweep(FUTURE_MS + ENDED_MS)
    left = await client.keys("rp:{digest:*:subscription:*")
    assert set(left) == {subscription_key(each.id).encode() for each in (active, ben)}
    assert await store.request(request.id, request.revision) == request
    assert await client.zcard(digest_going_key(digest_partition(ID))) == 0


async def test_erasing_leaves_nothing(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    await store.write(NOBODY, subscription(ADA), DUE_MS - 1)
    assert await store.erase(ID)
    assert not await client.keys("*")
    assert not await store.erase(ID)
    await asked(lifecycle, store)
    assert await store.erase(ID)
    assert await client.keys("*") == [digest_outbox_key(digest_partition(ID)).encode()]
    await client.flushall()
    for call in (
        lifecycle.confirm(ID, 1, FUTURE_MS),
        lifecycle.change(ID, WISHES, FUTURE_MS),
    ):
        with pytest.raises(ServiceError) as caught:
            await call
        assert caught.value.reason is Reason.SUBSCRIPTION_NOT_FOUND
    await lifecycle.end(ID, FUTURE_MS)
    await lifecycle.suppress(ID, "550", FUTURE_MS)
    assert not await client.keys("*")


async def test_requests_wait_beside_one_another_and_beside_what_has_ended(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    ended = subscription(ADA, status=Status.ENDED)
    assert await store.write(NOBODY, ended, FUTURE_MS)
    goes = await client.pexpiretime(subscription_key(ID))
    for hour in range(3):
        assert await lifecycle.subscribe(ID, ADA, replace(WISHES, hour=hour), FUTURE_MS)
    assert await store.get(ID) == ended
    assert await client.pexpiretime(subscription_key(ID)) == goes
    assert await client.pexpiretime(digest_pending_key(ID)) == FUTURE_MS + CONFIRM_MS
    revisions = sorted(map(int, await client.hkeys(digest_pending_key(ID))))
    named = [await lifecycle.requested(ID, each) for each in revisions]
    assert [(each.status, each.hour) for each in named] == [(Status.PENDING, n) for n in range(3)]
    confirmed = await lifecycle.confirm(ID, revisions[1], FUTURE_MS)
    assert (confirmed.status, confirmed.hour) == (Status.ACTIVE, 1)
    assert confirmed.revision > revisions[1]
    assert not await client.exists(digest_pending_key(ID))
    for each in revisions:  # it has begun, whichever link is used
        assert await lifecycle.confirm(ID, each, FUTURE_MS) == confirmed
        assert await lifecycle.requested(ID, each) == confirmed
    await lifecycle.end(ID, FUTURE_MS)
    for each in revisions:  # and none brings back who left
        with pytest.raises(ServiceError) as caught:
            await lifecycle.confirm(ID, each, FUTURE_MS)
        assert caught.value.reason is Reason.SUBSCRIPTION_NOT_FOUND


async def test_what_has_ended_is_taken_up_again_whoever_asks_meanwhile(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    await store.write(NOBODY, subscription(ADA, status=Status.ENDED), FUTURE_MS)
    revision = await asked(lifecycle, store)
    again = await lifecycle.change(ID, replace(WISHES, hour=22), FUTURE_MS)
    assert (again.status, again.hour) == (Status.ACTIVE, 22)
    assert not await client.exists(digest_pending_key(ID))
    assert await lifecycle.confirm(ID, revision, FUTURE_MS) == again


async def test_a_request_goes_by_itself(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    first = await asked(lifecycle, store)
    second = await asked(lifecycle, store, FUTURE_MS + CONFIRM_MS - 1)
    assert await store.request(ID, first)
    third = await asked(lifecycle, store, FUTURE_MS + CONFIRM_MS)
    assert await store.request(ID, first) is None
    assert sorted(map(int, await client.hkeys(digest_pending_key(ID)))) == [second, third]


async def test_a_request_that_was_erased_meanwhile_begins_nothing(store: Subscriptions) -> None:
    request = subscription(ADA, status=Status.PENDING)
    assert await store.ask(NOBODY, request, FUTURE_MS)
    held = await store.read(ID)
    await store.erase(ID)
    assert not await store.write(held, replace(request, status=Status.ACTIVE), FUTURE_MS, request)
    assert await store.get(ID) is None


async def test_a_mailbox_that_refuses_what_it_did_not_ask_for_gets_no_more(
    store: Subscriptions, lifecycle: Lifecycle
) -> None:
    revision = await asked(lifecycle, store)
    await lifecycle.suppress(ID, "550 nobody here", FUTURE_MS)
    assert not await lifecycle.subscribe(ID, ADA, WISHES, FUTURE_MS)
    assert (await lifecycle.requested(ID, revision)).status is Status.SUPPRESSED
    confirmed = await lifecycle.confirm(ID, revision, FUTURE_MS)  # it takes mail after all
    assert (confirmed.status, confirmed.refusal) == (Status.ACTIVE, "")
    assert confirmed.confirmed_ms == FUTURE_MS


async def test_a_change_of_what_was_not_read_does_nothing(store: Subscriptions) -> None:
    ada = subscription(ADA)
    assert await store.write(NOBODY, ada, DUE_MS)
    assert not await store.write(NOBODY, replace(ada, hour=1), DUE_MS)
    held = await store.read(ID)
    assert await store.write(held, replace(ada, hour=2), DUE_MS)
    assert not await store.write(held, replace(ada, hour=3), DUE_MS)
    assert await store.get(ID) == replace(ada, hour=2)
    assert await store.many([ID, "ab" * 16]) == [replace(ada, hour=2), None]


async def test_changes_at_once_are_made_one_upon_the_other(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    revisions = await asyncio.gather(*(asked(lifecycle, store) for _ in range(20)))
    last = max(revisions)
    assert await client.hlen(digest_pending_key(ID)) == 20
    confirmed = await asyncio.gather(
        *(lifecycle.confirm(ID, last, FUTURE_MS) for _ in range(20)),
        *(lifecycle.end(ID, FUTURE_MS) for _ in range(2)),
        return_exceptions=True,
    )
    assert any(isinstance(each, Subscription) for each in confirmed)
    hours = range(24)
    changed = await asyncio.gather(
        *(lifecycle.change(ID, replace(WISHES, hour=hour), FUTURE_MS) for hour in hours)
    )
    assert len({each.revision for each in changed}) == 24
    assert await store.get(ID) == max(changed, key=lambda each: each.revision)


async def test_a_notice_is_taken_by_one_and_again_when_that_one_is_lost(
    client: Redis, store: Subscriptions, lifecycle: Lifecycle
) -> None:
    outbox, partition = Outbox(client), digest_partition(ID)
    revision = await asked(lifecycle, store)
    wanted = Waiting(ID, Notice.CONFIRM, revision)
    assert not await outbox.waits(FUTURE_MS - 1)
    assert await outbox.waits(FUTURE_MS)
    taken = await asyncio.gather(*(outbox.take(partition, FUTURE_MS) for _ in range(5)))
    assert sorted(taken, key=len) == [[]] * 4 + [[wanted]]
    assert await outbox.take(partition, FUTURE_MS + LEASE_MS - 1) == []
    assert await outbox.take(partition, FUTURE_MS + LEASE_MS) == [wanted]
    await outbox.later(wanted, FUTURE_MS + 2 * LEASE_MS)
    assert await outbox.take(partition, FUTURE_MS + 2 * LEASE_MS - 1) == []
    await outbox.done(wanted)
    await outbox.later(wanted, 0)  # it does not come back
    assert not await outbox.waits(2 * FUTURE_MS)
