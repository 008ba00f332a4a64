"""DigestService end to end: what changes a subscription, and who is told of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from relatedpapers.v1 import digest_service_pb2 as pb
from service.digest.limits import MAX_NOTICES
from service.digest.links import Tokens
from service.digest.subscriptions import subscription_id
from service.errors import Reason
from service.settings import Settings
from tests.digest.client import (
    ADA,
    CONFIRM,
    ERASE,
    GET,
    LEAVE,
    SUBSCRIBE,
    UPDATE,
    Service,
    now_ms,
    preferences,
    subscribing,
)
from tests.digest.mailboxes import links, mails
from tests.serving import Running
from tests.web.http import query
from tests.web.wires import WIRES


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != "connect-get"])
async def test_the_life_of_a_subscription(running: Running, settings: Settings, wire: str) -> None:
    service = Service(running, settings, wire)
    weekly: dict[str, Any] = {"frequency": pb.DIGEST_FREQUENCY_WEEKLY, "weekday": pb.WEEKDAY_FRIDAY}
    assert await service.ask(SUBSCRIBE, subscribing(**weekly)) == pb.SubscribeResponse()
    token = (await service.mail())["confirm"].token

    pending = await service.ask(GET, pb.GetSubscriptionRequest(token=token))
    assert pending.subscription.status == pb.SUBSCRIPTION_STATUS_PENDING
    assert pending.subscription.address == ADA
    assert pending.subscription.preferences == preferences(**weekly)
    assert not pending.subscription.HasField("confirm_time")
    assert not pending.subscription.HasField("next_time")

    confirmed = await service.ask(CONFIRM, pb.ConfirmSubscriptionRequest(token=token))
    assert confirmed.subscription.status == pb.SUBSCRIPTION_STATUS_ACTIVE
    assert confirmed.subscription.next_time.ToMilliseconds() > now_ms()
    manage = confirmed.manage_token
    again = await service.ask(CONFIRM, pb.ConfirmSubscriptionRequest(token=token))
    assert again.subscription == confirmed.subscription  # a second time changes nothing

    chosen = preferences(content=pb.DigestContent(search_query="graph"), time_zone="Asia/Tokyo")
    update = pb.UpdateSubscriptionRequest(token=manage, preferences=chosen)
    changed = (await service.ask(UPDATE, update)).subscription
    chosen.frequency = pb.DIGEST_FREQUENCY_DAILY  # the default, as it is then
    assert changed.preferences == chosen
    found = await service.ask(GET, pb.GetSubscriptionRequest(token=manage))
    assert found.subscription == changed

    assert await service.ask(LEAVE, pb.UnsubscribeRequest(token=manage)) == pb.UnsubscribeResponse()
    ended = (await service.ask(GET, pb.GetSubscriptionRequest(token=manage))).subscription
    assert ended.status == pb.SUBSCRIPTION_STATUS_ENDED
    assert not ended.HasField("next_time")
    assert (await service.ask(UPDATE, update)).subscription == changed  # taken up again

    erased = await service.ask(ERASE, pb.EraseSubscriptionRequest(token=manage))
    assert erased.file_rewritten
    gone = await service.refused(GET, pb.GetSubscriptionRequest(token=manage))
    assert gone.reason == Reason.SUBSCRIPTION_NOT_FOUND
    again = await service.ask(ERASE, pb.EraseSubscriptionRequest(token=manage))
    assert again == pb.EraseSubscriptionResponse()


@pytest.mark.parametrize("headers", [{}, {"x-api-key": "whatever"}])
async def test_what_a_token_gets_is_kept_by_nobody(
    running: Running, settings: Settings, headers: Mapping[str, str]
) -> None:
    token = await Service(running, settings).subscribed()
    service = Service(running, settings, "connect-get")
    wire: Any = service._wire
    answer = await wire._http.get(query(GET, pb.GetSubscriptionRequest(token=token)), headers)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert "etag" not in answer.headers


async def test_subscribing_twice_makes_one_subscription_and_only_the_mailbox_knows(
    service: Service, state_url: str
) -> None:
    manage = await service.subscribed()
    other = subscribing("Ada@PAPERS.example", hour=23, time_zone="UTC")
    assert await service.ask(SUBSCRIBE, other) == pb.SubscribeResponse()
    found = await service.mail(2)
    assert "confirm" not in found
    kept = (await service.ask(GET, pb.GetSubscriptionRequest(token=manage))).subscription
    assert kept.preferences == preferences(frequency=pb.DIGEST_FREQUENCY_DAILY)  # as it was
    same = await service.ask(GET, pb.GetSubscriptionRequest(token=found["manage"].token))
    assert same.subscription == kept
    async with Redis.from_url(state_url) as client:
        assert len(await client.keys("rp:{digest:*:subscription:*")) == 1


async def test_each_request_has_a_link_of_its_own(service: Service) -> None:
    """Whoever else asks for the same mailbox: what its owner asked for can be confirmed."""
    found: dict[int, str] = {}
    for hour in range(MAX_NOTICES):
        await service.ask(SUBSCRIBE, subscribing(hour=hour))
        await service.mail(hour + 1)
        sent = {links(mail)["confirm"].token for mail in mails(service.data, ADA)}
        [found[hour]] = sent - set(found.values())
    for hour, token in found.items():
        named = await service.ask(GET, pb.GetSubscriptionRequest(token=token))
        assert named.subscription.status == pb.SUBSCRIPTION_STATUS_PENDING
        assert named.subscription.preferences.hour == hour
    confirm = pb.ConfirmSubscriptionRequest(token=found[1])
    confirmed = await service.ask(CONFIRM, confirm)
    assert confirmed.subscription.preferences.hour == 1
    for token in found.values():
        again = await service.ask(CONFIRM, pb.ConfirmSubscriptionRequest(token=token))
        assert again.subscription == confirmed.subscription


async def test_a_request_of_a_stranger_changes_nothing_of_what_has_ended(service: Service) -> None:
    manage = await service.subscribed(hour=5)
    await service.ask(LEAVE, pb.UnsubscribeRequest(token=manage))
    wanted = pb.GetSubscriptionRequest(token=manage)
    ended = await service.ask(GET, wanted)
    assert await service.ask(SUBSCRIBE, subscribing(hour=23)) == pb.SubscribeResponse()
    assert "confirm" in await service.mail(2)
    assert await service.ask(GET, wanted) == ended
    update = pb.UpdateSubscriptionRequest(token=manage, preferences=ended.subscription.preferences)
    again = (await service.ask(UPDATE, update)).subscription
    assert again.status == pb.SUBSCRIPTION_STATUS_ACTIVE
    assert again.preferences.hour == 5


async def test_a_link_to_confirm_does_not_bring_back_who_left(service: Service) -> None:
    await service.ask(SUBSCRIBE, subscribing())
    confirm = pb.ConfirmSubscriptionRequest(token=(await service.mail())["confirm"].token)
    manage = (await service.ask(CONFIRM, confirm)).manage_token
    await service.ask(LEAVE, pb.UnsubscribeRequest(token=manage))
    assert (await service.refused(CONFIRM, confirm)).reason == Reason.SUBSCRIPTION_NOT_FOUND
    await service.ask(SUBSCRIBE, subscribing())
    newer = (await service.mail(2))["confirm"].token
    for method, request in (
        (CONFIRM, confirm),
        (GET, pb.GetSubscriptionRequest(token=confirm.token)),
    ):
        assert (await service.refused(method, request)).reason == Reason.SUBSCRIPTION_NOT_FOUND
    assert await service.ask(CONFIRM, pb.ConfirmSubscriptionRequest(token=newer))


async def test_leaving_needs_the_token_of_a_mail_and_works_for_ever(
    service: Service, tokens: Tokens
) -> None:
    manage = await service.subscribed()
    leave = tokens.leave_token(subscription_id(tokens.key, ADA))
    for token in (leave, leave):  # a second time too
        assert await service.ask(LEAVE, pb.UnsubscribeRequest(token=token)) is not None
    ended = (await service.ask(GET, pb.GetSubscriptionRequest(token=manage))).subscription
    assert ended.status == pb.SUBSCRIPTION_STATUS_ENDED
    nobody = tokens.leave_token("ab" * 16)
    assert await service.ask(LEAVE, pb.UnsubscribeRequest(token=nobody)) == pb.UnsubscribeResponse()
    # It ends, and does nothing else.
    for method, request in (
        (GET, pb.GetSubscriptionRequest(token=leave)),
        (UPDATE, pb.UpdateSubscriptionRequest(token=leave, preferences=preferences())),
        (ERASE, pb.EraseSubscriptionRequest(token=leave)),
        (CONFIRM, pb.ConfirmSubscriptionRequest(token=leave)),
    ):
        assert (await service.refused(method, request)).reason == Reason.DIGEST_TOKEN_INVALID


@pytest.mark.parametrize(
    "content",
    [
        pb.DigestContent(trending_window="month"),
        pb.DigestContent(search_query="“graph coloring” year:2010.."),
        pb.DigestContent(seed_papers=pb.SeedPapers(paper_ids=["graph-05", "no-such"])),
        pb.DigestContent(reader_id="ada"),
    ],
    ids=lambda content: content.WhichOneof("list"),
)
async def test_every_content_is_kept_as_it_was_chosen(
    service: Service, content: pb.DigestContent
) -> None:
    token = await service.subscribed(content=content)
    found = (await service.ask(GET, pb.GetSubscriptionRequest(token=token))).subscription
    assert found.preferences.content == content


async def test_nothing_of_an_erased_subscription_is_left_on_the_disk(
    service: Service, state_url: str
) -> None:
    address = "Erase.Me+please@erasure-proof.example"
    token = await service.subscribed(address)
    erased = await service.ask(ERASE, pb.EraseSubscriptionRequest(token=token))
    assert erased.file_rewritten
    async with Redis.from_url(state_url) as client:
        left = set(await client.keys("rp:{digest:*"))
        assert left == set(await client.keys("rp:{digest:*:tallies")), "which count all together"
        folder = Path(str((await client.config_get("dir"))["dir"]))
    assert not _holding(folder, b"erasure-proof")


async def test_erasing_again_has_no_file_written(service: Service, state_url: str) -> None:
    token = await service.subscribed()
    erase = pb.EraseSubscriptionRequest(token=token)
    async with Redis.from_url(state_url) as client:
        began = await _rewrites(client)
        answers = await asyncio.gather(*(service.ask(ERASE, erase) for _ in range(10)))
        assert sorted(each.file_rewritten for each in answers) == [False] * 9 + [True]
        assert await _rewrites(client) == began + 1
        assert not (await service.ask(ERASE, erase)).file_rewritten
        assert await _rewrites(client) == began + 1


async def _rewrites(client: Redis) -> int:
    """How often the state server has written its file anew."""
    return int((await client.info("persistence"))["aof_rewrites"])


def _holding(folder: Path, text: bytes) -> list[Path]:
    """The files that hold a text, of those that there are."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [path for path in files if text in path.read_bytes()]
