"""Signed tokens: accepted as made, refused in every other form, also while keys rotate."""

import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.secrets import InvalidToken, SigningKeys, SigningKeysError, rotate
from tests.support import ROOT

PURPOSES = st.sampled_from(["page", "attribution"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "signing.keys"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> SigningKeys:
    return SigningKeys.open(tmp_path_factory.mktemp("keys") / "signing.keys")


@given(purpose=PURPOSES, payload=st.binary())
def test_a_token_gives_its_payload_back(keys: SigningKeys, purpose: str, payload: bytes) -> None:
    token = keys.sign(purpose, payload)
    assert len(token) == len(payload) + 16
    assert keys.verify(purpose, token) == payload


@given(payload=st.binary(), bit=st.integers(min_value=0), purpose=PURPOSES)
def test_one_flipped_bit_is_refused(
    keys: SigningKeys, payload: bytes, bit: int, purpose: str
) -> None:
    token = bytearray(keys.sign(purpose, payload))
    byte, shift = divmod(bit % (8 * len(token)), 8)
    token[byte] ^= 1 << shift
    with pytest.raises(InvalidToken):
        keys.verify(purpose, bytes(token))


@given(payload=st.binary(max_size=40), cut=st.integers(min_value=0))
def test_truncated_and_lengthened_tokens_are_refused(
    keys: SigningKeys, payload: bytes, cut: int
) -> None:
    token = keys.sign("page", payload)
    for altered in (token[: cut % len(token)], token[1:], token + b"\0", b"\0" + token):
        with pytest.raises(InvalidToken):
            keys.verify("page", altered)


@given(token=st.binary(max_size=64))
def test_forged_tokens_are_refused(keys: SigningKeys, token: bytes) -> None:
    with pytest.raises(InvalidToken):
        keys.verify("page", token)


@given(payload=st.binary())
def test_a_token_is_good_for_its_purpose_alone(keys: SigningKeys, payload: bytes) -> None:
    with pytest.raises(InvalidToken):
        keys.verify("attribution", keys.sign("page", payload))


def test_other_keys_refuse_the_token(keys: SigningKeys, path: Path) -> None:
    with pytest.raises(InvalidToken):
        SigningKeys.open(path).verify("page", keys.sign("page", b"payload"))


def test_the_file_is_private_and_read_again(path: Path) -> None:
    token = SigningKeys.open(path).sign("page", b"payload")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    assert SigningKeys.open(path).verify("page", token) == b"payload"


def test_processes_that_race_to_make_the_file_agree(path: Path) -> None:
    code = (
        "import sys, pathlib; from service.secrets import SigningKeys; sys.stdin.read(); "
        "sys.stdout.write(SigningKeys.open(pathlib.Path(sys.argv[1])).sign('page', b'').hex())"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.close()  # go
        racer.stdin = None
    assert len({racer.communicate()[0] for racer in racers}) == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_while_keys_rotate_both_are_accepted(path: Path) -> None:
    running = SigningKeys.open(path)
    oldest = running.sign("page", b"oldest")
    rotate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    restarted = SigningKeys.open(path)

    assert restarted.verify("page", oldest) == b"oldest"
    newer = restarted.sign("page", b"newer")
    assert running.verify("page", newer) == b"newer"  # it rereads the file
    assert running.sign("page", b"x") == restarted.sign("page", b"x")

    rotate(path)
    assert running.verify("page", newer) == b"newer"
    with pytest.raises(InvalidToken):
        SigningKeys.open(path).verify("page", oldest)


def test_a_file_that_vanishes_or_breaks_leaves_the_keys_in_use(path: Path) -> None:
    running = SigningKeys.open(path)
    token = running.sign("page", b"payload")
    path.write_text("nonsense")
    with pytest.raises(InvalidToken):
        running.verify("page", b"forged" * 5)
    path.unlink()
    with pytest.raises(InvalidToken):
        running.verify("page", b"forged" * 5)
    assert running.verify("page", token) == b"payload"


@pytest.mark.parametrize("content", ["", "00ff\n", "zz" * 32, "ab" * 32 + "\n" + "cd" * 31, "\xff"])
def test_a_broken_file_is_named_and_refused(path: Path, content: str) -> None:
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(SigningKeysError, match=r"signing\.keys must hold one or two lines"):
        SigningKeys.open(path)
    with pytest.raises(SigningKeysError):
        rotate(path)


def test_a_folder_that_cannot_hold_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SigningKeysError, match=r"cannot use the signing keys .*signing\.keys"):
        SigningKeys.open(tmp_path / "data" / "signing.keys")
