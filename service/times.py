"""Points in time, as people and formats write them."""

from datetime import UTC, datetime


def rfc3339(time_ms: int) -> str:
    """Unix time in milliseconds as `2026-08-01T12:00:00.000Z`; years 1 to 9999."""
    seconds = datetime.fromtimestamp(time_ms // 1000, UTC).replace(tzinfo=None).isoformat()
    return f"{seconds}.{time_ms % 1000:03}Z"
