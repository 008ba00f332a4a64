"""Notices go out by a real mail server, whatever it says, and none is lost."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiosmtpd.smtp import SMTP
from redis.asyncio import Redis
from structlog.testing import capture_logs

from service.digest.lifecycle import Lifecycle
from service.digest.links import CONFIRM_MS, Links
from service.digest.notices import Courier
from service.digest.outbox import Outbox
from service.digest.smtp import SmtpTransport
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import Status, Subscription
from service.digest.transport import MAX_LOST, Undelivered
from service.keys import digest_outbox_key, digest_partition
from service.secrets import SigningKeys
from service.settings import Settings
from tests.digest.client import now_ms
from tests.digest.mail_server import DROP, Handler, mail_server
from tests.digest.subscribers import KEY, subscription

ADA = "ada@papers.example"
NOBODY = Held(None, b"")


@pytest_asyncio.fixture
async def client(state_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(state_url) as client:
        yield client


@pytest.fixture
def links(settings: Settings) -> Links:
    keys = SigningKeys.open(settings.data_dir / "signing.keys")
    return Links("https://papers.example", keys, KEY)


def courier(client: Redis, links: Links, port: int) -> Courier:
    def transport() -> SmtpTransport:
        return SmtpTransport(
            "127.0.0.1",
            port=port,
            security="none",
            mails_per_second=10_000.0,
            connect_pauses_seconds=(0.0,),
        )

    sender = "Papers <digest@papers.example>"
    return Courier(Outbox(client), Subscriptions(client), links, transport, sender)


async def asked(client: Redis, address: str = ADA) -> Subscription:
    """Somebody asked for a digest: a notice waits."""

    now = now_ms()
    pending = subscription(address, status=Status.PENDING, revision=now, confirmed_ms=0)
    assert await Subscriptions(client).ask(NOBODY, pending, now)
    return pending


async def waiting(client: Redis, of: Subscription) -> float | None:
    """From when a notice may be sent, Unix ms; None if there is none."""
    found = await notices(client, of)
    return found[0][1] if found else None


async def notices(client: Redis, of: Subscription) -> Any:
    """The notices of its partition, and from when each may be sent."""
    return await client.zrange(digest_outbox_key(digest_partition(of.id)), 0, -1, withscores=True)


async def test_many_go_out_over_one_connection(client: Redis, links: Links) -> None:
    wanted = [await asked(client, f"reader-{number}@papers.example") for number in range(50)]
    handler = Handler()
    async with mail_server(handler) as port:
        assert await courier(client, links, port).send() == 50
        assert await courier(client, links, port).send() == 0
    assert handler.connections == 1
    assert sorted(to for mail in handler.mails for to in mail.rcpt_tos) == sorted(
        each.address for each in wanted
    )
    assert [await waiting(client, each) for each in wanted] == [None] * 50


@pytest.mark.parametrize(
    ("stage", "answer"),
    [("RCPT", "450 4.2.0 Not now"), ("CONTENT", "421 4.3.0 Closing"), ("CONTENT", DROP)],
)
async def test_what_fails_for_now_waits(
    client: Redis, links: Links, stage: str, answer: str
) -> None:
    pending = await asked(client)
    handler = Handler({stage: [answer] * 3})
    async with mail_server(handler) as port:
        began = now_ms()
        assert await courier(client, links, port).send() == 0
        later = await waiting(client, pending)
        assert later is not None
        assert later >= began + 60_000
        outbox = digest_outbox_key(digest_partition(pending.id))
        [(notice, _)] = await notices(client, pending)
        await client.zadd(outbox, {notice: 0})  # that time has come
        handler.answers.clear()
        assert await courier(client, links, port).send() == 1
    assert await waiting(client, pending) is None


async def test_while_the_mail_server_is_away_nothing_is_taken(client: Redis, links: Links) -> None:
    pending = await asked(client)
    async with mail_server(Handler()) as port:
        pass  # its port is nobody's now
    with pytest.raises(Undelivered):
        await courier(client, links, port).send()
    assert await waiting(client, pending) == pending.revision


async def test_a_mailbox_that_refuses_for_good_is_written_to_no_more(
    client: Redis, links: Links
) -> None:
    pending = await asked(client)
    async with mail_server(Handler({"RCPT": ["550 5.1.1 Nobody here"]})) as port:
        assert await courier(client, links, port).send() == 0
    found = await Subscriptions(client).get(pending.id)
    assert found is not None
    assert found.status is Status.SUPPRESSED
    assert "Nobody here" in found.refusal
    assert await waiting(client, pending) is None


async def test_one_that_can_not_be_made_keeps_no_other_back(client: Redis, links: Links) -> None:
    wanted = [await asked(client, f"reader-{number}@papers.example") for number in range(30)]
    wrong = await asked(client, "=?utf-8?q?x?=@papers.example")  # from before it was refused
    handler = Handler()
    async with mail_server(handler) as port:
        began = now_ms()
        with capture_logs() as logs:
            assert await courier(client, links, port).send() == len(wanted)
        assert await courier(client, links, port).send() == 0
    assert len(handler.mails) == len(wanted)
    later = await waiting(client, wrong)
    assert later is not None
    assert later >= began + 60_000
    [said] = [each for each in logs if each["event"] == "a notice can't be made"]
    assert said["subscription"] == wrong.id


@pytest.mark.parametrize("change", ["confirmed", "suppressed", "erased", "too old"])
async def test_what_nobody_wants_any_more_is_dropped(
    client: Redis, links: Links, change: str
) -> None:
    store = Subscriptions(client)
    pending = await asked(client)
    lifecycle = Lifecycle(store)
    match change:
        case "confirmed":
            await lifecycle.confirm(pending.id, pending.revision, now_ms())
        case "suppressed":
            await lifecycle.suppress(pending.id, "550", now_ms())
        case "erased":
            await store.erase(pending.id)
        case "too old":
            outbox = digest_outbox_key(digest_partition(pending.id))
            await client.delete(outbox)
            old = pending.revision - CONFIRM_MS
            await client.zadd(outbox, {f"{pending.id} confirm {old}": old})
    handler = Handler()
    async with mail_server(handler) as port:
        assert await courier(client, links, port).send() == 0
    assert not handler.mails
    assert await waiting(client, pending) is None


async def test_a_mail_server_that_goes_ends_the_round(client: Redis, links: Links) -> None:
    wanted = [await asked(client, f"reader-{number}@papers.example") for number in range(30)]
    # A mail tries a second connection where the first one was cut.
    handler = Handler({"RCPT": [DROP] * 2 * MAX_LOST})
    async with mail_server(handler) as port:
        with pytest.raises(Undelivered):
            await courier(client, links, port).send()
        assert handler.mails == []
        assert await courier(client, links, port).send() == len(wanted) - MAX_LOST


async def test_told_to_stop(client: Redis, links: Links) -> None:
    """What was taken is left to others at once."""
    wanted = [await asked(client, f"reader-{number}@papers.example") for number in range(30)]
    stopping = asyncio.Event()

    class Stopping(Handler):
        async def answer(self, server: SMTP, stage: str) -> str:
            stopping.set()
            return await super().answer(server, stage)

    async with mail_server(Stopping()) as port:
        assert await courier(client, links, port).send(stopping) == 1
        assert await courier(client, links, port).send(stopping) == 0
        assert await courier(client, links, port).send() == len(wanted) - 1
