"""API keys: a file of names, scopes and hashes. The keys themselves are stored nowhere.

One key a line, `#` begins a comment:

    pipeline feedback,read 3f7a...   (64 hexadecimal digits: the BLAKE2b-256 of the key)

A key is 256 random bits, so a plain fast hash is enough: there is no dictionary to try, and no
search through so many keys ends. (The slow hashes for passwords protect secrets that people chose;
here they would only cost each call some milliseconds.)
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import structlog

_PREFIX = "rp_"  # so that scanners for leaked secrets can tell a key
_KEY_BYTES = 32
_HASH_BYTES = 32
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HASH = re.compile(rf"[0-9a-f]{{{2 * _HASH_BYTES}}}")
_HEADER = "# API keys of Related Papers: name, scopes, BLAKE2b-256. Remove a line to revoke it.\n"

log = structlog.get_logger(__name__)


class Scope(StrEnum):
    """What a key allows. No scope includes another; a key may have several."""

    READ = "read"
    """What readers would see: personal lists."""
    FEEDBACK = "feedback"
    """Write readers' events."""
    ADMIN = "admin"
    """Export and delete readers."""
    DIGEST = "digest"
    """Ask for digests as often as the site likes, which limits it itself."""


class ApiKeysError(RuntimeError):
    """The key file cannot be used; the message names it and says what to do."""


class _StoredKey(NamedTuple):
    name: str
    scopes: frozenset[Scope]
    digest: bytes


class ApiKeys:
    """The keys of a file, read again when it changes: a new key or a removed one counts at once."""

    def __init__(self, path: Path) -> None:
        """Raises ApiKeysError."""
        self._path = path
        try:
            self._seen = _identity(path)
            self._keys = list(_read(path))
        except OSError as error:
            raise ApiKeysError(_unusable(path, error)) from error

    def scopes(self, key: str) -> frozenset[Scope] | None:
        """What a key allows; None for a key that is not in the file.

        Every stored hash is compared, each in constant time: how long the answer takes says
        nothing about what is stored.
        """
        self._reload()
        digest = _digest(key)
        found = None
        for stored in self._keys:
            if hmac.compare_digest(stored.digest, digest):
                found = stored.scopes
        return found

    def _reload(self) -> None:
        """A file that cannot be read leaves the keys as they were; said once for each change."""
        try:
            identity = _identity(self._path)
        except OSError:
            identity = (0, 0, 0)
        if identity == self._seen:
            return
        self._seen = identity
        try:
            self._keys = list(_read(self._path))
        except (OSError, ApiKeysError) as error:
            log.warning("the API keys cannot be read again; the former count", error=str(error))


def create(path: Path, scopes: Iterable[Scope], name: str = "") -> str:
    """Make a key, add its hash to the file (made with mode 0600 if absent), and return the key.

    name: letters, digits, `.`, `_` and `-`; without one, `key-` and the begin of the hash.
    Raises ApiKeysError, also when the name is taken.
    """
    key = _PREFIX + secrets.token_urlsafe(_KEY_BYTES)
    digest = _digest(key)
    name = name or f"key-{digest.hex()[:8]}"
    if not _NAME.fullmatch(name):
        raise ApiKeysError(
            f"The name {name!r} must have 1 to 64 characters out of letters, digits, '.', '_', '-'."
        )
    try:
        known = list(_read(path)) if path.exists() else []
        if any(stored.name == name for stored in known):
            raise ApiKeysError(
                f"{path} has a key named {name!r} already: choose another name, or remove its line."
            )
        _append(path, f"{name} {','.join(sorted(set(scopes)))} {digest.hex()}\n")
    except OSError as error:
        raise ApiKeysError(_unusable(path, error)) from error
    return key


def _append(path: Path, line: str) -> None:
    """Add a line by one write, which no reader sees by halves."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "rb+", buffering=0) as file:
        size = os.fstat(descriptor).st_size
        unended = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        file.write((_HEADER * (size == 0) + "\n" * unended + line).encode())
        os.fsync(descriptor)


def _read(path: Path) -> Iterator[_StoredKey]:
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), start=1):
        if fields := line.partition("#")[0].split():
            try:
                yield _stored(*fields)
            except (TypeError, ValueError) as error:
                raise ApiKeysError(
                    f"{path}:{number} must be a name, scopes out of {', '.join(Scope)} with commas "
                    f"between, and {2 * _HASH_BYTES} hexadecimal digits, as `related-papers "
                    "api-key create` writes it."
                ) from error


def _stored(name: str, scopes: str, digest: str) -> _StoredKey:
    if not _HASH.fullmatch(digest):
        raise ValueError(digest)
    return _StoredKey(name, frozenset(map(Scope, scopes.split(","))), bytes.fromhex(digest))


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=_HASH_BYTES).digest()


def _identity(path: Path) -> tuple[int, int, int]:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _unusable(path: Path, error: OSError) -> str:
    return f"The API key file {path} cannot be used: {error.strerror or error}."
