"""Follows what readers change in a model: the replica's side of item deltas.

service/deltas.py says what the state server holds. `items` is replaced whole by each change, so a
request keeps the state that it began with, and nothing waits for a change to be applied.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import cast

import numpy as np
import structlog
from redis import RedisError

from models.readers import ReaderModel
from service.connection import connect
from service.deltas import Delta, changed_rows
from service.keys import delta_keys
from service.live_items import CoRead, ItemState, LiveItems

ROWS_AT_ONCE = 1_000
"""How many papers are read by one command and applied together."""

_ENTRIES_AT_ONCE = 16
_BLOCK_MS = 1_000
_TIMEOUT_SECONDS = 5.0

_GATHER_SECONDS = 0.1
"""Publications of so long are applied together: each application copies a little of everything."""

_REST_SECONDS = 1.0

_Entry = tuple[bytes, Mapping[bytes, bytes]]

log = structlog.get_logger(__name__)


class LiveModel:
    """The state of a model's papers, kept up with the state server from `start` to `close`.

    While the server is away the state stays as it was; then everything is read again.
    """

    def __init__(self, model: ReaderModel, model_version: str, url: str) -> None:
        """Reads the model's matrices once. Raises ValueError when the URL is not one of Redis."""
        self.items = LiveItems.over(model)
        self.loads = 0
        """How often everything was read."""
        self._keys = delta_keys(model_version)
        self._client = connect(url, timeout_seconds=_TIMEOUT_SECONDS)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow, beside the requests."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._client.aclose()

    async def _run(self) -> None:
        away = False
        while True:
            try:
                after: bytes | None = await self._load()
                if away:
                    log.info("the state server is back: items follow it again")
                    away = False
                while after is not None:
                    after = await self._follow(after)
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.warning(
                        "the state server is away: items stay as they are", error=str(error)
                    )
                    away = True
                await asyncio.sleep(_REST_SECONDS)

    async def _load(self) -> bytes:
        """Read every delta; the entry of the log that was the last one before."""
        last = await self._client.xrevrange(self._keys.log, count=1)
        version = await self._version()
        gone = set(self.items.co_read)
        found: dict[int, bytes | None] = {}
        async for row, packed in self._client.hscan_iter(self._keys.items, count=ROWS_AT_ONCE):
            found[int(row)] = packed
            gone.discard(int(row))
            if len(found) >= ROWS_AT_ONCE:
                await self._apply(self.items.version, found)
                found = {}
        await self._apply(version, {**found, **dict.fromkeys(gone)})
        self.loads += 1
        return cast(bytes, last[0][0]) if last else b"0-0"

    async def _follow(self, after: bytes) -> bytes | None:
        """Apply what was published after an entry of the log; the last entry that was, or None
        when entries between may be gone, so that everything must be read again."""
        answer = await self._client.xread(
            {self._keys.log: after}, count=_ENTRIES_AT_ONCE, block=_BLOCK_MS
        )
        if not answer:
            return after
        [(_, entries)] = cast("list[tuple[bytes, list[_Entry]]]", answer)
        if len(entries) == _ENTRIES_AT_ONCE:  # far behind: does the log still reach so far back?
            [(first, _)] = cast("list[_Entry]", await self._client.xrange(self._keys.log, count=1))
            if after != b"0-0" and _order(first) > _order(after):
                return None
        version = await self._version()
        rows = changed_rows(entries)
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[begin : begin + ROWS_AT_ONCE].tolist()
            packed = await self._client.hmget(self._keys.items, [str(row) for row in part])
            last = begin + len(part) == len(rows)
            states = dict(zip(part, packed, strict=True))
            await self._apply(version if last else self.items.version, states)
        await asyncio.sleep(_GATHER_SECONDS)
        return entries[-1][0]

    async def _version(self) -> int:
        return int(await self._client.hget(self._keys.status, "version") or 0)

    async def _apply(self, version: int, packed: Mapping[int, bytes | None]) -> None:
        self.items = await asyncio.to_thread(_changed, self.items, version, packed)


def _changed(items: LiveItems, version: int, packed: Mapping[int, bytes | None]) -> LiveItems:
    states = {
        row: None if record is None else _state(Delta.unpack(record))
        for row, record in packed.items()
        if row < len(items.saves)
    }
    return items.changed(version, states)


def _state(delta: Delta) -> ItemState:
    co_read = CoRead(delta.co_read.astype(np.int32), delta.similarities, delta.version)
    return ItemState(delta.item_factors, delta.smoothed_text, delta.readers, co_read)


def _order(entry: bytes) -> tuple[int, int]:
    time, number = entry.split(b"-")
    return int(time), int(number)
