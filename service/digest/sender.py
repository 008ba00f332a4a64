"""Sends what is due: one run of it, of which many may go on at once, on one machine or on many.

A mail is recorded before it is handed over and after (service/digest/ledger.py). Whoever dies in
between leaves a mail of which nobody can say whether it arrived: the next sender finds it, names it
in its report and settles it as the setting `digest_undecided` says.
"""

import asyncio
import random
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from email.message import EmailMessage

import structlog

from service.digest.contents import Candidate
from service.digest.ledger import Claim, Due, State, Wanted
from service.digest.lifecycle import Lifecycle
from service.digest.mail import Issue, digest_mail
from service.digest.outcomes import MAX_ATTEMPTS, Outcomes
from service.digest.schedule import latest_due, local_date, next_due
from service.digest.subscriptions import ContentKind, Status, Subscription
from service.digest.tools import MailServerAway, Report, Tools
from service.digest.transport import MAX_LOST, Refused, Transport, Undelivered
from service.errors import Code, ServiceError
from service.keys import PARTITIONS
from service.stepping import end
from service.times import present_ms

CLAIMED_AT_ONCE = 50
"""Mails of one partition: what a sender takes from others at a time, and delays when it dies."""

log = structlog.get_logger(__name__)


async def send_due(
    tools: Tools, at_ms: int | None = None, stopping: asyncio.Event | None = None
) -> Report:
    """Send all that is due, and what others left; until told to stop. Whoever left long ago is
    forgotten first.

    at_ms: what counts as now for what is due, Unix ms; without, the present.
    Raises MailServerAway, and ServiceError STATE_AWAY and STATE_UNSAFE; what was sent is recorded.
    """
    stopping = stopping or asyncio.Event()
    await tools.subscriptions.sweep(present_ms())
    try:
        notices = await tools.courier.send(stopping)
    except Undelivered as error:
        raise MailServerAway(str(error)) from error
    async with tools.storing(), AsyncExitStack() as stack:
        run = _Run(tools, stack, at_ms, stopping)
        run.report.notices = notices
        keeping = asyncio.create_task(run.keep())
        stack.push_async_callback(end, keeping)
        partitions = list(range(PARTITIONS))
        random.shuffle(partitions)  # senders that begin together do not meet
        found = 1
        while found and not run.stopping.is_set():
            found = sum([await run.partition(each) for each in partitions])
        return run.report


