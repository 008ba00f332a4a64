"""Asks a service for its feeds."""

import gzip
from collections.abc import Mapping
from http.client import HTTPConnection
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlencode

from tests.feeds.validation import READ, Read
from tests.support import PATIENCE_SECONDS

NOTHING: Mapping[str, str] = MappingProxyType({})


class Answer(NamedTuple):
    """What came back; headers by lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes


class Feeds:
    """The feeds of a service. Every one that it reads is valid."""

    def __init__(self, web_port: int, grpc_port: int) -> None:
        self.web_port = web_port
        self.grpc = f"127.0.0.1:{grpc_port}"

    def ask(self, path: str, headers: Mapping[str, str] = NOTHING, verb: str = "GET") -> Answer:
        """The answer to a request."""
        connection = HTTPConnection("127.0.0.1", self.web_port, timeout=PATIENCE_SECONDS)
        try:
            connection.request(verb, path, headers=dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.headers.items()}
            body = response.read()
            if found.get("content-encoding") == "gzip" and body:
                body = gzip.decompress(body)
            return Answer(response.status, found, body)
        finally:
            connection.close()

    def read(self, name: str, extension: str = "json", /, **query: object) -> Read:
        """The feed of a list, valid and by its own media type."""
        path = f"/feeds/{name}.{extension}?{urlencode(query, doseq=True)}"
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        kind = {"atom": "application/atom+xml", "json": "application/feed+json"}[extension]
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        return READ[extension](answer.body)
