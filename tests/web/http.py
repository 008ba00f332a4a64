"""An HTTP client that shows everything, and hides nothing that a server said."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from http.client import HTTPConnection
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlencode

from google.protobuf import json_format
from google.protobuf.message import Message
from prometheus_client.parser import text_string_to_metric_families as families

from tests.support import PATIENCE_SECONDS

PACKAGE = "/relatedpapers.v1."
JSON = MappingProxyType({"content-type": "application/json"})
NOTHING: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """What came back. headers: lower-case names; values of one name joined by commas."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> bytes:
        """The body, decompressed."""
        compressed = self.body and self.headers.get("content-encoding") == "gzip"
        return gzip.decompress(self.body) if compressed else self.body

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.content)


def answer_of(
    port: int, verb: str, path: str, headers: Mapping[str, str] = NOTHING, body: bytes = b""
) -> Answer:
    """The answer to a request of a port of this machine."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(verb, path, body or None, dict(headers))
        response = connection.getresponse()
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            found[name.lower()] = ", ".join(filter(None, (found.get(name.lower()), value)))
        return Answer(response.status, found, response.read())
    finally:
        connection.close()


class Http:
    """Asks one port of this machine, each request on a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    async def send(
        self, verb: str, path: str, body: bytes = b"", headers: Mapping[str, str] = NOTHING
    ) -> Answer:
        """The answer to a request."""
        return await asyncio.to_thread(answer_of, self.port, verb, path, headers, body)

    async def get(self, path: str, headers: Mapping[str, str] = NOTHING) -> Answer:
        """The answer to a GET."""
        return await self.send("GET", path, headers=headers)

    async def post(
        self, method: str, request: object, headers: Mapping[str, str] = NOTHING
    ) -> Answer:
        """The answer to a call in JSON. method: `PaperService/GetPaper`."""
        body = json.dumps(request).encode()
        return await self.send("POST", PACKAGE + method, body, {**JSON, **headers})


def query(method: str, request: Message) -> str:
    """The path of a call as a GET."""
    message = json_format.MessageToJson(request, indent=None)
    return f"{PACKAGE}{method}?{urlencode({'encoding': 'json', 'message': message})}"


async def samples(http: Http) -> dict[str, dict[tuple[str, ...], float]]:
    """Every sample of /metrics by its name, then by the values of its labels in their order."""
    answer = await http.get("/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["cache-control"] == "no-store"
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in families(answer.content.decode()):
        for sample in family.samples:
            labels = tuple(sample.labels[name] for name in sorted(sample.labels))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found
