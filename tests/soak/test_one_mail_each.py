"""Everyone who should gets exactly one mail, whatever the mail server does and whoever dies."""

# ruff: noqa: ARG002 - aiosmtpd gives what it gives

import asyncio
import itertools
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from service.digest.ledger_view import LedgerView
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import Status
from service.embedded import Role
from service.feedback_state import FeedbackState
from service.settings import Settings
from service.times import present_ms
from tests.digest.mail_server import DROP, OK, Handler, mail_server
from tests.digest.subscribers import DUE_MS, subscription
from tests.support import ROOT

NOBODY = Held(None, b"")
LEASE_SECONDS = 5.0
PATIENCE_SECONDS = 600
DELAY_SECONDS = 0.05

STORE_AND_DROP = "store and drop"
"""The mail is taken, and the connection cut before that is said."""

DELAY = "delay"


class Size(NamedTuple):
    """How large a run is. A tenth of the subscribers is suppressed from the beginning."""

    subscribers: int
    kills: int


class Moody(Handler):
    """A mail server that does something else each time.

    refused: whom it answered 550. lost: whose connection it cut after the content.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refused: set[str] = set()
        self.lost: Counter[str] = Counter()
        self.changed = asyncio.Condition()
        answers = [*[OK] * 6, DELAY, "450 4.2.1 Not now", OK, "421 4.3.2 Closing", OK, DROP]
        refusals = [*[OK] * 40, "550 5.1.1 No such mailbox"]
        self._recipients = itertools.cycle(answers)
        self._refusals = itertools.cycle(refusals)
        self._data = itertools.cycle([*[OK] * 30, DROP, *[OK] * 20, "451 4.3.0 Later"])
        self._contents = itertools.cycle(
            [*[OK] * 35, DROP, *[OK] * 35, STORE_AND_DROP, OK, "452 4.2.2 Full", DELAY]
        )

    async def answer(self, server: SMTP, stage: str) -> str:
        if stage != "DATA":
            return OK
        answer = next(self._data)
        if answer == DROP:
            cut(server)
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = next(self._recipients)
        if answer == DROP:
            cut(server)
        elif answer == DELAY:
            await asyncio.sleep(DELAY_SECONDS)
        elif answer != OK:
            return answer
        answer = "550 5.1.1 No such mailbox" if address in self.refused else next(self._refusals)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        else:
            self.refused.add(address)
        return answer

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        answer = next(self._contents)
        if answer in {OK, DELAY, STORE_AND_DROP}:
            async with self.changed:
                self.mails.append(envelope)
                self.changed.notify_all()
        if answer in {DROP, STORE_AND_DROP}:
            self.lost.update(envelope.rcpt_tos)
            cut(server)
        elif answer == DELAY:
            await asyncio.sleep(DELAY_SECONDS)
        return OK if answer == DELAY else answer

    async def reach(self, count: int) -> None:
        """Wait until so many mails have come."""
        async with self.changed:
            await self.changed.wait_for(lambda: len(self.mails) >= count)


def cut(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.close()


class SenderProcess:
    """A sender that can be killed and started again; what it logs goes to a file."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self._log = log
        self._settings = settings.model_dump_json().encode() + b"\n"
        self._process: asyncio.subprocess.Process

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.digest.sender_process", str(DUE_MS)),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert self._process.stdin is not None
        self._process.stdin.write(self._settings)
        await self._process.stdin.drain()

    async def kill(self) -> None:
        """End it with no chance to do anything more."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()

    async def end(self) -> None:
        """Wait until there is nothing left to do."""
        assert await self._process.wait() == 0, self._log.read_text()


async def reached(handler: Moody, count: int, senders: Sequence[SenderProcess]) -> None:
    """Wait until so many mails have come; fail when the senders end before that."""
    waits = [asyncio.create_task(each.end()) for each in senders]
    reach = asyncio.create_task(handler.reach(count))
    for done in asyncio.as_completed([reach, *waits]):
        await done
        break
    for task in (reach, *waits):
        task.cancel()
    assert len(handler.mails) >= count


@asynccontextmanager
async def subscribed(url: str, size: Size) -> AsyncIterator[FeedbackState]:
    """An empty state, but for the subscribers."""
    state = FeedbackState(url)
    await state.client.flushall()
    subscriptions = Subscriptions(state.client)
    for number in range(size.subscribers):
        status = Status.SUPPRESSED if number % 10 == 0 else Status.ACTIVE
        one = subscription(f"{number}@papers.example", status=status)
        # The suppressed are kept for some time only.
        at_ms = DUE_MS - 1 if status is Status.ACTIVE else present_ms()
        assert await subscriptions.write(NOBODY, one, at_ms)
    yield state
    await state.close()


@pytest.mark.parametrize(
    "size",
    [
        pytest.param(Size(subscribers=200, kills=3), id="ordinary"),
        pytest.param(
            Size(subscribers=2_000, kills=20), id="soak", marks=[pytest.mark.soak, pytest.mark.slow]
        ),
    ],
)
async def test_everyone_gets_one_mail(
    toy_model: Path, embedded_urls: dict[Role, str], tmp_path: Path, size: Size
) -> None:
    handler = Moody()
    async with (
        subscribed(embedded_urls[Role.STATE], size) as state,
        mail_server(handler) as port,
        asyncio.timeout(PATIENCE_SECONDS),
    ):
        settings = Settings(
            model=toy_model,
            data_dir=tmp_path / "data",
            state_url=state.url,
            public_url="https://papers.example",
            mail_from="Papers <digest@papers.example>",
            smtp_host="127.0.0.1",
            smtp_port=port,
            smtp_security="none",
            smtp_mails_per_second=10_000,
            digest_lease_seconds=LEASE_SECONDS,
        )
        senders = [SenderProcess(settings, tmp_path / f"{number}.log") for number in range(2)]
        for sender in senders:
            await sender.start()
        for number in range(size.kills):
            await reached(handler, size.subscribers // 2 * (number + 1) // size.kills, senders)
            await senders[number % 2].kill()
            await senders[number % 2].start()
        for sender in senders:
            await sender.end()

        view, subscriptions = LedgerView(state.client), Subscriptions(state.client)
        undecided = {
            found.address: each.message_id
            for each in await view.undecided()
            if (found := await subscriptions.get(each.id))
        }
        counts = await view.counts()
        await check(handler, size, undecided, subscriptions)
    print(
        f"{size.subscribers:,} subscribers, a tenth suppressed; {size.kills} kills: "
        f"{len(handler.mails):,} mails, {len(handler.refused)} mailboxes refused, "
        f"{len(undecided)} undecided ({sum(address in handler.lost for address in undecided)} of "
        f"them where the server cut the connection); {counts}"
    )


async def check(
    handler: Moody, size: Size, undecided: dict[str, str], subscriptions: Subscriptions
) -> None:
    got: Counter[str] = Counter(mail.rcpt_tos[0] for mail in handler.mails)
    for number in range(size.subscribers):
        address = f"{number}@papers.example"
        if number % 10 == 0:
            assert got[address] == 0, "suppressed from the beginning"
        elif address in handler.refused:
            assert got[address] == 0
            found = await subscriptions.get(subscription(address).id)
            assert address in undecided or (found and found.status is Status.SUPPRESSED)
        elif address in undecided:
            assert got[address] <= 1
        else:
            assert got[address] == 1, address
    # Undecided are those that the server left in the dark, and at most one for each kill.
    assert set(handler.lost) <= set(undecided)
    assert len(undecided) <= len(handler.lost) + size.kills
    names = {identity(mail) for mail in handler.mails}
    assert len(names) == len(handler.mails)


def identity(mail: Any) -> str:
    return str(message_from_bytes(mail.content)["Message-ID"])
