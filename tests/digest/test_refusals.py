"""What DigestService refuses: the same over every protocol, with exactly one ErrorInfo."""

from pathlib import Path

import pytest
from google.protobuf.message import Message

from relatedpapers.v1 import digest_service_pb2 as pb
from service.api_keys import Scope, create
from service.digest.links import CONFIRM_MS, MANAGE_MS, Tokens
from service.digest.subscriptions import Status, subscription_id
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
from tests.digest.subscribers import subscription
from tests.serving import Running, Starting
from tests.web.wires import WIRES, Failure

WIRES_THAT_POST = [wire for wire in WIRES if wire != "connect-get"]

BAD: list[tuple[pb.SubscribeRequest, str, str | None]] = [
    (subscribing(""), Reason.FIELD_MISSING, "address"),
    (subscribing("ada"), Reason.FIELD_INVALID, "address"),
    (subscribing("ada@papers.example\r\nBcc: eve@evil.example"), "FIELD_INVALID", "address"),
    (subscribing("a@b.example,c@d.example"), Reason.FIELD_INVALID, "address"),
    (pb.SubscribeRequest(address=ADA), Reason.FIELD_MISSING, "preferences.time_zone"),
    (subscribing(time_zone="Mars/Olympus"), Reason.FIELD_INVALID, "preferences.time_zone"),
    (subscribing(time_zone="../../etc/passwd"), "FIELD_INVALID", "preferences.time_zone"),
    (subscribing(time_zone="localtime"), Reason.FIELD_INVALID, "preferences.time_zone"),
    (subscribing(time_zone="Factory"), Reason.FIELD_INVALID, "preferences.time_zone"),
    (subscribing(time_zone="Europe"), Reason.FIELD_INVALID, "preferences.time_zone"),
    (subscribing(hour=24), Reason.FIELD_INVALID, "preferences.hour"),
    (subscribing(hour=-1), Reason.FIELD_INVALID, "preferences.hour"),
    (subscribing(frequency=9), Reason.FIELD_INVALID, "preferences.frequency"),
    (subscribing(weekday=1), Reason.FIELD_INVALID, "preferences.weekday"),
    (subscribing(frequency=3, weekday=8), Reason.FIELD_INVALID, "preferences.weekday"),
    (subscribing(content=pb.DigestContent()), Reason.FIELD_MISSING, "preferences.content"),
    (
        subscribing(content=pb.DigestContent(trending_window="century")),
        Reason.FIELD_INVALID,
        "preferences.content.trending_window",
    ),
    (
        subscribing(content=pb.DigestContent(search_query="  ")),
        Reason.FIELD_MISSING,
        "preferences.content.search_query",
    ),
    (
        subscribing(content=pb.DigestContent(search_query="x" * 1_001)),
        Reason.FIELD_INVALID,
        "preferences.content.search_query",
    ),
    (
        subscribing(content=pb.DigestContent(seed_papers=pb.SeedPapers())),
        Reason.FIELD_MISSING,
        "preferences.content.seed_papers",
    ),
    (
        subscribing(content=pb.DigestContent(seed_papers=pb.SeedPapers(paper_ids=["no-such"]))),
        Reason.PAPER_NOT_FOUND,
        None,
    ),
    (
        subscribing(content=pb.DigestContent(seed_papers=pb.SeedPapers(paper_ids=["x"] * 101))),
        Reason.FIELD_INVALID,
        "preferences.content.seed_papers.paper_ids",
    ),
    (
        subscribing(content=pb.DigestContent(reader_id="r" * 257)),
        Reason.FIELD_INVALID,
        "preferences.content.reader_id",
    ),
]


