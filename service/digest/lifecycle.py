"""How a subscription passes from one standing to another.

(none), ENDED --subscribe--> as it was, with a PENDING request beside it
(none), ENDED --confirm a request, SUPPRESSED --confirm--> ACTIVE
ACTIVE, SUPPRESSED, ENDED --change--> ACTIVE
ACTIVE, SUPPRESSED --end--> ENDED
ACTIVE, (none) with a request --suppress--> SUPPRESSED
ENDED, SUPPRESSED and requests --time--> (none); any --erase--> (none)

Requests wait beside one another, each with a link of its own, until one is confirmed: of whoever
sends one to a mailbox that is not theirs, nothing else follows.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from service.digest.outbox import Notice
from service.digest.store import Held, Subscriptions
from service.digest.subscriptions import (
    Content,
    Frequency,
    Status,
    Subscription,
    Tally,
    Unreadable,
    next_revision,
)
from service.errors import Reason, ServiceError


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a subscriber chooses; the fields are those of a Subscription."""

    time_zone: str
    frequency: Frequency
    weekday: int
    hour: int
    content: Content


class Lifecycle:
    """Moves subscriptions. Every method raises ServiceError; `now_ms` is a Unix time."""

    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    async def subscribe(self, id: str, address: str, wishes: Wishes, now_ms: int) -> bool:
        """Ask for a subscription; whether its mailbox is sent a notice."""
        revision = 0
        while True:
            held = await self._subscriptions.read(id)
            if held.status is Status.SUPPRESSED:
                return False
            if held.status is Status.ACTIVE:
                await self._subscriptions.notify(id, Notice.ALREADY, now_ms)
                return True
            revision = next_revision(max(revision, held.revision), now_ms)
            request = Subscription(
                id=id,
                address=address,
                time_zone=wishes.time_zone,
                frequency=wishes.frequency,
                weekday=wishes.weekday,
                hour=wishes.hour,
                content=wishes.content,
                status=Status.PENDING,
                created_ms=now_ms,
                confirmed_ms=0,
                revision=revision,
            )
            if await self._subscriptions.ask(held, request, now_ms):
                return True

    async def requested(self, id: str, revision: int) -> Subscription:
        """What a link to confirm names; see `confirm`."""
        return (await self._named(id, revision)).subscription

    async def confirm(self, id: str, revision: int, now_ms: int) -> Subscription:
        """Begin what a request asked for; one that has begun stays as it is. Whoever has the link
        reads the mailbox, so one that was suppressed begins again."""
        while True:
            held, named = await self._named(id, revision)
            if named.status is Status.ACTIVE:
                return named
            after = replace(
                named,
                status=Status.ACTIVE,
                confirmed_ms=named.confirmed_ms or now_ms,
                revision=next_revision(max(named.revision, held.revision), now_ms),
                refusal="",
            )
            request = named if named.status is Status.PENDING else None
            if await self._subscriptions.write(held, after, now_ms, request):
                return after

    async def change(self, id: str, wishes: Wishes, now_ms: int) -> Subscription:
        """Change what comes and when; one that was ended or suppressed begins again."""

        def wished(before: Subscription) -> Subscription:
            return replace(
                before,
                confirmed_ms=before.confirmed_ms or now_ms,
                time_zone=wishes.time_zone,
                frequency=wishes.frequency,
                weekday=wishes.weekday,
                hour=wishes.hour,
                content=wishes.content,
                status=Status.ACTIVE,
                refusal="",
            )

        return await self._change(id, wished, now_ms)

    async def end(self, id: str, now_ms: int) -> None:
        """End a subscription; one that has ended or is gone, too."""
        try:
            await self._change(id, lambda before: replace(before, status=Status.ENDED), now_ms)
        except ServiceError as error:
            if error.reason is not Reason.SUBSCRIPTION_NOT_FOUND:
                raise

    async def suppress(self, id: str, refusal: str, now_ms: int) -> Subscription | None:
        """Send no more mails, since the mailbox refuses them for good; nor notices, where there is
        no more than a request yet. What is suppressed so, or None: one that has ended, or is
        suppressed already, or gone, or can't be read, stays so.

        refusal: what its server said.
        """
        while True:
            try:
                held = await self._subscriptions.read(id)
                known = held.subscription is not None
                request = None if known else await self._subscriptions.latest_request(id)
            except Unreadable:
                return None
            before = held.subscription or request
            if before is None or held.status in {Status.ENDED, Status.SUPPRESSED}:
                return None
            revision = next_revision(before.revision, now_ms)
            after = replace(before, status=Status.SUPPRESSED, refusal=refusal, revision=revision)
            if await self._subscriptions.write(held, after, now_ms, request):
                await self._subscriptions.tally(id, Tally.SUPPRESSED)
                return after

    async def _named(self, id: str, revision: int) -> "_Named":
        held = await self._subscriptions.read(id)
        if held.subscription and held.status is Status.ACTIVE:
            return _Named(held, held.subscription)
        if request := await self._subscriptions.request(id, revision):
            return _Named(held, request)
        if held.subscription and held.status is Status.SUPPRESSED:
            return _Named(held, held.subscription)
        raise gone()

    async def _change(
        self, id: str, change: Callable[[Subscription], Subscription], now_ms: int
    ) -> Subscription:
        while True:
            held = await self._subscriptions.read(id)
            if held.subscription is None:
                raise gone()
            after = change(held.subscription)
            if after == held.subscription:
                return after
            after = replace(after, revision=next_revision(after.revision, now_ms))
            if await self._subscriptions.write(held, after, now_ms):
                return after


class _Named(NamedTuple):
    """What a link to confirm names.

    held: the subscription as it is. subscription: a request that waits beside it, or itself: one
    that has begun, or is suppressed.
    """

    held: Held
    subscription: Subscription


def gone() -> ServiceError:
    """The error of a link to what is not there."""
    message = (
        "There is no such subscription any more: it has ended, was erased, or nobody confirmed it "
        "in time. Subscribe again."
    )
    return ServiceError(Reason.SUBSCRIPTION_NOT_FOUND, message)
