"""Files that are readable by their owner alone, and never seen by halves."""

import os
import secrets
from io import BufferedWriter
from pathlib import Path


def write(path: Path, text: str) -> None:
    """Put a text in the place of `path`. Raises OSError."""
    write_aside(path, text).rename(path)


def write_aside(path: Path, text: str) -> Path:
    """Write a text, to the disk, into a new file beside `path`, and return it: a rename or a link
    puts it there. Raises OSError."""
    temporary, file = open_aside(path)
    with file:
        file.write(text.encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    return temporary


def open_aside(path: Path) -> tuple[Path, BufferedWriter]:
    """A new file beside `path`, which nobody else writes, and where it is. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return temporary, os.fdopen(descriptor, "wb")
