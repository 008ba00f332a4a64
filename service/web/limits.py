"""HTTP/1.1 as uvicorn speaks it, with bounds on what a slow or endless request may hold."""

import asyncio
from typing import Any, NamedTuple

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Limits(NamedTuple):
    """Bounds of one request.

    head_seconds: from the connection, or the first byte, to the end of the headers.
    request_seconds: from there to the end of the body.
    head_bytes: of request line and headers together.
    """

    head_seconds: float = 10.0
    request_seconds: float = 60.0
    head_bytes: int = 64 * 1024


class LimitedProtocol(HttpToolsProtocol):
    """Closes connections whose requests go over a bound."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._reads_head = True
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client came: it has to ask for something."""
        super().connection_made(transport)
        self._allow(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._allow(None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """A part of a request."""
        super().data_received(data)
        if self._reads_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.limits.head_bytes and not self.transport.is_closing():
                self.send_400_response("The request line and headers are too long.")

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._reads_head, self._head_bytes = True, 0
        self._allow(self.limits.head_seconds)

    def on_headers_complete(self) -> None:
        """The body follows."""
        super().on_headers_complete()
        self._reads_head = False
        self._allow(self.limits.request_seconds)

    def on_message_complete(self) -> None:
        """All of it is here."""
        super().on_message_complete()
        self._allow(None)

    def _allow(self, seconds: float | None) -> None:
        """Close the connection after so long, unless this is called again before. None: never."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if seconds is None else self.loop.call_later(seconds, self._close)

    def _close(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()
