"""The digest by the Python client, with and without asyncio."""

import asyncio

import pytest

from relatedpapers import AsyncClient, Client, InvalidRequestError, NotFoundError
from relatedpapers.v1 import digest_service_pb2 as pb
from service.errors import Reason
from service.settings import Settings
from tests.digest.client import ADA, Service, preferences
from tests.serving import Running
from tests.support import PATIENCE_SECONDS

WANTED = {"time_zone": "Europe/Berlin", "hour": 7, "content": {"trending_window": "week"}}


async def test_the_async_client(running: Running, service: Service) -> None:
    async with AsyncClient(
        f"127.0.0.1:{running.application.port}", timeout_seconds=PATIENCE_SECONDS
    ) as client:
        await client.subscribe(ADA, WANTED)
        token = (await service.mail())["confirm"].token
        assert (await client.get_subscription(token)).address == ADA
        confirmed = await client.confirm_subscription(token)
        manage = confirmed.manage_token
        wanted = preferences(hour=9, frequency=pb.DIGEST_FREQUENCY_WEEKDAYS)
        assert (await client.update_subscription(manage, wanted)).preferences == wanted
        await client.unsubscribe(manage)
        ended = await client.get_subscription(manage)
        assert ended.status == pb.SUBSCRIPTION_STATUS_ENDED
        assert (await client.erase_subscription(manage)).file_rewritten
        with pytest.raises(NotFoundError) as caught:
            await client.get_subscription(manage)
        assert caught.value.reason == Reason.SUBSCRIPTION_NOT_FOUND


async def test_the_client(running: Running, service: Service, settings: Settings) -> None:
    def use() -> None:
        with Client(
            f"127.0.0.1:{running.application.port}", timeout_seconds=PATIENCE_SECONDS
        ) as client:
            client.subscribe(ADA, WANTED)
            with pytest.raises(InvalidRequestError) as caught:
                client.subscribe("nobody", WANTED)
            assert caught.value.metadata["field"] == "address"
            with pytest.raises(InvalidRequestError) as caught:
                client.confirm_subscription("forged")
            assert caught.value.reason == Reason.DIGEST_TOKEN_INVALID

    await asyncio.to_thread(use)
    assert "confirm" in await service.mail()
    assert (settings.data_dir / "mail").exists()
