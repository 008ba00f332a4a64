"""How a subscription passes from one standing to another.

(none), PENDING, ENDED --subscribe--> PENDING --confirm--> ACTIVE
ACTIVE, SUPPRESSED, ENDED --change--> ACTIVE
ACTIVE, SUPPRESSED --end--> ENDED
ACTIVE --suppress--> SUPPRESSED
PENDING, ENDED and SUPPRESSED --time--> (none); any --erase--> (none)
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.digest.outbox import Notice
from service.digest.store import Subscriptions
from service.digest.subscriptions import Content, Frequency, Status, Subscription, next_revision
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
        while True:
            held = await self._subscriptions.read(id)
            before = held.subscription
            if before and before.status is Status.SUPPRESSED:
                return False
            if before and before.status is Status.ACTIVE:
                await self._subscriptions.notify(id, Notice.ALREADY, now_ms)
                return True
            revision = next_revision(before.revision if before else 0, now_ms)
            pending = Subscription(
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
            if await self._subscriptions.write(held, pending, now_ms, Notice.CONFIRM):
                return True

    async def confirm(self, id: str, revision: int, now_ms: int) -> Subscription:
        """Begin what a request asked for; one that has begun stays as it is. Whoever has the link
        reads the mailbox, so one that was suppressed begins again."""

        def confirmed(before: Subscription) -> Subscription:
            if before.status is Status.ENDED:
                raise gone()
            if before.status is Status.PENDING and before.revision != revision:
                raise changed()
            confirmed_ms = before.confirmed_ms or now_ms
            return replace(before, status=Status.ACTIVE, confirmed_ms=confirmed_ms, refusal="")

        return await self._change(id, confirmed, now_ms)

    async def change(self, id: str, wishes: Wishes, now_ms: int) -> Subscription:
        """Change what comes and when; one that was ended or suppressed begins again."""

        def wished(before: Subscription) -> Subscription:
            if before.status is Status.PENDING:
                message = "Nobody has confirmed this request yet: use the link to confirm first."
                raise ServiceError(Reason.SUBSCRIPTION_CHANGED, message)
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

    async def suppress(self, id: str, refusal: str, now_ms: int) -> None:
        """Send no more mails, since the mailbox refuses them for good; one that is gone, too.

        refusal: what its server said.
        """

        def suppressed(before: Subscription) -> Subscription:
            if before.status is Status.ENDED:
                return before
            return replace(before, status=Status.SUPPRESSED, refusal=refusal)

        try:
            await self._change(id, suppressed, now_ms)
        except ServiceError as error:
            if error.reason is not Reason.SUBSCRIPTION_NOT_FOUND:
                raise

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


def gone() -> ServiceError:
    """The error of a link to what is not there."""
    message = (
        "There is no such subscription any more: it was erased, or nobody confirmed it in time. "
        "Subscribe again."
    )
    return ServiceError(Reason.SUBSCRIPTION_NOT_FOUND, message)


def changed() -> ServiceError:
    """The error of a link to a request that another has replaced."""
    message = "A later request took the place of this one: use the link of the latest mail."
    return ServiceError(Reason.SUBSCRIPTION_CHANGED, message)
