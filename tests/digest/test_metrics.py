"""What /metrics tells of digests and trends, over a real port and a real state server."""

import asyncio
import time

from service.digest.ledger import State
from service.digest.lifecycle import Lifecycle
from service.drain import drain
from service.keys import digest_partition, digest_undecided_key
from service.settings import Settings
from service.times import present_ms
from tests.digest.client import SUBSCRIBE, Service, subscribing
from tests.digest.sending import Digests
from tests.digest.subscribers import DUE_MS, subscription
from tests.servers import SystemRedis
from tests.serving import Running, Starting
from tests.support import PATIENCE_SECONDS
from tests.trending.support import made
from tests.web.http import Http, samples

BEN, CY = subscription("ben@papers.example"), subscription("cy@papers.example")
DIGEST = "related_papers_digest_"


async def digest_metrics(running: Running) -> dict[str, float]:
    """Those of the digest, by what follows `related_papers_digest_` and their label."""
    return {
        " ".join([name.removeprefix(DIGEST), *labels]): value
        for name, found in (await samples(Http(running.application.web_port))).items()
        if name.startswith(DIGEST)
        for labels, value in found.items()
    }


def digests_of(running: Running, settings: Settings) -> Digests:
    state = running.application.core.state
    assert state is not None
    return Digests(settings.model_copy(update={"public_url": "https://papers.example"}), state)


async def test_digests_from_due_to_sent(running: Running, settings: Settings) -> None:
    nothing = await digest_metrics(running)
    assert set(nothing.values()) == {0.0}
    assert "oldest_due_timestamp_seconds" not in nothing
    digests = digests_of(running, settings)
    await digests.subscribe(BEN, CY)
    assert await digest_metrics(running) == nothing | {
        "subscriptions": 2,
        "due": 2,
        "oldest_due_timestamp_seconds": DUE_MS / 1_000,
    }
    assert (await digests.run(present_ms())).outcomes == {State.SENT: 2}
    assert await digest_metrics(running) == nothing | {"subscriptions": 2, "mails_total sent": 2}


async def test_notices_suppressed_and_undecided(
    running: Running, settings: Settings, service: Service
) -> None:
    nothing = await digest_metrics(running)
    await service.ask(SUBSCRIBE, subscribing())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (await digest_metrics(running))["notices_total"] < 1:
            pass
    digests = digests_of(running, settings)
    await digests.subscribe(BEN, CY, now_ms=present_ms())
    for _ in range(2):
        await Lifecycle(digests.subscriptions).suppress(BEN.id, "550 no such user", present_ms())
    undecided = digest_undecided_key(digest_partition(CY.id))
    await digests.state.client.hset(undecided, CY.id, "its mails")
    assert await digest_metrics(running) == nothing | {
        "notices_total": 1,
        "suppressed_total": 1,
        "subscriptions": 1,
        "undecided": 1,
    }


async def test_how_old_the_rankings_are(running: Running, settings: Settings) -> None:
    http = Http(running.application.web_port)
    name = "related_papers_trending_as_of_timestamp_seconds"
    assert name not in await samples(http)
    core = running.application.core
    assert core.state is not None
    began = time.time()
    await core.state.append([made(present_ms(), "ada", "e1", "click", "graph-05")])
    await drain(core.state, settings, lambda _: None)
    await core.trends.load()
    ends = (await samples(http))[name]
    assert set(ends) == {("week",), ("day",), ("month",)}
    assert all(began - 1 <= end <= time.time() for end in ends.values())


async def test_a_state_server_that_is_away_is_said(
    settings: Settings, state_server: SystemRedis
) -> None:
    async with Starting(settings.model_copy(update={"state_url": state_server.url})) as running:
        http = Http(running.application.web_port)
        assert (await samples(http))["related_papers_state_up"] == {(): 1}
        state_server.stop()
        found = await samples(http)
        assert found["related_papers_state_up"] == {(): 0}
        assert not any(each.startswith(DIGEST) for each in found)
        assert "related_papers_model_info" in found
        state_server.start()
        assert (await samples(http))["related_papers_state_up"] == {(): 1}