class _Run:
    """One run, with one connection to the mail server, made when it is first needed."""

    def __init__(
        self, tools: Tools, stack: AsyncExitStack, at_ms: int | None, stopping: asyncio.Event
    ) -> None:
        self.report = Report()
        self.stopping = stopping
        self._tools = tools
        self._ledger = tools.ledger
        self._outcomes = Outcomes(tools.ledger, self.report, tools.retry_seconds)
        self._lifecycle = Lifecycle(tools.subscriptions)
        self._stack = stack
        self._at_ms = at_ms
        self._connection: Transport | None = None
        self._lost = 0
        self._claims: Sequence[Claim] = ()

    async def keep(self) -> None:
        """Say again and again that we are at our mails."""
        while True:
            await asyncio.sleep(self._ledger.lease_seconds / 3)
            with suppress(ServiceError):  # then others may take them over
                await self._ledger.keep(self._claims)

    async def partition(self, partition: int) -> int:
        """Make the mails of a partition; how many there were."""
        made = offset = 0
        while not self.stopping.is_set():
            taken = await self._ledger.take_over(partition, CLAIMED_AT_ONCE)
            self._outcomes.name(taken.undecided)
            if taken.claims:
                await self._make(taken.claims)
                made += len(taken.claims)
            at_ms = self._at_ms or present_ms()
            due = await self._ledger.due(partition, at_ms, offset, CLAIMED_AT_ONCE)
            if not due and not taken.claims:
                break
            claims = await self._claim(partition, due, at_ms)
            offset += len(due) - len(claims)  # others have those
            await self._make(claims)
            made += len(claims)
        return made

    async def _claim(self, partition: int, due: Sequence[Due], at_ms: int) -> list[Claim]:
        """Of those that are due, the mails that are ours now. A digest that was missed is not made
        up for: the latest one counts."""
        if due:
            await self._connect()  # or nothing is claimed
        subscriptions = await self._tools.subscriptions.many([each.id for each in due])
        wanted = []
        for each, subscription in zip(due, subscriptions, strict=True):
            if subscription is None:  # erased, or not to be read: then it stays due
                continue
            try:
                next_ms, latest_ms = next_due(subscription, at_ms), latest_due(subscription, at_ms)
            except Exception:  # it stays due, and keeps no other back
                log.exception("nobody knows when a digest is due", subscription=each.id)
            else:
                wanted.append(Wanted(each.id, each.due_ms, next_ms, latest_ms))
        return await self._ledger.claim(partition, wanted)

    async def _make(self, claims: Sequence[Claim]) -> None:
        self._claims = claims
        ids = [each.id for each in claims]
        subscriptions = await self._tools.subscriptions.many(ids)
        sent = await self._ledger.sent_papers(ids)
        for number, (claim, subscription, papers) in enumerate(
            zip(claims, subscriptions, sent, strict=True)
        ):
            if self.stopping.is_set() or self._lost >= MAX_LOST:
                await self._give_back(claims[number:])
                break
            try:
                await self._one(claim, subscription, papers)
            except MailServerAway:
                await self._give_back(claims[number:])
                raise
        if self._lost >= MAX_LOST:
            raise MailServerAway("the mail server was lost again and again")

    async def _give_back(self, claims: Sequence[Claim]) -> None:
        """Leave mails that were not tried to others, or to the next run."""
        for each in claims:
            await self._ledger.settle(each, State.WAITING, attempts=0)

    async def _one(
        self, claim: Claim, subscription: Subscription | None, sent: frozenset[bytes]
    ) -> None:
        """Whatever goes wrong with one mail keeps no other back."""
        if claim.attempts >= MAX_ATTEMPTS:  # its last hand-over too is undecided
            await self._outcomes.give_up(claim, "nobody can say of any attempt whether it arrived")
            return
        if subscription is None:
            await self._outcomes.later(claim, "its subscription is gone or can't be read")
            return
        try:
            made = await self._made(claim, subscription, sent)
        except ServiceError as error:
            await self._unlisted(claim, error)
            return
        except Exception:
            log.exception("a digest can't be made", subscription=claim.id)
            made = State.FAILED
        if isinstance(made, State):
            await self._outcomes.settle(claim, made)
            return
        mail, prints = made
        await self._connect()  # where nobody is there, nothing is handed over
        try:
            ours = await self._ledger.handing_over(claim, str(mail["Message-ID"]), prints)
        except ServiceError:  # perhaps recorded all the same: it was not handed over
            await self._outcomes.give_back(claim)
            raise
        if ours:
            await self._hand_over(claim, mail)

    async def _made(
        self, claim: Claim, subscription: Subscription, sent: frozenset[bytes]
    ) -> State | tuple[EmailMessage, Sequence[bytes]]:
        """The mail, and the prints of what is in it; or why there is none.

        Raises ServiceError where there is no list.
        """
        if subscription.status is not Status.ACTIVE:
            return State.LEFT
        if _had_one_that_day(claim, subscription):
            return State.NOTHING
        if await self._lost_its_reader(subscription):
            await self._lifecycle.end(claim.id, present_ms())
            log.info("a digest has ended with the reader of its list", subscription=claim.id)
            return State.LEFT
        selection = await self._tools.contents.selection(subscription.content)
        found = selection.new(sent, self._tools.papers)
        if not found:
            return State.NOTHING
        mail = self._mail(claim, subscription, selection.heading, found)
        return mail, [each for candidate in found for each in candidate.prints]

    async def _lost_its_reader(self, subscription: Subscription) -> bool:
        """Whether it shows the list of a reader who was deleted after it was last changed: who
        asks for it later wants what that reader has done since."""
        content = subscription.content
        if content.kind is not ContentKind.READER:
            return False
        deleted_ms = await self._tools.tombstones.deleted_ms(content.reader_id)
        return deleted_ms >= subscription.revision

    def _mail(
        self, claim: Claim, subscription: Subscription, heading: str, found: Sequence[Candidate]
    ) -> EmailMessage:
        tools = self._tools
        entries = tools.contents.entries(found, tools.links)
        issue = Issue(claim.occurrence_ms, heading, entries)
        return digest_mail(subscription, issue, tools.links, tools.mail_from, present_ms())

    async def _hand_over(self, claim: Claim, mail: EmailMessage) -> None:
        connection = await self._connect()
        lost = 0
        try:
            await connection.send(mail)
        except Refused as error:
            if error.permanent:
                await self._lifecycle.suppress(claim.id, str(error), present_ms())
                await self._outcomes.settle(claim, State.REFUSED)
            else:
                await self._outcomes.later(claim, error)
        except Undelivered as error:
            if error.before_data:
                lost = self._lost + 1
                await self._outcomes.later(claim, error)
            else:
                await self._outcomes.undecided(claim, str(mail["Message-ID"]))
        except Exception:
            log.exception("a digest's hand-over went wrong", subscription=claim.id)
            await self._outcomes.undecided(claim, str(mail["Message-ID"]))
        else:
            await self._outcomes.sent(claim)
        self._lost = lost

    async def _unlisted(self, claim: Claim, error: ServiceError) -> None:
        """There is no list: for now, or since what it was asked for is not there any more."""
        if error.code is Code.UNAVAILABLE:
            await self._outcomes.later(claim, error)
        else:
            log.warning("a digest has no list", subscription=claim.id, because=str(error))
            await self._outcomes.settle(claim, State.FAILED)

    async def _connect(self) -> Transport:
        if self._connection is None:
            try:
                transport = self._tools.transport()
                self._connection = await self._stack.enter_async_context(transport)
            except Undelivered as error:
                raise MailServerAway(str(error)) from error
        return self._connection


def _had_one_that_day(claim: Claim, subscription: Subscription) -> bool:
    """Whether a digest went out on the same date there already, before its hour was changed."""
    return claim.sent_ms > 0 and local_date(subscription, claim.sent_ms) == local_date(
        subscription, claim.occurrence_ms
    )
