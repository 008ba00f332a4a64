"""DigestService: who gets which papers by mail. Only a mailbox learns anything of a subscription,
and only links that it was sent change one."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from relatedpapers.v1 import digest_service_pb2 as pb
from service.access import Access
from service.api_keys import Scope
from service.catalog import Catalog
from service.digest.lifecycle import Lifecycle, Wishes, gone
from service.digest.limits import Limits
from service.digest.links import ExpiredToken, Tokens
from service.digest.preferences import address, preferences, wishes
from service.digest.store import Subscriptions
from service.digest.subscriptions import (
    Content,
    ContentKind,
    Status,
    Subscription,
    Unreadable,
    subscription_id,
)
from service.errors import Reason, ServiceError
from service.feedback import no_state
from service.feedback_state import FeedbackState
from service.secrets import InvalidToken
from service.state_files import rewrite_files
from service.times import present_ms
from service.validation import missing

_REWRITE_PATIENCE_SECONDS = 60.0


class DigestState(NamedTuple):
    """What DigestService needs of the state server."""

    server: FeedbackState
    subscriptions: Subscriptions
    lifecycle: Lifecycle
    limits: Limits

    @classmethod
    def open(cls, server: FeedbackState, requests_per_hour: int) -> "DigestState":
        """All of it. requests_per_hour: how many one network may send."""
        subscriptions = Subscriptions(server.client)
        limits = Limits(server.client, requests_per_hour)
        return cls(server, subscriptions, Lifecycle(subscriptions), limits)


class DigestHandlers:
    """The methods of DigestService. Those that store something raise STATE_UNSAFE where it could be
    lost; leaving and erasing work all the same.

    state: None if the service was started without a state server.
    windows: the names of those of trending papers.
    waits: called when there may be a notice to send.
    """

    def __init__(
        self,
        catalog: Catalog,
        access: Access,
        tokens: Tokens,
        state: DigestState | None,
        windows: Collection[str],
        waits: Callable[[], None],
    ) -> None:
        self._catalog = catalog
        self._access = access
        self._tokens = tokens
        self._state = state
        self._windows = windows
        self._waits = waits

    async def subscribe(self, request: pb.SubscribeRequest) -> pb.SubscribeResponse:
        """Send the mailbox what it needs; the answer is always the same."""
        state = self._stored()
        mailbox = address(request.address)
        chosen = self._wishes(request.preferences, None)
        id = subscription_id(self._tokens.key, mailbox)
        async with state.server.storing():
            if not self._access.allows(Scope.DIGEST):
                await state.limits.admit_origin(self._access.network())
            if await state.limits.admit_mailbox(id):
                with suppress(Unreadable):  # as if all were well: only the log is told
                    await state.lifecycle.subscribe(id, mailbox, chosen, present_ms())
                self._waits()
        return pb.SubscribeResponse()

    async def confirm_subscription(
        self, request: pb.ConfirmSubscriptionRequest
    ) -> pb.ConfirmSubscriptionResponse:
        """Begin what a link to confirm names."""
        state, now_ms = self._stored(), present_ms()
        with _token_errors(request.token):
            id, revision = self._tokens.read_confirm(request.token, now_ms)
        async with state.server.storing():
            confirmed = await state.lifecycle.confirm(id, revision, now_ms)
        return pb.ConfirmSubscriptionResponse(
            subscription=await _message(state, confirmed),
            manage_token=self._tokens.manage_token(id, now_ms),
        )

    async def get_subscription(
        self, request: pb.GetSubscriptionRequest
    ) -> pb.GetSubscriptionResponse:
        """A subscription, by the token of a link to confirm or to change it."""
        state = self._stored()
        found = await self._asked(state, request.token)
        return pb.GetSubscriptionResponse(subscription=await _message(state, found))

    async def update_subscription(
        self, request: pb.UpdateSubscriptionRequest
    ) -> pb.UpdateSubscriptionResponse:
        """Change what comes and when."""
        state, now_ms = self._stored(), present_ms()
        with _token_errors(request.token):
            id = self._tokens.read_manage(request.token, now_ms)
        before = await state.subscriptions.get(id)
        if before is None:
            raise gone()
        chosen = self._wishes(request.preferences, before.content)
        async with state.server.storing():
            after = await state.lifecycle.change(id, chosen, now_ms)
        return pb.UpdateSubscriptionResponse(subscription=await _message(state, after))

    async def unsubscribe(self, request: pb.UnsubscribeRequest) -> pb.UnsubscribeResponse:
        """End a subscription, by the token of a link to leave or to change it."""
        state, now_ms = self._stored(), present_ms()
        with _token_errors(request.token):
            try:
                id = self._tokens.read_leave(request.token)
            except InvalidToken:
                id = self._tokens.read_manage(request.token, now_ms)
        await state.lifecycle.end(id, now_ms)
        return pb.UnsubscribeResponse()

    async def erase_subscription(
        self, request: pb.EraseSubscriptionRequest
    ) -> pb.EraseSubscriptionResponse:
        """Delete a subscription, from the files of the state server too."""
        state = self._stored()
        id = self._named(request.token).id
        if not await state.subscriptions.erase(id):
            return pb.EraseSubscriptionResponse()  # or anybody could have the file written at will
        files = await rewrite_files(state.server.client, _REWRITE_PATIENCE_SECONDS)
        return pb.EraseSubscriptionResponse(file_rewritten=files.complete)

    def _stored(self) -> DigestState:
        if self._state is None:
            raise no_state()
        return self._state

    def _wishes(self, given: pb.DigestPreferences, before: Content | None) -> Wishes:
        """What is chosen. before: what the subscription is made of; whoever may change it may leave
        that as it is."""
        chosen = wishes(given, self._catalog.serving.artifact.papers, self._windows)
        if chosen.content.kind is ContentKind.READER and chosen.content != before:
            self._access.require(Scope.READ)
        return chosen

    def _named(self, token: str) -> "_Named":
        """What a link to change names, or a link to confirm."""
        now_ms = present_ms()
        with _token_errors(token):
            try:
                return _Named(self._tokens.read_manage(token, now_ms), None)
            except ExpiredToken:
                raise
            except InvalidToken:
                return _Named(*self._tokens.read_confirm(token, now_ms))

    async def _asked(self, state: DigestState, token: str) -> Subscription:
        id, revision = self._named(token)
        if revision is not None:
            return await state.lifecycle.requested(id, revision)
        found = await state.subscriptions.get(id)
        if found is None:
            raise gone()
        return found


class _Named(NamedTuple):
    """revision: of the request that a link to confirm names; None for a link to change."""

    id: str
    revision: int | None


@contextmanager
def _token_errors(token: str) -> Iterator[None]:
    """Turns what is wrong with a token into ServiceError. The token itself is never repeated."""
    if not token:
        raise missing("token", "give the one of a link in a mail")
    try:
        yield
    except ExpiredToken as error:
        message = f"The link is too old: {error}. Take one from a later mail, or subscribe."
        raise ServiceError(Reason.DIGEST_TOKEN_EXPIRED, message, field="token") from error
    except InvalidToken as error:
        message = "The link is not whole, or not one for this: copy all of it from the mail."
        raise ServiceError(Reason.DIGEST_TOKEN_INVALID, message, field="token") from error


async def _message(state: DigestState, found: Subscription) -> pb.Subscription:
    message = pb.Subscription(
        address=found.address,
        preferences=preferences(found),
        status=pb.SubscriptionStatus.Name(found.status),
    )
    message.create_time.FromMilliseconds(found.created_ms)
    if found.confirmed_ms:
        message.confirm_time.FromMilliseconds(found.confirmed_ms)
    if found.status is Status.ACTIVE:
        due_ms = await state.subscriptions.next_due_ms(found.id)
        if due_ms is not None:
            message.next_time.FromMilliseconds(due_ms)
    return message
