"""The pages of a service, asked without a browser."""

from collections.abc import Mapping

from tests.explorer.markup import Markup, check
from tests.web.http import NOTHING, answer_of


class Site:
    """The pages of a service. Every page that it gives has been checked."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.origin = f"http://127.0.0.1:{port}"

    def ask(
        self, path: str, headers: Mapping[str, str] = NOTHING
    ) -> tuple[int, dict[str, str], str]:
        """The status, the headers with lower-case names, and the body of the answer to a GET."""
        status, found, body = answer_of(self._port, "GET", path, headers)
        return status, found, body.decode()

    def page(self, path: str, status: int = 200) -> Markup:
        """A page that must have this status."""
        got, headers, body = self.ask(path)
        assert got == status, f"{got} for {path[:300]}"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        return check(body)
