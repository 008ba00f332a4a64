"""Which host names a request may ask for: a page that points its own name at us gets nothing.

A browser lets a page of evil.example read what evil.example answers, and its owner can let that
name point to 127.0.0.1 (DNS rebinding). The `host` header still says evil.example.
"""

import re
from collections.abc import Iterable

from service.access import is_loopback

_HOST = re.compile(r"(?:\[([0-9a-f:.]+)\]|([^:\[\]]+))(?::[0-9]*)?")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Hosts:
    """Knows the names of this service.

    host: the address that is listened on. On loopback only its names are answered; elsewhere all.
    allowed: further names; if there are any, no others are answered, wherever we listen. `*`: all.
    public_url: the origin that readers are told of, whose name is answered too.
    """

    def __init__(self, host: str, allowed: Iterable[str] = (), public_url: str = "") -> None:
        names = {each.lower() for each in allowed}
        public = _name(public_url.partition("://")[2])
        self._names = names | _LOOPBACK | {host.strip("[]").lower(), public} - {""}
        self._all = "*" in names or not (names or is_loopback(host))

    def answers(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        """Whether a request with these headers is meant for us: it names one host, and that is."""
        if self._all:
            return True
        named = [value for name, value in headers if name == b"host"]
        return len(named) == 1 and _name(named[0].decode("latin-1")) in self._names


def _name(host: str) -> str:
    """A host without its port: `LocalHost:8080` is localhost, `[::1]:8080` is ::1."""
    found = _HOST.fullmatch(host.lower())
    return (found[1] or found[2]) if found else ""
