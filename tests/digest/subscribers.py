"""Subscriptions for tests of sending."""

from datetime import UTC, datetime

from service.digest.subscriptions import (
    Content,
    ContentKind,
    Frequency,
    Status,
    Subscription,
    subscription_id,
)

KEY = bytes(range(32))
DAY_MS = 86_400_000
DUE_MS = round(datetime(2026, 3, 2, 7, tzinfo=UTC).timestamp() * 1_000)
"""A Monday, seven o'clock in UTC: when the subscriptions of these tests are due first."""

TRENDING = Content(ContentKind.TRENDING, window="week")


def subscription(address: str, content: Content = TRENDING, **changes: object) -> Subscription:
    """An active one, daily at seven in UTC."""
    fields: dict[str, object] = {
        "id": subscription_id(KEY, address),
        "address": address,
        "time_zone": "UTC",
        "frequency": Frequency.DAILY,
        "weekday": 0,
        "hour": 7,
        "content": content,
        "status": Status.ACTIVE,
        "created_ms": DUE_MS - DAY_MS,
        "confirmed_ms": DUE_MS - DAY_MS,
        "revision": DUE_MS - DAY_MS,
    }
    return Subscription(**{**fields, **changes})  # type: ignore[arg-type]
