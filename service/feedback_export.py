"""Readers' histories as a file of JSON Lines, in the format that `train --interactions` reads."""

import asyncio
import gzip
import json
import lzma
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

from models.formats import InputError
from models.interactions import Event, head
from models.progress import Report
from service import private_file
from service.counting_settings import with_left
from service.event_types import event_types
from service.feedback_state import FeedbackState
from service.settings import Settings
from service.times import rfc3339
from service.tombstones import Tombstones

READERS_AT_ONCE = 64


class Exported(NamedTuple):
    """How much an export holds."""

    readers: int
    events: int


async def export(
    state: FeedbackState, settings: Settings, output: Path, report: Report
) -> Exported:
    """Write the history of every reader, ordered by reader, time and event id.

    The first line defines the types by which `serve` counts, where they are not the built-in ones.
    Equal histories and types give equal files, byte for byte. Written aside and renamed: the file
    is whole or not there. Its name says how it is compressed (.gz, .xz, or not at all).
    Raises InputError where it can't be written, ServiceError, and SettingsError (also where other
    settings are given than `serve` left).
    """
    types = event_types((await with_left(state.client, settings)).event_types)
    readers = sorted({reader async for reader in state.readers()})
    advance = report("Writing histories", len(readers))
    events = 0
    with _written_aside(output) as file:
        if types_line := head(types):
            file.write(_json(types_line))
        rest = iter(readers)
        while batch := list(islice(rest, READERS_AT_ONCE)):
            histories = await asyncio.gather(*map(state.history, batch))
            for reader, history in zip(batch, histories, strict=True):
                ordered = sorted(history.events, key=lambda event: (event.time_ms, event.id))
                file.writelines(_line(reader, event) for event in ordered)
                events += len(ordered)
            advance(len(batch))
    return Exported(len(readers), events)


async def export_deleted(tombstones: Tombstones, output: Path) -> int:
    """Write who was deleted and when, as `train --forget` reads it; returns how many.

    With the key of the tombstones the file lets whoever has it ask whether a reader was deleted.
    """
    deleted = await tombstones.all()
    with _written_aside(output) as file:
        json.dump({"key": tombstones.key.hex(), "deleted": dict(sorted(deleted.items()))}, file)
    return len(deleted)


def _line(reader: str, event: Event) -> str:
    fields: dict[str, object] = {"user": reader, "paper": event.paper, "type": event.type}
    fields |= {"time": rfc3339(event.time_ms), "id": event.id}
    if event.value != 1:
        fields["value"] = event.value
    if event.retracts:
        fields["retracts"] = event.retracts
        del fields["paper"]
    return _json(fields)


def _json(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False) + "\n"


@contextmanager
def _written_aside(path: Path) -> Iterator[IO[str]]:
    """A text file that takes the place of `path` when it is whole, readable by its owner alone."""
    target = path.resolve()  # a link stays one
    try:
        aside, raw = private_file.open_aside(target)
        try:
            with (
                raw,
                _compressed(raw, target.suffix) as packed,
                TextIOWrapper(packed, encoding="utf-8", newline="\n") as text,
            ):
                yield text
            with aside.open("rb") as written:
                os.fsync(written.fileno())
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: can't be written: {error.strerror}") from error


def _compressed(raw: IO[bytes], suffix: str) -> IO[bytes]:
    if suffix == ".gz":
        # No name and no time of day: equal contents give equal files.
        return cast("IO[bytes]", gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
    return cast("IO[bytes]", lzma.open(raw, "wb")) if suffix == ".xz" else raw
