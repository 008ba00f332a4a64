"""How often anybody may ask for a digest: counted for all processes, told to nobody's page."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis.asyncio import Redis

from relatedpapers.v1 import digest_service_pb2 as pb
from service.api_keys import Scope, create
from service.digest.limits import MAX_NOTICES, Limits
from service.errors import Reason, ServiceError
from service.settings import Settings
from tests.digest.client import ADA, CONFIRM, SUBSCRIBE, Service, subscribing
from tests.digest.mailboxes import mails
from tests.serving import Starting
from tests.web.wires import WIRES, Failure

PER_HOUR = 3
PROXY = "127.0.0.0/8"


@pytest_asyncio.fixture
async def client(state_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(state_url) as client:
        yield client


@pytest.fixture
def limited(settings: Settings) -> Settings:
    """Three requests an hour, behind a proxy that says whom it heard."""
    return settings.model_copy(
        update={"digest_requests_per_hour": PER_HOUR, "trusted_proxies": PROXY}
    )


def from_(address: str) -> dict[str, str]:
    return {"x-forwarded-for": address}


async def test_two_processes_count_together_and_forget_by_themselves(client: Redis) -> None:
    limits = [Limits(client, PER_HOUR), Limits(client, PER_HOUR)]
    for number in range(PER_HOUR):
        await limits[number % 2].admit_origin("here")
    for each in limits:
        with pytest.raises(ServiceError) as caught:
            await each.admit_origin("here")
        assert caught.value.reason is Reason.TOO_MANY_REQUESTS
    await limits[0].admit_origin("elsewhere")
    admitted = [await limits[number % 2].admit_mailbox("ab" * 16) for number in range(6)]
    assert admitted == [True] * MAX_NOTICES + [False] * (6 - MAX_NOTICES)
    for key in await client.keys("rp:*"):
        seconds = await client.ttl(key)
        assert 0 < seconds <= (86_400 if b"notices" in key else 3_600), key
    # Asked again, a limit begins no new hour.
    [requests] = await client.keys("rp:digest:requests:here")
    await client.expire(requests, 600)
    with pytest.raises(ServiceError):
        await limits[0].admit_origin("here")
    assert await client.ttl(requests) <= 600


@pytest.mark.parametrize("wire", [wire for wire in WIRES if wire != "connect-get"])
async def test_one_network_may_ask_some_times_an_hour(limited: Settings, wire: str) -> None:
    async with Starting(limited) as running:
        service = Service(running, limited, wire)
        for number in range(PER_HOUR):
            wanted = subscribing(f"reader-{number}@papers.example")
            # Addresses of one customer's network are one.
            headers = from_(f"198.51.100.{number}")
            assert await service.ask(SUBSCRIBE, wanted, headers) == pb.SubscribeResponse()
        refused = await service.refused(SUBSCRIBE, subscribing(), headers=from_("198.51.100.77"))
        assert refused.reason == Reason.TOO_MANY_REQUESTS
        assert "an hour" in refused.message
        other = await service.ask(SUBSCRIBE, subscribing(), from_("203.0.113.1"))
        assert other == pb.SubscribeResponse()
        # What is wrong with a request is said before it counts.
        for _ in range(PER_HOUR + 1):
            wrong = await service.refused(
                SUBSCRIBE, subscribing("nobody"), headers=from_("203.0.113.1")
            )
            assert wrong.reason == Reason.FIELD_INVALID


async def test_who_invents_proxies_is_not_believed(settings: Settings) -> None:
    unproxied = settings.model_copy(update={"digest_requests_per_hour": PER_HOUR})
    async with Starting(unproxied) as running:
        service = Service(running, unproxied)
        answers = [
            await service.ask(SUBSCRIBE, subscribing(), from_(f"198.51.{number}.1"))
            for number in range(PER_HOUR + 1)
        ]
        assert [isinstance(each, Failure) for each in answers] == [False] * PER_HOUR + [True]


async def test_a_site_s_own_key_has_no_limit(limited: Settings, tmp_path: Path) -> None:
    key_file = tmp_path / "api-keys"
    key, other = create(key_file, [Scope.DIGEST]), create(key_file, [Scope.FEEDBACK])
    with_keys = limited.model_copy(update={"api_key_file": key_file})
    async with Starting(with_keys) as running:
        service = Service(running, with_keys)
        for number in range(PER_HOUR + 2):
            wanted = subscribing(f"reader-{number}@papers.example")
            answer = await service.ask(SUBSCRIBE, wanted, {"x-api-key": key})
            assert answer == pb.SubscribeResponse()
        answers = [
            await service.ask(SUBSCRIBE, subscribing(), {"x-api-key": given})
            for given in (other, "wrong", "", other)
        ]
        assert [isinstance(each, Failure) for each in answers] == [False] * PER_HOUR + [True]


async def test_a_mailbox_gets_a_few_notices_a_day_whoever_asks(limited: Settings) -> None:
    async with Starting(limited) as running:
        service = Service(running, limited)
        for number in range(MAX_NOTICES + 3):
            headers = from_(f"198.51.{number}.1")
            answer = await service.ask(SUBSCRIBE, subscribing(hour=number), headers)
            assert answer == pb.SubscribeResponse()
            await service.mail(min(number + 1, MAX_NOTICES))
        # What was asked for after that changed nothing: the last mail's link is good.
        token = (await service.mail(MAX_NOTICES))["confirm"].token
        confirm = pb.ConfirmSubscriptionRequest(token=token)
        confirmed = await service.ask(CONFIRM, confirm)
        assert confirmed.subscription.preferences.hour == MAX_NOTICES - 1
    assert len(mails(limited.data_dir, ADA)) == MAX_NOTICES
