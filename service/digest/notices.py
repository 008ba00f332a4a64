"""Sends the notices that wait: at once from the service, and by every run of the sender."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage

import structlog
from redis.asyncio import Redis

from service.digest.lifecycle import Lifecycle
from service.digest.links import CONFIRM_MS, Links
from service.digest.outbox import Notice, Outbox, Waiting
from service.digest.store import Subscriptions
from service.digest.subscriptions import Status, Tally
from service.digest.transport import (
    FIRST_RETRY_SECONDS,
    LAST_RETRY_SECONDS,
    MAX_LOST,
    Refused,
    Transport,
    Undelivered,
    open_transport,
)
from service.errors import ServiceError
from service.keys import PARTITIONS
from service.settings import Settings
from service.times import present_ms

_LOOK_SECONDS = 60.0
"""How often the service looks for notices that other processes left."""

_LAST_SECONDS = 5.0
"""How long a notice that is being sent may take when the service stops."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Courier:
    """Sends notices.

    transport: gives a transport for one run, not yet connected.
    """

    outbox: Outbox
    subscriptions: Subscriptions
    links: Links
    transport: Callable[[], Transport]
    mail_from: str

    @classmethod
    def open(cls, client: Redis, links: Links, settings: Settings) -> "Courier":
        """As the settings say. client: of the state server."""
        return cls(
            Outbox(client),
            Subscriptions(client),
            links,
            lambda: open_transport(settings),
            settings.mail_from,
        )

    async def send(self, stopping: asyncio.Event | None = None) -> int:
        """Send all that wait, until told to stop; how many were sent. What can't be sent now stays
        for later.

        Raises ServiceError STATE_AWAY, and Undelivered where the mail server can't be had, or is
        lost for `MAX_LOST` notices in a row.
        """
        if not await self.outbox.waits(present_ms()):
            return 0
        sent = lost = 0
        async with self.transport() as connection:
            for partition in range(PARTITIONS):
                while taken := await self.outbox.take(partition, present_ms()):
                    for number, waiting in enumerate(taken):
                        if stopping is not None and stopping.is_set():
                            await self._give_back(taken[number:])
                            return sent
                        try:
                            sent += await self._send(connection, waiting)
                            lost = 0
                        except Undelivered as error:
                            await self._later(waiting, error)
                            lost += 1
                            if lost >= MAX_LOST:
                                await self._give_back(taken[number + 1 :])
                                raise
        return sent

    async def _give_back(self, taken: Iterable[Waiting]) -> None:
        """Leave notices to others, or to the next run."""
        for waiting in taken:
            await self.outbox.later(waiting, present_ms())

    async def _send(self, connection: Transport, waiting: Waiting) -> bool:
        """Whether it was sent. What goes wrong with one notice keeps no other back.

        Raises ServiceError and Undelivered.
        """
        try:
            return await self._sent(connection, waiting)
        except (ServiceError, Undelivered):
            raise
        except Exception as error:
            log.exception("a notice can't be made", subscription=waiting.id)
            await self._later(waiting, error)
            return False

    async def _sent(self, connection: Transport, waiting: Waiting) -> bool:
        mail = await self._mail(waiting)
        if mail is not None:
            try:
                await connection.send(mail)
            except Refused as error:
                if not error.permanent:
                    await self._later(waiting, error)
                    return False
                lifecycle = Lifecycle(self.subscriptions)
                await lifecycle.suppress(waiting.id, str(error), present_ms())
                mail = None
        await self.outbox.done(waiting)
        if mail is not None:
            await self.subscriptions.tally(waiting.id, Tally.NOTICES)
        return mail is not None

    async def _mail(self, waiting: Waiting) -> EmailMessage | None:
        """The mail of a notice, or None if nobody wants it any more."""
        from service.digest.mail import already_mail, confirmation_mail  # noqa: PLC0415 - templates

        now_ms = present_ms()
        if now_ms >= waiting.number + CONFIRM_MS:
            return None
        if waiting.notice is Notice.CONFIRM:
            request = await self.subscriptions.request(waiting.id, waiting.number)
            if request is None:
                return None
            return confirmation_mail(request, self.links, self.mail_from, now_ms)
        found = await self.subscriptions.get(waiting.id)
        if found is None or found.status is not Status.ACTIVE:
            return None
        return already_mail(found, self.links, self.mail_from, waiting.number)

    async def _later(self, waiting: Waiting, error: Exception) -> None:
        """Wait as long as it has waited already, from a minute to some hours."""
        now_ms = present_ms()
        waited_seconds = (now_ms - waiting.number) / 1_000
        seconds = min(max(waited_seconds, FIRST_RETRY_SECONDS), LAST_RETRY_SECONDS)
        log.warning("a notice waits", subscription=waiting.id, because=str(error))
        await self.outbox.later(waiting, now_ms + round(seconds * 1_000))


class NoticeTask:
    """Sends notices from the service, as soon as one is wanted."""

    def __init__(self, courier: Courier) -> None:
        self._courier = courier
        self._wanted = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look for them."""
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """There is one."""
        self._wanted.set()

    async def close(self) -> None:
        """End after what is being sent. Where that takes long others send it again."""
        self._stopping.set()
        self._wanted.set()
        if self._task:
            await asyncio.wait({self._task}, timeout=_LAST_SECONDS)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.clear()
            try:
                await self._courier.send(self._stopping)
            except (ServiceError, Undelivered) as error:
                log.warning("notices wait", because=str(error))
            except Exception:
                log.exception("notices can't be sent")
            if not self._stopping.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wanted.wait(), _LOOK_SECONDS)
