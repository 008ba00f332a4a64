"""Who calls, from where, and what that allows.

On loopback without a key file everything is allowed, except to clients on other machines for whom a
proxy forwards. With a key file, what concerns readers needs a key with the right scope; beyond
loopback without a key file it is refused. Whatever needs no reader (related papers, papers, models)
is open.
"""

import hashlib
import ipaddress
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import NamedTuple

from service.api_keys import ApiKeys, Scope
from service.errors import Reason, ServiceError
from service.secrets import SigningKeys
from service.times import DAY_SECONDS

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_FORWARDED = "x-forwarded-for"
_PREFIX_BITS = {4: 24, 6: 48}
"""What stays of a client's address, by IP version: the network of a provider's customer."""


class Wire(NamedTuple):
    """What a protocol says of a call: its metadata (lower-case names), and the address it came
    from as gRPC writes it, `ipv4:192.0.2.1:50000`."""

    metadata: Sequence[tuple[str, str | bytes]] = ()
    peer: str = ""


WIRE: ContextVar[Callable[[], Wire]] = ContextVar("WIRE", default=Wire)
"""Reads the call that this task answers: an adapter sets it before it calls a handler, and most
handlers never ask."""


class Caller(NamedTuple):
    """Who made a call.

    browser: a web page's script; browsers send `origin` and no script can leave it out.
    origin: for a browser, a hash of its network that changes every day (UTC); else empty.
    """

    browser: bool = False
    origin: str = ""


class Access:
    """Admits callers, or raises ServiceError.

    host: the address that is listened on.
    trusted_proxies: whose `x-forwarded-for` is believed.
    """

    def __init__(
        self,
        host: str,
        api_keys: ApiKeys | None,
        signing_keys: SigningKeys,
        trusted_proxies: Iterable[Network] = (),
    ) -> None:
        self._api_keys = api_keys
        self._local = api_keys is None and is_loopback(host)
        self._signing_keys = signing_keys
        self._trusted = tuple(trusted_proxies)

    def require(self, scope: Scope, *, browsers: bool = False) -> Caller:
        """The caller of the present call, who has this scope.

        browsers: whether a browser without a key is admitted too; the handler limits what it may.
        Fails with API_KEY_REQUIRED, API_KEY_INVALID or SCOPE_MISSING.
        """
        wire = WIRE.get()()
        headers = _texts(wire.metadata)
        browser = "origin" in headers
        key = _key(headers)
        if not self._open(headers) and (key or not (browser and browsers and self._api_keys)):
            self._check(key, scope)
        return Caller(True, self._origin(wire.peer, headers)) if browser else Caller()

    def open_to(self, wire: Wire) -> bool:
        """Whether who made this call may do everything.

        Whatever proxy says for whom it forwards is believed here, trusted or not: that can only
        close what was open.
        """
        return self._open(_texts(wire.metadata))

    def allows(self, scope: Scope) -> bool:
        """Whether the present call comes with a key that has this scope; for what everybody may do
        within limits, and such a caller without them."""
        key = _key(_texts(WIRE.get()().metadata))
        scopes = self._api_keys.scopes(key) if self._api_keys and key else None
        return scope in (scopes or ())

    def network(self) -> str:
        """A hash of the network that the present call comes from; another one every day (UTC)."""
        wire = WIRE.get()()
        return self._origin(wire.peer, _texts(wire.metadata))

    def _open(self, headers: Mapping[str, str]) -> bool:
        forwarded = headers.get(_FORWARDED, "")
        return self._local and (not forwarded or all(map(_is_here, forwarded.split(","))))

    def _check(self, key: str, scope: Scope) -> None:
        if self._api_keys is None:
            message = (
                "Beyond loopback, directly or through a proxy, this needs an API key, and the "
                "service has none: make one with `related-papers api-key create`, and serve with "
                "--api-key-file."
            )
            raise ServiceError(Reason.API_KEY_REQUIRED, message, scope=scope)
        if not key:
            message = (
                f"This needs an API key with the scope `{scope}`: send it as the metadata "
                "`authorization: Bearer KEY` or `x-api-key: KEY`."
            )
            raise ServiceError(Reason.API_KEY_REQUIRED, message, scope=scope)
        scopes = self._api_keys.scopes(key)
        if scopes is None:
            message = "The API key is not one of this service's: it was mistyped, or revoked."
            raise ServiceError(Reason.API_KEY_INVALID, message)
        if scope not in scopes:
            message = (
                f"This needs the scope `{scope}`, and the API key has {', '.join(sorted(scopes))}: "
                "use another key."
            )
            raise ServiceError(Reason.SCOPE_MISSING, message, scope=scope)

    def _origin(self, peer: str, headers: Mapping[str, str]) -> str:
        """Equal for one network on one day; without the signing keys it cannot be traced back."""
        address = client_address(peer, headers.get(_FORWARDED, ""), self._trusted)
        network = str(_network(address)) if address else ""
        day = int(time.time()) // DAY_SECONDS
        secret = self._signing_keys.derived("origin", str(day).encode())
        return hashlib.blake2b(network.encode(), digest_size=16, key=secret).hexdigest()


def is_loopback(host: str) -> bool:
    """Whether an address to listen on is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def proxies(value: str) -> tuple[Network, ...]:
    """Networks with commas between, as in `10.0.0.0/8,192.0.2.1`. Raises ValueError."""
    parts = (part.strip() for part in value.split(","))
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def client_address(peer: str, forwarded: str, trusted: Sequence[Network]) -> Address | None:
    """The address of the client: the peer's own, or what the proxies that we trust say of it.

    forwarded: the value of `x-forwarded-for`. Each proxy appends whom it heard, so it is read from
    the end, and only as long as the one who said it is trusted: the rest anyone can invent.
    """
    address = _address(peer.partition(":")[2])
    for hop in reversed(forwarded.split(",")):
        if address is None or not any(address in network for network in trusted):
            break
        if (before := _address(hop.strip())) is None:
            break
        address = before
    return address


def _is_here(hop: str) -> bool:
    address = _address(hop.strip())
    return address is not None and address.is_loopback


def _address(text: str) -> Address | None:
    """An address with or without brackets and port; IPv4 inside IPv6 is IPv4."""
    text = text.replace("%5B", "[").replace("%5D", "]")
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _network(address: Address) -> Network:
    return ipaddress.ip_network((address, _PREFIX_BITS[address.version]), strict=False)


def _texts(metadata: Sequence[tuple[str, str | bytes]]) -> dict[str, str]:
    """The metadata that is text; values of one name are joined by commas, as HTTP allows."""
    texts: dict[str, str] = {}
    for name, value in metadata:
        if isinstance(value, str):
            texts[name] = f"{texts[name]},{value}" if name in texts else value
    return texts


def _key(headers: dict[str, str]) -> str:
    if key := headers.get("x-api-key"):
        return key
    scheme, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""
