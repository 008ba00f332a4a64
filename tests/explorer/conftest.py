"""The explorer over a hostile corpus, asked without a browser."""

from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from types import MappingProxyType

import pytest

from service.settings import Settings
from tests.explorer import hostile
from tests.explorer.markup import Markup, check
from tests.serving import Worker, train


class Site:
    """The pages of a service. Every page that it gives has been checked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.origin = f"http://127.0.0.1:{port}"

    def ask(
        self, path: str, headers: Mapping[str, str] = MappingProxyType({})
    ) -> tuple[int, dict[str, str], str]:
        """The status, the headers with lower-case names, and the body of the answer to a GET."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("GET", path, headers=dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.headers.items()}
            return response.status, found, response.read().decode()
        finally:
            connection.close()

    def page(self, path: str, status: int = 200) -> Markup:
        """A page that must have this status."""
        got, headers, body = self.ask(path)
        assert got == status, f"{got} for {path[:300]}"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        return check(body)


@pytest.fixture(scope="session")
def hostile_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the hostile corpus."""
    papers = tmp_path_factory.mktemp("hostile-corpus") / "papers.jsonl"
    hostile.write(papers)
    return train(papers, output=tmp_path_factory.mktemp("hostile-model"))


@pytest.fixture(scope="session")
def site(hostile_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The explorer over it."""
    data = tmp_path_factory.mktemp("hostile-data")
    worker = Worker(Settings(model=hostile_model, port=0, web_port=0, data_dir=data))
    try:
        yield Site(worker.web_port)
    finally:
        worker.kill()
