"""Small files of the data folder: readable by their owner alone, and never seen by halves."""

import os
import secrets
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Put a text in the place of `path`. Raises OSError."""
    write_aside(path, text).rename(path)


def write_aside(path: Path, text: str) -> Path:
    """Write a text, to the disk, into a new file beside `path`, and return it: a rename or a link
    puts it there. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return temporary
