"""Where reports of mails that came back are read from: standard input, files, Maildirs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from models.formats import InputError
from service.digest.bounces import Bounce, read


def returned(files: Sequence[Path] | None, standard_input: IO[bytes]) -> Iterator[Bounce | None]:
    """What each mail reports; None of a mail that reports nothing of ours.

    files: mails, and folders that are Maildirs. Of those the new mails are read; when the next one
    is asked for, what the last one reported is done, and it is new no more. Without any, one mail
    is read from standard input.
    Raises InputError where a file can't be read.
    """
    if not files:
        yield read(standard_input.read())
    for file in files or ():
        try:
            if file.is_dir():
                yield from _new(file)
            else:
                yield read(file.read_bytes())
        except OSError as error:
            raise InputError(f"{file}: {error.strerror}") from error


def _new(folder: Path) -> Iterator[Bounce | None]:
    if not (folder / "new").is_dir():
        raise InputError(f"{folder} is no Maildir: it has no folder `new`")
    for mail in sorted((folder / "new").iterdir()):
        yield read(mail.read_bytes())
        mail.rename(folder / "cur" / f"{mail.name}:2,S")  # S: seen
