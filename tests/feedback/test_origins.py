"""Where an event came from: networks, proxies, and what counts as this machine."""

from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access import WIRE, Access, Wire, client_address, is_loopback, proxies
from service.api_keys import Scope
from service.secrets import SigningKeys
from service.settings import SettingsError, load
from tests.feedback.support import attribution_token, event, logged, reasons, write
from tests.serving import Running

PAGE = "https://papers.example"


async def test_the_origin_of_a_browser_is_ours_and_of_a_pipeline_its_own(running: Running) -> None:
    token = await attribution_token(running)
    await write(running, [event(reader_id="pipe", origin="theirs"), event(reader_id="none")])
    sent = event(reader_id="page", origin="invented", attribution_token=token)
    assert reasons(await write(running, [sent, sent], {"origin": PAGE})) == ["", "DUPLICATE"]
    sent.origin = "invented anew"  # a browser's own word is no part of the content
    assert reasons(await write(running, [sent], {"origin": PAGE})) == ["DUPLICATE"]
    origins = {each.reader: each.origin for each in await logged(running)}
    assert origins["pipe"] == "theirs"
    assert origins["none"] == ""
    assert len(origins["page"]) == 32


@pytest.fixture
def signing_keys(tmp_path: Path) -> SigningKeys:
    return SigningKeys.open(tmp_path / "signing.keys")


class Origins:
    """Origins as one service gives them to browsers."""

    def __init__(self, keys: SigningKeys, trusted: str = "") -> None:
        self._access = Access("127.0.0.1", None, keys, proxies(trusted))

    def of(self, peer: str, forwarded: str = "") -> str:
        metadata = [("origin", PAGE), *([("x-forwarded-for", forwarded)] if forwarded else [])]
        token = WIRE.set(lambda: Wire(metadata, peer))
        try:
            return self._access.require(Scope.FEEDBACK, browsers=True).origin
        finally:
            WIRE.reset(token)


def test_an_origin_stands_for_a_network(
    signing_keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.access.time.time", lambda: 1_800_000_000.0)  # all on one day
    origins = Origins(signing_keys)
    here = origins.of("ipv4:192.0.2.1:4000")
    assert origins.of("ipv4:192.0.2.77:5000") == here
    assert origins.of("ipv6:[::ffff:192.0.2.9]:1") == here
    assert origins.of("ipv4:192.0.3.1:4000") != here
    there = origins.of("ipv6:%5B2001:db8:1:2::3%5D:4000")
    assert origins.of("ipv6:[2001:db8:1:ffff::9]:1") == there
    assert origins.of("ipv6:[2001:db8:2::9]:1") != there
    assert "192" not in here


def test_an_origin_is_another_tomorrow_and_elsewhere(
    signing_keys: SigningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    origins = Origins(signing_keys)
    monkeypatch.setattr("service.access.time.time", lambda: 1_800_000_000.0)
    today = origins.of("ipv4:192.0.2.1:4000")
    elsewhere = Origins(SigningKeys.open(tmp_path / "other.keys"))
    assert elsewhere.of("ipv4:192.0.2.1:4000") != today
    monkeypatch.setattr("service.access.time.time", lambda: 1_800_000_000.0 + 86_400)
    assert origins.of("ipv4:192.0.2.1:4000") != today


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("ipv4:10.0.0.1:1", "", "10.0.0.1"),
        ("ipv4:10.0.0.1:1", "203.0.113.9", "203.0.113.9"),
        ("ipv4:10.0.0.1:1", "198.51.100.7, 203.0.113.9", "203.0.113.9"),
        ("ipv4:10.0.0.1:1", "198.51.100.7,203.0.113.9, 10.2.3.4", "203.0.113.9"),
        ("ipv4:10.0.0.1:1", "10.9.9.9, 10.2.3.4", "10.9.9.9"),
        ("ipv4:203.0.113.5:1", "198.51.100.7", "203.0.113.5"),
        ("ipv4:10.0.0.1:1", "198.51.100.7, unknown", "10.0.0.1"),
        ("ipv4:10.0.0.1:1", "203.0.113.9:4711", "203.0.113.9"),
        ("ipv4:10.0.0.1:1", "[2001:db8::1]:4711", "2001:db8::1"),
        ("ipv6:[::ffff:10.0.0.1]:1", "2001:db8::1", "2001:db8::1"),
        ("ipv6:[fe80::1%25eth0]:1", "2001:db8::1", "fe80::1"),
    ],
)
def test_forwarded_addresses_are_believed_from_trusted_proxies_alone(
    peer: str, forwarded: str, client: str
) -> None:
    assert client_address(peer, forwarded, proxies("10.0.0.0/8")) == ip_address(client)


@given(peer=st.text(max_size=40), forwarded=st.text(max_size=60))
def test_no_peer_and_no_header_breaks_it(peer: str, forwarded: str) -> None:
    client_address(peer, forwarded, proxies("0.0.0.0/0,::/0"))
    client_address("ipv4:10.0.0.1:1", forwarded, proxies("0.0.0.0/0,::/0"))


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.0.2.1", False),
        ("papers.example", False),
        ("localhost.papers.example", False),
        ("", False),
    ],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_proxies_that_are_no_networks() -> None:
    with pytest.raises(SettingsError, match="trusted-proxies"):
        load(trusted_proxies="10.0.0.0/8,everyone")
    assert load(trusted_proxies=" 10.0.0.0/8 , 192.0.2.1,").trusted_proxies
