"""A state server that could lose what it is given: nothing is stored there and nothing sent, and
whoever wants to leave leaves all the same."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from google.protobuf.message import Message

from relatedpapers.v1 import digest_service_pb2 as pb
from service.digest.ledger import State
from service.digest.links import Tokens
from service.digest.opening import opened
from service.digest.sender import send_due
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import Status, subscription_id
from service.errors import Reason, ServiceError
from service.feedback_state import FeedbackState
from service.settings import Settings
from tests.digest.client import (
    ADA,
    CONFIRM,
    ERASE,
    LEAVE,
    SUBSCRIBE,
    UPDATE,
    Service,
    now_ms,
    preferences,
    subscribing,
)
from tests.digest.sending import Digests
from tests.digest.subscribers import DUE_MS, subscription
from tests.servers import SystemRedis
from tests.serving import Starting

NOBODY = Held(None, b"")


@pytest.fixture
def settings(settings: Settings, state_server: SystemRedis) -> Settings:
    return settings.model_copy(update={"state_url": state_server.url})


@pytest_asyncio.fixture
async def state(state_server: SystemRedis) -> AsyncIterator[FeedbackState]:
    state = FeedbackState(state_server.url)
    yield state
    await state.close()


async def test_nothing_is_stored_that_could_be_lost(
    settings: Settings, state: FeedbackState, tokens: Tokens
) -> None:
    id = subscription_id(tokens.key, ADA)
    request = subscription(ADA, id=id, status=Status.PENDING, revision=now_ms(), confirmed_ms=0)
    assert await Subscriptions(state.client).ask(NOBODY, request, now_ms())
    manage = tokens.manage_token(id, now_ms())
    storing: list[tuple[str, Message]] = [
        (SUBSCRIBE, subscribing()),
        (CONFIRM, pb.ConfirmSubscriptionRequest(token=tokens.confirm_token(request))),
        (UPDATE, pb.UpdateSubscriptionRequest(token=manage, preferences=preferences())),
    ]
    async with Starting(settings) as running:
        service = Service(running, settings)
        await state.client.config_set("appendfsync", "everysec")
        for method, wanted in storing[:2]:
            refused = await service.refused(method, wanted)
            assert refused.reason == Reason.STATE_UNSAFE
            assert "'everysec', not 'always'" in refused.message
        await state.client.config_set("appendfsync", "always")
        for method, wanted in storing[1:]:
            assert (await service.ask(method, wanted)).subscription.status == Status.ACTIVE
    async with Starting(settings) as running:
        service = Service(running, settings)
        await state.client.config_set("appendfsync", "everysec")
        assert (await service.refused(*storing[2])).reason == Reason.STATE_UNSAFE
        assert await service.ask(LEAVE, pb.UnsubscribeRequest(token=manage)) is not None
        found = await Subscriptions(state.client).get(id)
        assert found is not None
        assert found.status is Status.ENDED
        erased = await service.ask(ERASE, pb.EraseSubscriptionRequest(token=manage))
        assert erased.file_rewritten
    told = settings.model_copy(update={"allow_unsafe_state": True})
    async with Starting(told) as running:
        assert await Service(running, told).ask(*storing[0]) == pb.SubscribeResponse()


async def test_nothing_is_sent_whose_record_could_be_lost(
    settings: Settings, state: FeedbackState
) -> None:
    digests = Digests(settings, state)
    await digests.subscribe(subscription(ADA))
    await state.client.config_set("appendfsync", "everysec")
    async with opened(settings, state) as tools:
        with pytest.raises(ServiceError) as caught:
            await send_due(tools, DUE_MS)
    assert caught.value.reason is Reason.STATE_UNSAFE
    assert digests.mails() == []
    careless = FeedbackState(state.url, allow_unsafe=True)
    assert (await Digests(settings, careless).run()).outcomes == {State.SENT: 1}
    await careless.close()
