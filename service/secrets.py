"""Signed bytes: page tokens, attribution tokens and links that only this service can have made.

The key file holds one key a line, 64 hexadecimal digits each: the current key, then (while keys
rotate) the previous one, which is still accepted. Replicas share the file.

A token is the payload followed by a tag of 16 bytes: keyed BLAKE2b (RFC 7693), personalized with
the purpose. The payload is not hidden.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import structlog

from service import private_file

SIGNING_KEYS = "signing.keys"
"""Their file in the data folder."""

_KEY_BYTES = 32
_TAG_BYTES = 16

log = structlog.get_logger(__name__)


class InvalidToken(ValueError):  # noqa: N818 - the caller's fault, and named for it
    """The token was not signed here for this purpose, or was altered, or is too old."""


class SigningKeysError(RuntimeError):
    """The key file cannot be read or written; the message names it and says what to do."""


class SigningKeys:
    """The current and the previous signing key, reread when the file changes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _identity(path)
        self._keys = _read(path)

    @classmethod
    def open(cls, path: Path) -> "SigningKeys":
        """The keys of a file. If absent it is made (mode 0600), with its folder, once among racers.

        Raises SigningKeysError.
        """
        try:
            if not path.exists():
                _make(path)
            elif path.stat().st_mode & 0o077:
                log.warning("others may read the signing keys; chmod 600 it", file=str(path))
            return cls(path)
        except OSError as error:
            raise SigningKeysError(f"cannot use the signing keys {path}: {error}") from error

    def sign(self, purpose: str, payload: bytes) -> bytes:
        """A token that `verify` accepts for the same purpose: the payload and 16 bytes."""
        return payload + _tag(self._keys[0], purpose, payload)

    def verify(self, purpose: str, token: bytes) -> bytes:
        """The payload of a token; raises InvalidToken."""
        payload, tag = token[:-_TAG_BYTES], token[-_TAG_BYTES:]
        if self._accepts(purpose, payload, tag):
            return payload
        if self._reload() and self._accepts(purpose, payload, tag):
            return payload
        raise InvalidToken("the token was not made by this service for this use")

    def derived(self, purpose: str, payload: bytes) -> bytes:
        """16 secret bytes that replicas share, until the keys rotate."""
        return _tag(self._keys[0], purpose, payload)

    def _accepts(self, purpose: str, payload: bytes, tag: bytes) -> bool:
        return any(hmac.compare_digest(tag, _tag(key, purpose, payload)) for key in self._keys)

    def _reload(self) -> bool:
        """Read the file again if it changed: another replica may sign with a newer key."""
        try:
            identity = _identity(self._path)
            if identity == self._seen:
                return False
            self._keys, self._seen = _read(self._path), identity
        except (OSError, SigningKeysError) as error:
            log.warning("the signing keys cannot be read again", error=str(error))
            return False
        return True


def rotate(path: Path) -> None:
    """Put a new current key in the file; the old one stays accepted until the next rotation.

    Raises SigningKeysError.
    """
    try:
        private_file.write(path, _lines([secrets.token_bytes(_KEY_BYTES), _read(path)[0]]))
    except OSError as error:
        raise SigningKeysError(f"cannot rotate the signing keys {path}: {error}") from error


def lasting_key(path: Path) -> bytes:
    """The one key of a file that never rotates, made as `SigningKeys.open` makes one.

    Raises SigningKeysError.
    """
    try:
        if not path.exists():
            _make(path)
        return _read(path)[0]
    except OSError as error:
        raise SigningKeysError(f"cannot use the key {path}: {error}") from error


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = private_file.write_aside(path, _lines([secrets.token_bytes(_KEY_BYTES)]))
    with suppress(FileExistsError):  # another process was first: its keys count
        os.link(temporary, path)
    temporary.unlink()


def _tag(key: bytes, purpose: str, payload: bytes) -> bytes:
    """purpose: at most 16 bytes, as BLAKE2b says."""
    person = purpose.encode()
    return hashlib.blake2b(payload, digest_size=_TAG_BYTES, key=key, person=person).digest()


def _read(path: Path) -> list[bytes]:
    try:
        keys = [bytes.fromhex(line) for line in path.read_text(encoding="ascii").split()]
    except ValueError:
        keys = []
    if not 1 <= len(keys) <= 2 or any(len(key) != _KEY_BYTES for key in keys):
        raise SigningKeysError(
            f"{path} must hold one or two lines of {2 * _KEY_BYTES} hexadecimal digits. Restore "
            "it, or remove it to have new keys made (page tokens in use become invalid)."
        )
    return keys


def _lines(keys: Iterable[bytes]) -> str:
    return "".join(f"{key.hex()}\n" for key in keys)


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns
