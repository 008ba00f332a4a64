"""Follows what readers change in a model: the replica's side of item deltas.

service/deltas.py says what the state server holds. The present state is replaced whole by each
change, so a request keeps the state that it began with, and nothing waits for a change to be made.
"""

import asyncio
from collections.abc import Mapping
from typing import cast

import structlog
from redis import RedisError
from redis.asyncio import Redis

from models.readers import ReaderModel, solver
from service.connection import connect
from service.deltas import Delta, changed_rows
from service.keys import delta_keys
from service.live_items import CoRead, ItemState, LiveItems
from service.stepping import end

ROWS_AT_ONCE = 1_000
"""How many papers are read by one command and changed together."""

_ENTRIES_AT_ONCE = 16
_BLOCK_MS = 1_000
_TIMEOUT_SECONDS = 5.0

_GATHER_SECONDS = 0.1
"""Publications of so long are applied together: each change copies a little of everything."""

_REST_SECONDS = 1.0

_Entry = tuple[bytes, Mapping[bytes, bytes]]

log = structlog.get_logger(__name__)


class LiveModel:
    """The state of a model's papers, kept up with the state server from `start` to `close`.

    While the server is away the state stays as it was; then everything is read again.

    url: of the state server; None to stay with the papers as they were trained.
    loads: how often everything was read from the state server.
    """

    def __init__(self, model: ReaderModel, model_version: str, url: str | None) -> None:
        """Raises ValueError when the URL is not one of Redis."""
        self.loads = 0
        self._model = model
        self._keys = delta_keys(model_version)
        self._client = connect(url, timeout_seconds=_TIMEOUT_SECONDS) if url else None
        self._opening: asyncio.Task[LiveItems] | None = None
        self._items: LiveItems | None = None
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to open and to follow, beside the requests."""
        self._opening = asyncio.create_task(asyncio.to_thread(_opened, self._model))
        self._following = asyncio.create_task(self._run(self._opening))

    @property
    def items(self) -> LiveItems | None:
        """The present state; None for the moment that opening takes."""
        return self._items

    async def present(self) -> LiveItems:
        """The present state, waited for while it opens."""
        if self._items is None:
            if self._opening is None:
                raise RuntimeError("the items are not followed: start was not called")
            return await asyncio.shield(self._opening)
        return self._items

    async def close(self) -> None:
        """Stop following."""
        for task in (self._following, self._opening):
            if task is not None:
                await end(task)
        if self._client is not None:
            await self._client.aclose()

    async def _run(self, opening: asyncio.Task[LiveItems]) -> None:
        items = self._items = await opening
        away = False
        while (client := self._client) is not None:
            try:
                items, after = await self._load(client, items)
                if away:
                    log.info("the state server is back: items follow it again")
                    away = False
                while after:
                    items, after = await self._follow(client, items, after)
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.warning("the state server is away, items stay as is", error=str(error))
                    away = True
                await asyncio.sleep(_REST_SECONDS)

    async def _load(self, client: Redis, items: LiveItems) -> tuple[LiveItems, bytes]:
        """Read every delta; with the entry of the log that was the last one before."""
        last = await client.xrevrange(self._keys.log, count=1)
        version = await self._version(client)
        found: dict[int, bytes | None] = {}
        gone = set(items.co_read)
        async for row, packed in client.hscan_iter(self._keys.items, count=ROWS_AT_ONCE):
            found[int(row)] = packed
            gone.discard(int(row))
            if len(found) >= ROWS_AT_ONCE:
                items = await self._change(items, items.version, found)
                found = {}
        items = await self._change(items, version, {**found, **dict.fromkeys(gone)})
        self.loads += 1
        return items, cast(bytes, last[0][0]) if last else b"0-0"

    async def _follow(
        self, client: Redis, items: LiveItems, after: bytes
    ) -> tuple[LiveItems, bytes]:
        """Apply what was published after an entry of the log; with the last entry that was, empty
        when entries between may be gone, so that everything must be read again."""
        answer = await client.xread(
            {self._keys.log: after}, count=_ENTRIES_AT_ONCE, block=_BLOCK_MS
        )
        if not answer:
            return items, after
        [(_, entries)] = cast("list[tuple[bytes, list[_Entry]]]", answer)
        if len(entries) == _ENTRIES_AT_ONCE:  # far behind: does the log still reach so far back?
            [(first, _)] = cast("list[_Entry]", await client.xrange(self._keys.log, count=1))
            if _order(first) > _order(after):
                return items, b""
        version = await self._version(client)
        rows = changed_rows(entries).tolist()
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            part = rows[begin : begin + ROWS_AT_ONCE]
            packed = await client.hmget(self._keys.items, [str(row) for row in part])
            complete = begin + len(part) == len(rows)
            states = dict(zip(part, packed, strict=True))
            items = await self._change(items, version if complete else items.version, states)
        await asyncio.sleep(_GATHER_SECONDS)
        return items, entries[-1][0]

    async def _version(self, client: Redis) -> int:
        return int(await client.hget(self._keys.status, "version") or 0)

    async def _change(
        self, items: LiveItems, version: int, packed: Mapping[int, bytes | None]
    ) -> LiveItems:
        self._items = await asyncio.to_thread(_changed, items, version, packed)
        return self._items


def _opened(model: ReaderModel) -> LiveItems:
    solver()
    return LiveItems.over(model)


def _changed(items: LiveItems, version: int, packed: Mapping[int, bytes | None]) -> LiveItems:
    states = {
        row: None if record is None else _state(Delta.unpack(record))
        for row, record in packed.items()
    }
    return items.changed(version, states)


def _state(delta: Delta) -> ItemState:
    co_read = CoRead(delta.co_read, delta.similarities)
    return ItemState(delta.item_factors, delta.smoothed_text, delta.readers, co_read)


def _order(entry: bytes) -> tuple[int, int]:
    time, number = entry.split(b"-")
    return int(time), int(number)
