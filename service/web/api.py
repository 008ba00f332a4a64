"""The API for the pages: a page asks a handler as a client would, without a wire between."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from google.protobuf.message import Message
from starlette.requests import Request

from service.access import WIRE, Wire
from service.catalog import Catalog
from service.handlers import Method
from service.readers import Readers
from service.web.peers import peer


class Api:
    """The methods, in the process, and the facts of the model that serves.

    catalog: the models of this server.
    readers: where readers stand; pages ask only where everything is allowed.
    windows: the lengths of the windows of trending papers, in ms by name; the default first.
    open_to: whether who makes a call is allowed everything, as on loopback without API keys; to
        others pages show no reader, and write nothing for one.
    """

    def __init__(
        self,
        methods: Iterable[Method],
        catalog: Catalog,
        readers: Readers,
        windows: Mapping[str, int],
        open_to: Callable[[Wire], bool],
    ) -> None:
        self._methods = {
            (method.service.rpartition(".")[2], method.request): method
            for method in methods
            if not method.streaming
        }
        self.catalog = catalog
        self.readers = readers
        self.windows = windows
        self._open_to = open_to

    def open_to(self, request: Request) -> bool:
        """Whether who sent us this request is allowed everything."""
        return self._open_to(_wire(request))

    async def call(self, service: str, message: Message, request: Request) -> Any:
        """The answer of the method that takes such a message: a message of its response class.

        service: its own name, such as `RecommendationService`.
        message: stays as it is.
        request: what the browser sent us; the call is the service's own, so it counts as no
            browser's, but it comes from the same address.
        Raises ServiceError, and KeyError where no method takes such a message.
        """
        method = self._methods[service, type(message)]
        wire = _wire(request)
        WIRE.set(lambda: wire)
        copy = type(message)()
        copy.CopyFrom(message)
        answer = await method.handler(copy)  # type: ignore[misc]
        return method.response.FromString(answer) if isinstance(answer, bytes) else answer


def _wire(request: Request) -> Wire:
    metadata = tuple((name, value) for name, value in request.headers.items() if name != "origin")
    return Wire(metadata, peer(request.scope["client"]))
