"""What a client can ask about digests by mail. Each token is that of a link in a mail."""

from collections.abc import Mapping

from relatedpapers.calls import Call, itself
from relatedpapers.v1.digest_service_pb2 import (
    ConfirmSubscriptionRequest,
    ConfirmSubscriptionResponse,
    DigestPreferences,
    EraseSubscriptionRequest,
    EraseSubscriptionResponse,
    GetSubscriptionRequest,
    GetSubscriptionResponse,
    SubscribeRequest,
    SubscribeResponse,
    Subscription,
    UnsubscribeRequest,
    UnsubscribeResponse,
    UpdateSubscriptionRequest,
    UpdateSubscriptionResponse,
)

ERASE_SECONDS = 90.0
"""How long erasing may take by default: the service waits a minute for its file."""

Preferences = DigestPreferences | Mapping[str, object]
"""What comes, and when; as a plain dictionary `{"time_zone": "Europe/Berlin", "hour": 7, "content":
{"trending_window": "week"}}`."""


def subscribe(
    address: str, preferences: Preferences, *, timeout_seconds: float | None = None
) -> Call[None]:
    """Have a mailbox asked whether it wants a digest; whatever it has already, it alone is told."""
    return Call(
        "/relatedpapers.v1.DigestService/Subscribe",
        SubscribeRequest(address=address, preferences=_message(preferences)),
        SubscribeResponse,
        _nothing,
        timeout_seconds,
    )


def confirm_subscription(
    token: str, *, timeout_seconds: float | None = None
) -> Call[ConfirmSubscriptionResponse]:
    """Begin what a link to confirm names; the answer has a token to change it."""
    return Call(
        "/relatedpapers.v1.DigestService/ConfirmSubscription",
        ConfirmSubscriptionRequest(token=token),
        ConfirmSubscriptionResponse,
        itself,
        timeout_seconds,
    )


def get_subscription(token: str, *, timeout_seconds: float | None = None) -> Call[Subscription]:
    """A subscription. Raises NotFoundError if it is gone."""
    return Call(
        "/relatedpapers.v1.DigestService/GetSubscription",
        GetSubscriptionRequest(token=token),
        GetSubscriptionResponse,
        lambda response: response.subscription,
        timeout_seconds,
    )


def update_subscription(
    token: str, preferences: Preferences, *, timeout_seconds: float | None = None
) -> Call[Subscription]:
    """The subscription with these preferences in the place of its own; one that ended begins
    again."""
    return Call(
        "/relatedpapers.v1.DigestService/UpdateSubscription",
        UpdateSubscriptionRequest(token=token, preferences=_message(preferences)),
        UpdateSubscriptionResponse,
        lambda response: response.subscription,
        timeout_seconds,
    )


def unsubscribe(token: str, *, timeout_seconds: float | None = None) -> Call[None]:
    """End a subscription; one that has ended or is gone, too."""
    return Call(
        "/relatedpapers.v1.DigestService/Unsubscribe",
        UnsubscribeRequest(token=token),
        UnsubscribeResponse,
        _nothing,
        timeout_seconds,
    )


def erase_subscription(
    token: str, *, timeout_seconds: float | None = ERASE_SECONDS
) -> Call[EraseSubscriptionResponse]:
    """Delete what is stored of a subscription; the answer says whether the disk forgot it too."""
    return Call(
        "/relatedpapers.v1.DigestService/EraseSubscription",
        EraseSubscriptionRequest(token=token),
        EraseSubscriptionResponse,
        itself,
        timeout_seconds,
    )


def _message(preferences: Preferences) -> DigestPreferences:
    if isinstance(preferences, DigestPreferences):
        return preferences
    return DigestPreferences(**preferences)  # type: ignore[arg-type]


def _nothing(_response: object) -> None:
    """The answer says no more than that there is one."""
