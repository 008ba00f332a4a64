"""Follows the rankings that an updater publishes: the replica's side.

While the state server is away the rankings stay as they were.
"""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

import structlog
from redis import RedisError

from service.connection import connect
from service.keys import RANKINGS_KEY
from service.stepping import end
from service.trending.lists import Ranked, TrendingLists
from service.trending.ranking import Ranking

POLL_SECONDS = 1.0
_TIMEOUT_SECONDS = 5.0
_REVISION = "#revision"
"""No name of a window is like that."""

log = structlog.get_logger(__name__)


class TrendFollower:
    """The present rankings, kept up with the state server from `start` to `close`.

    lists: of the model that serves.
    url: of the state server; None for no rankings.
    """

    def __init__(self, lists: TrendingLists, url: str | None) -> None:
        """Raises ValueError when the URL is not one of Redis."""
        self.lists = lists
        self._client = connect(url, timeout_seconds=_TIMEOUT_SECONDS) if url else None
        self._ranked: Mapping[str, Ranked] = MappingProxyType({})
        self._revision = b""
        self._loading = asyncio.Lock()
        self._following: asyncio.Task[None] | None = None

    def ranked(self, window: str) -> Ranked | None:
        """The ranking of a window; None as long as none was published."""
        return self._ranked.get(window)

    def ends(self) -> Mapping[str, int]:
        """The end of each window that has a ranking, Unix time in ms."""
        return {window: each.ranking.as_of_ms for window, each in self._ranked.items()}

    def start(self) -> None:
        """Begin to follow, beside the requests."""
        if self._client is not None:
            self._following = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop following."""
        if self._following is not None:
            await end(self._following)
        if self._client is not None:
            await self._client.aclose()

    async def load(self) -> None:
        """Take the rankings that are there now. Raises RedisError, OSError or TimeoutError."""
        if self._client is None:
            return
        async with self._loading:
            revision = await self._client.hget(RANKINGS_KEY, _REVISION)
            if revision == self._revision:
                return
            found = cast("dict[bytes, bytes]", await self._client.hgetall(RANKINGS_KEY))
            revision = found.pop(_REVISION.encode(), b"")
            self._ranked = await asyncio.to_thread(self._read, found)
            self._revision = revision

    async def _run(self) -> None:
        away = False
        while True:
            try:
                await self.load()
                if away:
                    log.info("the state server is back: trends follow it again")
                away = False
            except (RedisError, OSError, TimeoutError) as error:
                if not away:
                    log.warning("the state server is away, trends stay as is", error=str(error))
                away = True
            await asyncio.sleep(POLL_SECONDS)

    def _read(self, packed: Mapping[bytes, bytes]) -> Mapping[str, Ranked]:
        return {
            window.decode(): self.lists.ranked(Ranking.unpack(ranking))
            for window, ranking in packed.items()
        }
