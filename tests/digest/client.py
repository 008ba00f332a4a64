"""DigestService as a client has it, over any wire."""

import time
from collections.abc import Mapping
from typing import Any

from google.protobuf.message import Message

from relatedpapers.v1 import digest_service_pb2 as pb
from service.errors import CODES, DOMAIN, Reason
from service.settings import Settings
from tests.digest.mailboxes import Link, links, mails
from tests.service.support import until
from tests.serving import Running
from tests.web.wires import WIRES, Failure, Wire, parsed

ADA = "ada@papers.example"
SUBSCRIBE, CONFIRM, GET, UPDATE, LEAVE, ERASE = (
    f"DigestService/{name}"
    for name in (
        *("Subscribe", "ConfirmSubscription", "GetSubscription"),
        *("UpdateSubscription", "Unsubscribe", "EraseSubscription"),
    )
)
RESPONSES: Mapping[str, type[Message]] = {
    SUBSCRIBE: pb.SubscribeResponse,
    CONFIRM: pb.ConfirmSubscriptionResponse,
    GET: pb.GetSubscriptionResponse,
    UPDATE: pb.UpdateSubscriptionResponse,
    LEAVE: pb.UnsubscribeResponse,
    ERASE: pb.EraseSubscriptionResponse,
}


def preferences(**changes: Any) -> pb.DigestPreferences:
    """Trending papers of the week, daily at seven in Berlin."""
    content = changes.pop("content", pb.DigestContent(trending_window="week"))
    fields = {"time_zone": "Europe/Berlin", "hour": 7, "content": content, **changes}
    return pb.DigestPreferences(**fields)


def subscribing(address: str = ADA, **changes: Any) -> pb.SubscribeRequest:
    return pb.SubscribeRequest(address=address, preferences=preferences(**changes))


class Service:
    """A service as one of its clients has it. wire: the name of the protocol."""

    def __init__(self, running: Running, settings: Settings, wire: str = "grpc") -> None:
        application = running.application
        self._wire: Wire = WIRES[wire](application.port, application.web_port)
        self._json = wire == "connect-json"
        self.data = settings.data_dir

    async def ask(
        self, method: str, request: Message, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The answer, or the failure."""
        answer = await self._wire.call(method, request, headers or {})
        return parsed(answer, RESPONSES[method], json=self._json)

    async def refused(self, method: str, request: Message, **more: Any) -> Failure:
        """The failure."""
        found = await self.ask(method, request, **more)
        assert isinstance(found, Failure), found
        assert found.domain == DOMAIN
        assert CODES[Reason(found.reason)] == found.code
        return found

    async def mail(self, count: int = 1, address: str = ADA) -> dict[str, Link]:
        """The links of the last of so many mails to an address, when it has come."""
        await until(lambda: len(mails(self.data, address)) >= count)
        found = mails(self.data, address)
        assert len(found) == count
        return links(found[-1])

    async def subscribed(self, address: str = ADA, **changes: Any) -> str:
        """The token with which a confirmed subscription is changed."""
        before = len(mails(self.data, address))
        await self.ask(SUBSCRIBE, subscribing(address, **changes))
        token = (await self.mail(before + 1, address))["confirm"].token
        answer = await self.ask(CONFIRM, pb.ConfirmSubscriptionRequest(token=token))
        return str(answer.manage_token)


def now_ms() -> int:
    return int(time.time() * 1000)
