"""The tokens of links: each good for one thing and for its time, whatever is done to it."""

import base64
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.digest.links import CONFIRM_MS, MANAGE_MS, ExpiredToken, Links, Tokens
from service.digest.subscriptions import Status
from service.secrets import InvalidToken, SigningKeys, rotate
from tests.digest.subscribers import DUE_MS, KEY, subscription

PENDING = subscription("ada@papers.example", status=Status.PENDING, revision=DUE_MS)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "signing.keys"


@pytest.fixture(scope="module")
def links(keys: Path) -> Links:
    return Links("https://papers.example/", SigningKeys.open(keys), KEY)


def test_each_token_is_good_for_its_time(links: Links) -> None:
    confirm = links.confirm_token(PENDING)
    assert links.read_confirm(confirm, DUE_MS + CONFIRM_MS - 1) == (PENDING.id, DUE_MS)
    with pytest.raises(ExpiredToken, match="3 days"):
        links.read_confirm(confirm, DUE_MS + CONFIRM_MS)
    manage = links.manage_token(PENDING.id, DUE_MS)
    assert links.read_manage(manage, DUE_MS + MANAGE_MS - 1) == PENDING.id
    with pytest.raises(ExpiredToken, match="90 days"):
        links.read_manage(manage, DUE_MS + MANAGE_MS)
    assert links.read_leave(links.leave_token(PENDING.id)) == PENDING.id


def test_each_token_is_good_for_one_thing(links: Links) -> None:
    tokens = {
        "confirm": links.confirm_token(PENDING),
        "manage": links.manage_token(PENDING.id, DUE_MS),
        "leave": links.leave_token(PENDING.id),
    }
    for name, token in tokens.items():
        for read, call in (
            ("confirm", lambda token=token: links.read_confirm(token, DUE_MS)),
            ("manage", lambda token=token: links.read_manage(token, DUE_MS)),
            ("leave", lambda token=token: links.read_leave(token)),
        ):
            if read != name:
                with pytest.raises(InvalidToken):
                    call()


@given(st.text(max_size=100) | st.binary(max_size=80).map(lambda each: each.hex()))
def test_no_text_is_a_token(links: Links, token: str) -> None:
    with pytest.raises(InvalidToken):
        links.read_confirm(token, DUE_MS)
    with pytest.raises(InvalidToken):
        links.read_manage(token, DUE_MS)
    with pytest.raises(InvalidToken):
        links.read_leave(token)


@given(st.integers(0, 63), st.integers(1, 255))
def test_a_token_that_was_changed_is_none(links: Links, place: int, change: int) -> None:
    leave = bytearray.fromhex(links.leave_token(PENDING.id))
    leave[place % len(leave)] ^= change
    with pytest.raises(InvalidToken):
        links.read_leave(leave.hex())
    manage = bytearray(base64.urlsafe_b64decode(links.manage_token(PENDING.id, DUE_MS) + "=="))
    manage[place % len(manage)] ^= change
    with pytest.raises(InvalidToken):
        links.read_manage(base64.urlsafe_b64encode(manage).decode().rstrip("="), DUE_MS)


def test_leaving_works_however_often_the_keys_rotate(tmp_path: Path) -> None:
    file = tmp_path / "signing.keys"
    before = Tokens.of(SigningKeys.open(file), tmp_path)
    leave, manage = before.leave_token(PENDING.id), before.manage_token(PENDING.id, DUE_MS)
    rotate(file)
    once = Tokens.of(SigningKeys.open(file), tmp_path)
    assert once.read_manage(manage, DUE_MS) == PENDING.id
    rotate(file)
    twice = Tokens.of(SigningKeys.open(file), tmp_path)
    with pytest.raises(InvalidToken):
        twice.read_manage(manage, DUE_MS)
    assert twice.read_leave(leave) == PENDING.id
    assert (tmp_path / "digest.key").stat().st_mode & 0o077 == 0


def test_links_are_of_the_public_url_and_name_nobody(links: Links) -> None:
    urls = [
        links.confirm(PENDING),
        links.manage(PENDING.id, DUE_MS),
        links.unsubscribe(PENDING.id),
    ]
    for url in urls:
        assert url.startswith("https://papers.example/digest/")
        assert url.isascii()
        assert len(url) < 200
        assert PENDING.address not in unquote(url)
    assert links.paper("arXiv:1706.03762") == "https://papers.example/papers/arXiv:1706.03762"
    assert links.paper("a b\r\n<é>").isascii()
