"""What a subscription is, in words for people: what comes, and when."""

import calendar

from service.digest.schedule import Schedule
from service.digest.subscriptions import Content, ContentKind, Frequency


def what(content: Content) -> str:
    """What a digest is made of, such as `papers that trend this week`."""
    match content.kind:
        case ContentKind.TRENDING:
            window = content.window or "week"
            return f"papers that trend {'today' if window == 'day' else f'this {window}'}"
        case ContentKind.SEARCH:
            return f"papers that match “{content.query}”, the newest first"
        case ContentKind.SEEDS:
            count = len(content.paper_ids)
            return f"papers like {'one' if count == 1 else count} that you named, the newest first"
        case _:
            return "papers picked for what you have saved and read"


def when(subscription: Schedule) -> str:
    """When it comes, such as `every Monday at 08:00 (Europe/Berlin)`."""
    match subscription.frequency:
        case Frequency.DAILY:
            days = "every day"
        case Frequency.WEEKDAYS:
            days = "every day from Monday to Friday"
        case _:
            days = f"every {calendar.day_name[subscription.weekday - 1]}"
    return f"{days} at {subscription.hour:02}:00 ({subscription.time_zone})"
