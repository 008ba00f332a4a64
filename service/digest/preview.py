"""A digest as it would be sent now, to look at."""

import secrets
from email.message import EmailMessage

from service.digest.mail import Issue, digest_mail
from service.digest.subscriptions import ID_BYTES, Content, Frequency, Status, Subscription
from service.digest.tools import Tools
from service.times import present_ms


async def preview(tools: Tools, content: Content, address: str) -> EmailMessage | None:
    """The first digest of somebody who subscribes now; None where there is no paper.

    address: kept, see service/digest/addresses.py. Whoever it is, the links concern nobody: who
    finds a preview must not be able to change or end a digest.
    Fails as the method fails that the content asks.
    """
    now_ms = present_ms()
    selection = await tools.contents.selection(content)
    found = selection.new(frozenset(), tools.papers)
    if not found:
        return None
    subscription = Subscription(
        id=secrets.token_hex(ID_BYTES),
        address=address,
        time_zone="UTC",
        frequency=Frequency.DAILY,
        weekday=0,
        hour=7,
        content=content,
        status=Status.ACTIVE,
        created_ms=now_ms,
        confirmed_ms=now_ms,
        revision=now_ms,
    )
    entries = tools.contents.entries(found, tools.links)
    issue = Issue(now_ms, selection.heading, entries)
    return digest_mail(subscription, issue, tools.links, tools.mail_from, now_ms)
