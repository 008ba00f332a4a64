"""One call over each protocol, and what each client would make of the answer."""

import base64
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message

from service.errors import Code
from tests.service.support import GOOGLE_RPC
from tests.web.http import NOTHING, PACKAGE, Answer, Http, query


class Failure(NamedTuple):
    """What a client learns of a failed call: `ErrorInfo` included, and that there was one alone."""

    code: Code
    message: str
    reason: str
    domain: str
    metadata: dict[str, str]


Outcome = Message | Failure


class Wire(Protocol):
    """A protocol that a service is called over."""

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        """The answer's bytes in protobuf's own format, or the failure.

        method: `PaperService/GetPaper`. request: bytes are sent as they are.
        """


class Grpc:
    """gRPC itself, on its own port."""

    def __init__(self, port: int) -> None:
        self._address = f"127.0.0.1:{port}"

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        async with grpc.aio.insecure_channel(self._address) as channel:
            send: Any = channel.unary_unary(PACKAGE + method)
            try:
                answer = await send(_bytes(request), metadata=tuple(headers.items()))
            except grpc.aio.AioRpcError as error:
                trailers = dict(error.trailing_metadata() or ())
                details = trailers["grpc-status-details-bin"]
                assert isinstance(details, bytes)
                return _failure(error.code().value[0], error.details() or "", details)
            assert isinstance(answer, bytes)
            return answer


class ConnectJson:
    """Connect with JSON: what `curl` and `fetch` send."""

    def __init__(self, port: int) -> None:
        self._http = Http(port)

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        given = request
        body = given if isinstance(given, bytes) else json_format.MessageToJson(given).encode()
        sent = {"content-type": "application/json", **headers}
        answer = await self._http.send("POST", PACKAGE + method, body, sent)
        return connect_failure(answer) or answer.content


class ConnectGet:
    """Connect with GET, for methods without side effects."""

    def __init__(self, port: int) -> None:
        self._http = Http(port)

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        assert isinstance(request, Message)
        answer = await self._http.get(query(method, request), headers)
        return connect_failure(answer) or answer.content


class ConnectBinary:
    """Connect with protobuf's own format."""

    def __init__(self, port: int) -> None:
        self._http = Http(port)

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        sent = {"content-type": "application/proto", **headers}
        answer = await self._http.send("POST", PACKAGE + method, _bytes(request), sent)
        return connect_failure(answer) or answer.content


class GrpcWeb:
    """gRPC-Web: frames in the body, the trailers as the last of them, or as headers alone."""

    def __init__(self, port: int) -> None:
        self._http = Http(port)

    async def call(
        self, method: str, request: Message | bytes, headers: Mapping[str, str] = NOTHING
    ) -> bytes | Failure:
        data = _bytes(request)
        body = struct.pack(">BI", 0, len(data)) + data
        sent = {"content-type": "application/grpc-web+proto", "x-grpc-web": "1", **headers}
        answer = await self._http.send("POST", PACKAGE + method, body, sent)
        assert answer.status == 200
        assert answer.headers["content-type"] == "application/grpc-web+proto"
        frames = list(_frames(answer.body))
        trailers = answer.headers
        if "grpc-status" not in trailers:
            flag, last = frames.pop()
            assert flag == 0x80
            trailers = dict(line.split(": ", 1) for line in last.decode().splitlines())
        if trailers["grpc-status"] == "0":
            [(flag, message)] = frames
            assert flag == 0
            return message
        assert not frames
        details = _base64(trailers["grpc-status-details-bin"])
        message_text = unquote(trailers["grpc-message"])
        return _failure(int(trailers["grpc-status"]), message_text, details)


WIRES: Mapping[str, Callable[[int, int], Wire]] = {
    "grpc": lambda grpc_port, _: Grpc(grpc_port),
    "connect-json": lambda _, web_port: ConnectJson(web_port),
    "connect-get": lambda _, web_port: ConnectGet(web_port),
    "connect-binary": lambda _, web_port: ConnectBinary(web_port),
    "grpc-web": lambda _, web_port: GrpcWeb(web_port),
}
"""How to call over each protocol, given both ports."""


def connect_failure(answer: Answer) -> Failure | None:
    """The failure that a Connect answer tells; None where it is an answer."""
    if answer.status == 200:
        return None
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    [detail] = told["details"]
    assert detail["type"] == "google.rpc.ErrorInfo"
    info = GOOGLE_RPC["google.rpc.ErrorInfo"].FromString(_base64(detail["value"]))
    metadata = dict(info.metadata)
    # The same once more, for people who read JSON.
    shown = {"reason": info.reason, "domain": info.domain}
    assert detail["debug"] == ({**shown, "metadata": metadata} if metadata else shown)
    code = Code[told["code"].upper()]
    return Failure(code, told["message"], info.reason, info.domain, metadata)


def parsed(answer: bytes | Failure, response: type[Message], *, json: bool) -> Outcome:
    """An answer as a message."""
    if isinstance(answer, Failure):
        return answer
    return json_format.Parse(answer, response()) if json else response.FromString(answer)


def _failure(code: int, message: str, details: bytes) -> Failure:
    status = GOOGLE_RPC["google.rpc.Status"].FromString(details)
    assert (status.code, status.message) == (code, message)
    [detail] = status.details
    assert detail.type_url == "type.googleapis.com/google.rpc.ErrorInfo"
    info = GOOGLE_RPC["google.rpc.ErrorInfo"].FromString(detail.value)
    return Failure(Code(code), message, info.reason, info.domain, dict(info.metadata))


def _bytes(request: Message | bytes) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))


def _frames(body: bytes) -> list[tuple[int, bytes]]:
    frames = []
    while body:
        flag, length = struct.unpack(">BI", body[:5])
        frames.append((flag, body[5 : 5 + length]))
        body = body[5 + length :]
    return frames