async def test_links_that_are_too_old(service: Service, tokens: Tokens) -> None:
    pending = subscription(
        ADA,
        id=subscription_id(tokens.key, ADA),
        status=Status.PENDING,
        revision=now_ms() - CONFIRM_MS,
    )
    confirm = tokens.confirm_token(pending)
    manage = tokens.manage_token(pending.id, now_ms() - MANAGE_MS)
    for method, request in (
        (CONFIRM, pb.ConfirmSubscriptionRequest(token=confirm)),
        (GET, pb.GetSubscriptionRequest(token=confirm)),
        (GET, pb.GetSubscriptionRequest(token=manage)),
        (UPDATE, pb.UpdateSubscriptionRequest(token=manage, preferences=preferences())),
        (ERASE, pb.EraseSubscriptionRequest(token=manage)),
        (LEAVE, pb.UnsubscribeRequest(token=manage)),
    ):
        refused = await service.refused(method, request)
        assert refused.reason == Reason.DIGEST_TOKEN_EXPIRED
        assert "days" in refused.message


@pytest.mark.parametrize("wire", WIRES_THAT_POST)
@pytest.mark.parametrize("token", ["forged", "ab" * 32, "Zm9yZ2Vk" * 9, "\x00", "é", "x" * 70_000])
async def test_forged_tokens(running: Running, settings: Settings, wire: str, token: str) -> None:
    service = Service(running, settings, wire)
    for method, request in (
        (CONFIRM, pb.ConfirmSubscriptionRequest(token=token)),
        (GET, pb.GetSubscriptionRequest(token=token)),
        (UPDATE, pb.UpdateSubscriptionRequest(token=token, preferences=preferences())),
        (LEAVE, pb.UnsubscribeRequest(token=token)),
        (ERASE, pb.EraseSubscriptionRequest(token=token)),
    ):
        refused = await service.refused(method, request)
        assert refused.reason == Reason.DIGEST_TOKEN_INVALID
        assert refused.metadata == {"field": "token"}
        assert token not in refused.message


@pytest.mark.parametrize(("request_", "reason", "field"), BAD, ids=range(len(BAD)))
async def test_what_can_not_be_subscribed_to(
    running: Running, settings: Settings, request_: Message, reason: str, field: str | None
) -> None:
    failures = [
        await Service(running, settings, wire).refused(SUBSCRIBE, request_)
        for wire in WIRES_THAT_POST
    ]
    assert all(each == failures[0] for each in failures)
    assert failures[0].reason == reason
    if field:
        assert failures[0].metadata["field"] == field
    assert "\n" not in failures[0].message
    assert not (settings.data_dir / "mail").exists()


async def test_a_reader_s_list_is_mailed_to_nobody_without_a_key(
    settings: Settings, tmp_path: Path
) -> None:
    key_file = tmp_path / "api-keys"
    key = create(key_file, [Scope.READ])
    with_keys = settings.model_copy(update={"api_key_file": key_file})
    wanted = subscribing(content=pb.DigestContent(reader_id="ada"))
    async with Starting(with_keys) as running:
        service = Service(running, with_keys)
        assert (await service.refused(SUBSCRIBE, wanted)).reason == Reason.API_KEY_REQUIRED
        assert await service.ask(SUBSCRIBE, wanted, {"x-api-key": key}) == pb.SubscribeResponse()
        confirm = pb.ConfirmSubscriptionRequest(token=(await service.mail())["confirm"].token)
        token = (await service.ask(CONFIRM, confirm)).manage_token
        # The subscriber may change the hour of it, and not whose list it is.
        for reader, expected in (("ada", None), ("bob", Reason.API_KEY_REQUIRED)):
            chosen = preferences(content=pb.DigestContent(reader_id=reader), hour=9)
            update = pb.UpdateSubscriptionRequest(token=token, preferences=chosen)
            answer = await service.ask(UPDATE, update)
            assert (answer.reason if isinstance(answer, Failure) else None) == expected


async def test_without_a_state_server_nobody_subscribes(settings: Settings) -> None:
    alone = settings.model_copy(update={"state_url": None})
    async with Starting(alone) as running:
        refused = await Service(running, alone).refused(SUBSCRIBE, subscribing())
        assert refused.reason == Reason.STATE_AWAY
