"""Asks a service for its feeds."""

from collections.abc import Mapping
from urllib.parse import urlencode

from tests.feeds.validation import READ, Read
from tests.web.http import NOTHING, Answer, answer_of


class Feeds:
    """The feeds of a service. Every one that it reads is valid."""

    def __init__(self, web_port: int, grpc_port: int) -> None:
        self.web_port = web_port
        self.grpc = f"127.0.0.1:{grpc_port}"

    def ask(self, path: str, headers: Mapping[str, str] = NOTHING, verb: str = "GET") -> Answer:
        """The answer to a request, decompressed."""
        answer = answer_of(self.web_port, verb, path, headers)
        return answer._replace(body=answer.content)

    def read(self, name: str, extension: str = "json", /, **query: object) -> Read:
        """The feed of a list, valid and by its own media type."""
        path = f"/feeds/{name}.{extension}?{urlencode(query, doseq=True)}"
        answer = self.ask(path)
        assert answer.status == 200, answer.body
        kind = {"atom": "application/atom+xml", "json": "application/feed+json"}[extension]
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        return READ[extension](answer.body)
