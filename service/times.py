"""Points in time, as this service counts them and as formats write them."""

import time
from datetime import UTC, datetime

DAY_SECONDS = 86_400
DAY_MS = 1_000 * DAY_SECONDS


def present_ms() -> int:
    """The present as Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


def rfc3339(time_ms: int) -> str:
    """Unix time in milliseconds as `2026-08-01T12:00:00.000Z`; years 1 to 9999."""
    seconds = datetime.fromtimestamp(time_ms // 1000, UTC).replace(tzinfo=None).isoformat()
    return f"{seconds}.{time_ms % 1000:03}Z"
