"""What is done to every answer of the web port on its way out: 304, compression, its length."""

import re
import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope, Send

from service.web.caching import matches

MIN_BYTES = 1024
"""Shorter answers fit one packet as they are."""

_LEVEL = 1  # of JSON, level 6 makes a tenth less for twice the time
_COMPRESSIBLE = re.compile(
    r"text/|image/svg|application/"
    r"(json|proto|javascript|(manifest|openapi|feed)\+json|atom\+xml)"
)

_REFUSED = re.compile(r"\s*q=0(\.0*)?\s*")  # the weight of what a client does not take


class Finishing:
    """Sends one answer. Those in one piece are finished, streams pass as they are."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._headers = Headers(scope=scope)
        self._reads = scope["method"] in {"GET", "HEAD"}
        self._send = send
        self._start: Message | None = None
        self.status = 0
        """Of the answer; 0 before there is one."""

    async def __call__(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:  # it goes on
            await self._send(message)
            return
        if not message.get("more_body", False):
            self._finish(start, message)
        self.status = start["status"]
        await self._send(start)
        await self._send(message)

    def _finish(self, start: Message, message: Message) -> None:
        headers = MutableHeaders(raw=list(start.get("headers", ())))
        body = message.get("body", b"")
        if headers.get("content-encoding") == "identity":
            del headers["content-encoding"]
        kind = headers.get("content-type", "")
        if _COMPRESSIBLE.match(kind) and "accept-encoding" not in headers.get("vary", "").lower():
            headers.add_vary_header("Accept-Encoding")
        if self._unchanged(start["status"], headers):
            start["status"], body = 304, b""
            for name in ("content-type", "content-length", "content-encoding"):
                del headers[name]
        elif self._compresses(body, kind, headers):
            compressor = zlib.compressobj(_LEVEL, wbits=zlib.MAX_WBITS | 16)
            body = compressor.compress(body) + compressor.flush()
            headers["content-encoding"] = "gzip"
        if start["status"] not in {204, 304} and (body or "content-length" not in headers):
            headers["content-length"] = str(len(body))
        start["headers"] = headers.raw
        message["body"] = body

    def _unchanged(self, status: int, headers: Headers) -> bool:
        tag, wanted = headers.get("etag"), self._headers.get("if-none-match")
        return bool(self._reads and status == 200 and tag and wanted and matches(tag, wanted))

    def _compresses(self, body: bytes, kind: str, headers: Headers) -> bool:
        return (
            len(body) >= MIN_BYTES
            and "content-encoding" not in headers
            and _COMPRESSIBLE.match(kind) is not None
            and accepts_gzip(self._headers.get("accept-encoding", ""))
        )


def accepts_gzip(accepted: str) -> bool:
    """Whether the value of an Accept-Encoding allows gzip (RFC 9110, 12.5.3)."""
    allowed = {}
    for each in accepted.lower().split(","):
        name, _, parameters = each.partition(";")
        allowed[name.strip()] = _REFUSED.fullmatch(parameters) is None
    return allowed.get("gzip", allowed.get("*", False))
