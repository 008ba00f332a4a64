"""Files of papers and of interactions, line by line, each record with the place it came from.

Formats: `jsonl` (a paper a line; plain, .gz or .xz) and `pages` (text dumps of a paper site's
result pages: a title line, then an abstract line).
"""

import gzip
import hashlib
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, cast

from models.identifiers import MAX_ID_CHARACTERS
from models.progress import Advance, unheard

UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters and lone surrogates."""


class InputError(ValueError):
    """A file that can't be used: says which, at which line, and what was expected there."""


class Format(StrEnum):
    """How a file of papers is written."""

    AUTO = "auto"
    JSONL = "jsonl"
    PAGES = "pages"


@dataclass(frozen=True)
class Line:
    """One JSON object and where it stands."""

    path: Path
    number: int
    fields: dict[str, Any]

    def error(self, problem: str) -> InputError:
        """What is wrong with this line, and where it stands."""
        return InputError(f"{self.path}:{self.number}: {problem}")

    def identifier(self, name: str) -> str:
        """A paper's id, without white space: run files separate their fields by it. Else as `name`.
        Raises InputError."""
        value = self._id(name)
        if value.split() != [value] or UNPRINTABLE.search(value):
            raise self.error(
                f'"{name}" {value!r} holds white space, a control character or a lone surrogate; '
                "expected none (run files separate their fields by white space)"
            )
        return value

    def name(self, name: str) -> str:
        """What a reader is called: a string, or a whole number written out. Raises InputError."""
        value = self._id(name)
        if UNPRINTABLE.search(value):
            raise self.error(
                f'"{name}" {value!r} holds a control character or a lone surrogate; expected none'
            )
        return value

    def _id(self, name: str) -> str:
        value = self.fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str) or not value:
            raise self.error(f'no "{name}"; expected a string that is not empty')
        if len(value) > MAX_ID_CHARACTERS:
            raise self.error(
                f'"{name}" has {len(value):,} characters; expected at most {MAX_ID_CHARACTERS:,}, '
                "the longest that a request may hold"
            )
        return value

    def text(self, name: str) -> str:
        """A string; empty where there is none. Raises InputError."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.error(f'"{name}" is a {type(value).__name__}; expected a string')
        return value

    def texts(self, name: str) -> list[str]:
        """A list of strings; empty where there is none. Raises InputError."""
        value = self.fields.get(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self.error(f'"{name}" is not a list of strings; expected one')
        return value

    def whole_number(self, name: str) -> int | None:
        """A whole number, also as a string; None where there is none. Raises InputError."""
        value = self.fields.get(name)
        if value is None or value == "":
            return None
        try:
            return int(str(value) if isinstance(value, bool) else value)
        except (TypeError, ValueError, OverflowError) as error:
            raise self.error(f'"{name}" is {value!r}; expected a whole number') from error


LINES_PER_REPORT = 1_000


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The file decompressed, and the file as it lies on the disk, whose position tells how far."""
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise InputError(f"{path}: can't be read: {error.strerror}") from error
        if path.suffix == ".gz":
            yield cast(BinaryIO, stack.enter_context(gzip.GzipFile(fileobj=raw))), raw
        elif path.suffix == ".xz":
            yield cast(BinaryIO, stack.enter_context(lzma.open(raw))), raw
        else:
            yield raw, raw


def _text_lines(path: Path, advance: Advance) -> Iterator[tuple[int, str]]:
    """Decoded lines with their numbers from 1; bytes that are not UTF-8 are an error."""
    number = reported = 0
    with _opened(path) as (file, raw):
        try:
            for number, line in enumerate(file, 1):
                # Some editors begin a file with a byte order mark.
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
                if number % LINES_PER_REPORT == 0:
                    position = raw.tell()
                    advance(position - reported)
                    reported = position
            advance(raw.tell() - reported)
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}:{number}: not UTF-8 at byte {error.start} of the line; expected UTF-8 text"
            ) from error
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise InputError(f"{path}: damaged after line {number}: {error}") from error


def read_jsonl(
    paths: Iterable[Path],
    advance: Advance = unheard,
    refused: Callable[[InputError], None] | None = None,
) -> Iterator[Line]:
    """Every JSON object of the files, in order; blank lines are passed over.

    advance: told now and then how many more bytes, as they lie on the disk, were read.
    A line that is no JSON object goes to `refused`; without it, raises InputError there.
    """
    for path in paths:
        for number, text in _text_lines(path, advance):
            if not text.strip():
                continue
            try:
                yield _object(path, number, text)
            except InputError as error:
                if refused is None:
                    raise
                refused(error)


def _object(path: Path, number: int, text: str) -> Line:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}:{number}: not JSON ({error}); expected one JSON object a line"
        ) from error
    if not isinstance(fields, dict):
        raise InputError(f"{path}:{number}: a JSON {type(fields).__name__}; expected an object")
    return Line(path, number, fields)


# What a result page says above its papers.
_PAGE_FURNITURE = re.compile(r"^(Get trending papers in your email inbox.*|Subscribe)$")


def read_pages(paths: Iterable[Path], advance: Advance = unheard) -> Iterator[Line]:
    """Papers of result-page dumps: lines of title and abstract by turns.

    Such a dump names no ids: a paper's id is `page:` and a digest of its title, so that the same
    paper on two pages is one paper. advance: as of `read_jsonl`.
    """
    for path in paths:
        title: tuple[int, str] | None = None
        for number, line in _text_lines(path, advance):
            text = line.strip()
            if not text or _PAGE_FURNITURE.match(text):
                continue
            if title is None:
                # The page runs its button and the first title together.
                title = number, text.removeprefix("Subscribe")
                continue
            digest = hashlib.blake2b(title[1].casefold().encode(), digest_size=8).hexdigest()
            fields = {"id": f"page:{digest}", "title": title[1], "abstract": text}
            yield Line(path, title[0], fields)
            title = None
        if title is not None:
            raise InputError(
                f"{path}:{title[0]}: a title without an abstract line after it; expected lines of "
                "title and abstract by turns"
            )


def detect(path: Path) -> Format:
    """JSON Lines if the name says so or the first line with content begins with `{`, else pages."""
    if ".jsonl" in path.suffixes:  # so that a bad first line is an error and not a title
        return Format.JSONL
    for _, text in _text_lines(path, unheard):
        if text.strip():
            return Format.JSONL if text.lstrip().startswith("{") else Format.PAGES
    return Format.JSONL


def read_papers(
    paths: Iterable[Path], format: Format = Format.AUTO, advance: Advance = unheard
) -> Iterator[Line]:
    """Every paper of the files, in order. advance: as of `read_jsonl`. Raises InputError."""
    for path in paths:
        named = detect(path) if format is Format.AUTO else format
        reader = read_jsonl if named is Format.JSONL else read_pages
        yield from reader([path], advance)
