"""The assembled service in one process: models, keys, cache and the gRPC port."""

from typing import Self

import structlog

from models.manifest import ArtifactError
from service.background import Background
from service.cache import AnswerCache, CacheCounters, RedisCache
from service.catalog import Catalog
from service.grpc_server import GrpcServer, ListenError
from service.handlers import methods
from service.secrets import SigningKeys, SigningKeysError
from service.settings import Settings
from service.state import StateFormatError, check_state

SIGNING_KEYS = "signing.keys"

log = structlog.get_logger(__name__)


class StartError(RuntimeError):
    """The service can't start; the message says why in one sentence."""


class Application:
    """Answers from `start` to `stop`."""

    def __init__(self, settings: Settings) -> None:
        """Opens the model and takes the port. Raises StartError."""
        self._settings = settings
        self.background = Background()
        self.cache = _cache(settings)
        try:
            self.catalog = Catalog(settings.model)
            keys = SigningKeys.open(settings.data_dir / SIGNING_KEYS)
            self._server = GrpcServer(
                methods(self.catalog, keys, self.background, self.cache),
                address(settings.host, settings.port),
                settings.max_message_bytes,
            )
        except (ArtifactError, SigningKeysError, ListenError) as error:
            raise StartError(str(error)) from error
        self.port = self._server.port

    async def start(self) -> Self:
        """Begin to answer. Raises StartError."""
        if self._settings.state_url:
            try:
                await check_state(self._settings.state_url)
            except StateFormatError as error:
                raise StartError(str(error)) from error
            except ValueError as error:
                message = f"The URL of the state is not one of Redis: {error}."
                raise StartError(message) from error
        await self._server.start()
        return self

    async def stop(self) -> None:
        """Let the calls in flight finish, and close."""
        await self._server.stop(self._settings.drain_seconds)
        self.background.close()
        await self.cache.close()


def _cache(settings: Settings) -> AnswerCache:
    counters = CacheCounters()
    try:
        url = settings.cache_url
        shared = RedisCache(url, counters=counters) if url else None
    except ValueError as error:
        raise StartError(f"The URL of the cache is not one of Redis: {error}.") from error
    return AnswerCache(shared, counters=counters, local_megabytes=settings.local_cache_megabytes)


def address(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
