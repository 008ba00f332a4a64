"""Readers who asked to be forgotten, known by a keyed hash of their ids."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

from models.formats import InputError

_BYTES = 16


@dataclass(frozen=True)
class Forgotten:
    """`deleted`: keyed BLAKE2b (RFC 7693, 16 bytes, hexadecimal) of a reader's id -> when that
    reader was deleted, Unix time in milliseconds."""

    key: bytes = b""
    deleted: Mapping[str, int] = field(default_factory=dict)

    def covers(self, reader: str, time_ms: int) -> bool:
        """Whether what the reader did then is forgotten: all until the deletion."""
        if not self.deleted:
            return False
        digest = blake2b(reader.encode(), digest_size=_BYTES, key=self.key).hexdigest()
        return time_ms <= self.deleted.get(digest, time_ms - 1)

    @classmethod
    def read(cls, path: Path) -> "Forgotten":
        """From what `related-papers feedback export --forget` wrote. Raises InputError."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            deleted = {str(name): int(when) for name, when in content["deleted"].items()}
            return cls(bytes.fromhex(content["key"]), deleted)
        except OSError as error:
            raise InputError(f"{path}: can't be read: {error.strerror}") from error
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: not a list of deleted readers; expected what `related-papers feedback "
                "export --forget` writes"
            ) from error
