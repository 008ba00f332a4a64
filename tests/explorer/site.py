"""The pages of a service, asked without a browser."""

from collections.abc import Mapping
from http.client import HTTPConnection
from types import MappingProxyType

from tests.explorer.markup import Markup, check
from tests.support import PATIENCE_SECONDS

NOTHING: Mapping[str, str] = MappingProxyType({})


class Site:
    """The pages of a service. Every page that it gives has been checked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.origin = f"http://127.0.0.1:{port}"

    def ask(
        self, path: str, headers: Mapping[str, str] = NOTHING
    ) -> tuple[int, dict[str, str], str]:
        """The status, the headers with lower-case names, and the body of the answer to a GET."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
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
