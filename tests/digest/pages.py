"""The digest's pages as somebody without scripts has them, and the mailbox beside."""

import asyncio
import re
import time
from html import unescape
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

from redis.asyncio import Redis

from service.digest.lifecycle import Lifecycle
from service.digest.links import Tokens
from service.digest.store import Subscriptions
from service.digest.subscriptions import KEY_FILE, subscription_id
from service.secrets import SigningKeys, lasting_key
from tests.digest.mailboxes import Link, links, mails
from tests.explorer.forms import Sent, forms, send
from tests.explorer.markup import check
from tests.explorer.site import Site
from tests.serving import Worker
from tests.support import PATIENCE_SECONDS, wait_until

ADA = "ada@papers.example"


class Pages(Site):
    """The pages of a service whose mails go to a Maildir."""

    def __init__(self, worker: Worker, data: Path, state_url: str) -> None:
        super().__init__(worker.web_port)
        self.data = data
        self.state_url = state_url

    def read(self, path: str) -> str:
        """The HTML of a page, which must be fine."""
        self.page(path)
        return self.ask(path)[2]

    def subscribe(self, address: str = ADA, **changes: str) -> Sent:
        """Fill in the form and send it."""
        [form] = [form for form in forms(self.read("/digest")) if form.action == "/digest"]
        filled = {
            "address": address,
            "content": "trending",
            "window": "week",
            "frequency": "daily",
            "weekday": "1",
            "hour": "7",
            "time_zone": "Europe/Berlin",
        }
        return send(self, form._replace(fields=form.fields | filled | changes))

    def mail(self, count: int = 1, address: str = ADA) -> dict[str, Link]:
        """The links of the last of so many mails to an address, when it has come."""
        wait_until(lambda: len(mails(self.data, address)) >= count, f"mail {count} has come")
        found = mails(self.data, address)
        assert len(found) == count
        return links(found[-1])

    def press(self, page: str, action: str) -> Sent:
        """Press the one button of a page that leads there."""
        [form] = [form for form in forms(page) if form.action == action]
        return send(self, form)

    def confirmed(self, address: str = ADA, to: str = "", **changes: str) -> str:
        """Subscribe and confirm; the address of the page to change it, without its origin.

        to: where the mail comes, if the address is spelled otherwise.
        """
        self.subscribe(address, **changes)
        sent = self.press(self.read(local(self.mail(1, to or address)["confirm"])), CONFIRM)
        assert "Your digest is confirmed" in check(sent.body).text
        found = re.search(r'href="(/digest/manage[^"]+)"', sent.body)
        assert found
        return unescape(found[1])

    def suppress(self, address: str = ADA) -> None:
        """As a sender does that is refused for good."""

        async def suppress() -> None:
            async with Redis.from_url(self.state_url) as client:
                lifecycle = Lifecycle(Subscriptions(client))
                id = subscription_id(lasting_key(self.data / KEY_FILE), address)
                await lifecycle.suppress(id, "550 nobody here", int(time.time() * 1000))

        asyncio.run(suppress())

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and body of the answer to a POST from anywhere."""
        connection = HTTPConnection(
            "127.0.0.1", urlsplit(self.origin).port, timeout=PATIENCE_SECONDS
        )
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


CONFIRM, MANAGE, LEAVE, ERASE = (
    *("/digest/confirm", "/digest/manage"),
    *("/digest/unsubscribe", "/digest/erasure"),
)


def local(link: Link) -> str:
    """A link without its origin, which is where the service listens."""
    return "/" + link.url.split("/", 3)[3]


def leave_token(pages: Pages, address: str = ADA) -> str:
    """The token that the header List-Unsubscribe of a digest would have."""
    tokens = Tokens.of(SigningKeys.open(pages.data / "signing.keys"), pages.data)
    return tokens.leave_token(subscription_id(tokens.key, address))
