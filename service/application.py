"""The assembled service in one process: models, keys, state, cache and both ports."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Self

import structlog
from redis.asyncio import Redis

from models.event_types import EventType
from models.manifest import ArtifactError
from service import event_window
from service.access import Access, proxies
from service.api_keys import ApiKeys, ApiKeysError
from service.cache import AnswerCache, CacheCounters, RedisCache
from service.core import Core
from service.digest.handlers import DigestHandlers, DigestState
from service.digest.links import Links, Tokens
from service.digest.metrics import DigestMetrics
from service.digest.notices import Courier, NoticeTask
from service.digest.transport import check as check_mail
from service.errors import ServiceError
from service.event_types import event_types
from service.feedback import FeedbackHandlers, NoState
from service.feedback_state import FeedbackState
from service.group_commit import GroupCommit
from service.grpc_server import GrpcServer
from service.handlers import Method, methods
from service.listening import ListenError
from service.metrics import Metrics
from service.public_url import public_url
from service.reader_records import ReaderRecords
from service.received_events import Rules
from service.secrets import SigningKeys, SigningKeysError
from service.settings import Settings, SettingsError
from service.state import StateFormatError, check_state
from service.state_keys import match
from service.times import DAY_MS, DAY_SECONDS
from service.web.api import Api
from service.web.application import WebApplication
from service.web.server import WebServer, listen

_CANNOT_START = (ArtifactError, SigningKeysError, ApiKeysError, ListenError, SettingsError)

log = structlog.get_logger(__name__)


class StartError(RuntimeError):
    """The service can't start; the message says why in one sentence."""


class Application:
    """Answers from `start` to `stop`."""

    def __init__(self, settings: Settings, *, verify: bool = True) -> None:
        """Opens the model and takes the ports; verify: whether the model's files are to be checked.

        Raises StartError.
        """
        self._settings = settings
        try:
            check_mail(settings)
            types = event_types(settings.event_types)
            state, cache = _state(settings, types), _cache(settings)
            self.core = Core(settings, types, state, cache, verify=verify)
            self._access = _access(settings, self.core.keys)
            self._commit = GroupCommit(self.core.state or NoState())
            answered = tuple(methods(self.core, self._access, self._feedback(), self._digest()))
            metrics = Metrics(
                self.core.cache.counters,
                self._model_version,
                DigestMetrics(self.core.state.client) if self.core.state else None,
                self.core.trends.ends,
            )
            self._server = GrpcServer(
                answered, metrics, address(settings.host, settings.port), settings.max_message_bytes
            )
            self.port = self._server.port
            listening = listen(settings.host, settings.web_port)
            self.web_port: int = listening.getsockname()[1]
            public = public_url(settings, self.web_port)
            self._notices = self._notice_task(public)
            api = self._api(answered)
            web = WebApplication(answered, api, metrics, settings, self.port, public)
            self._gateway = web.gateway
            self._web = WebServer(web, listening)
        except _CANNOT_START as error:
            raise StartError(str(error)) from error

    async def start(self) -> Self:
        """Begin to answer. Raises StartError."""
        if self.core.state:
            try:
                await _check(self.core.state, self._settings)
            except StartError:
                await self._web.stop()  # it holds its port from the beginning
                await self._close()
                raise
        self.core.start()
        if self._notices:
            self._notices.start()
        await self._server.start()
        await self._web.start()
        return self

    async def stop(self) -> None:
        """Let the calls in flight finish, and close."""
        seconds = self._settings.drain_seconds
        await asyncio.gather(self._server.stop(seconds), self._gateway.drain(seconds))
        await self._web.stop()
        await self._close()

    async def _close(self) -> None:
        await self._commit.close()
        if self._notices:
            await self._notices.close()
        await self.core.close()
        if self.core.state:
            await self.core.state.close()
        await self.core.cache.close()

    def _feedback(self) -> FeedbackHandlers:
        core, settings = self.core, self._settings
        rules = Rules(core.types, round(settings.event_window_days * DAY_MS), core.keys)
        records = None
        if core.state and core.tombstones:
            records = ReaderRecords(
                core.state, core.tombstones, core.types, core.keys, core.background
            )
        return FeedbackHandlers(core.catalog, self._access, rules, self._commit, records)

    def _digest(self) -> DigestHandlers:
        core, settings = self.core, self._settings
        per_hour = settings.digest_requests_per_hour
        return DigestHandlers(
            core.catalog,
            self._access,
            Tokens.of(core.keys, settings.data_dir),
            DigestState.open(core.state, per_hour) if core.state else None,
            core.trending.windows,
            self._wake,
        )

    def _wake(self) -> None:
        if self._notices:
            self._notices.wake()

    def _notice_task(self, public: str) -> NoticeTask | None:
        core = self.core
        if core.state is None:
            return None
        links = Links.open(public, core.keys, self._settings.data_dir)
        return NoticeTask(Courier.open(core.state.client, links, self._settings))

    def _api(self, answered: Sequence[Method]) -> Api:
        core = self.core
        windows = core.trending.windows
        return Api(answered, core.catalog, core.readers, windows, self._access.open_to)

    def _model_version(self) -> str:
        return self.core.catalog.serving.artifact.version


async def _check(state: FeedbackState, settings: Settings) -> None:
    """Raises StartError where the state server could lose events and that is not allowed, or where
    the state was made with other keys."""
    try:
        report = await check_state(state.url)
        if report.reachable:
            with suppress(ServiceError):  # one that takes no writes, of which the report says so
                await _prepare(state.client, settings)
    except (StateFormatError, SigningKeysError) as error:
        raise StartError(str(error)) from error
    if report.losses and not settings.allow_unsafe_state:
        raise StartError(
            f"Readers' events could be lost. {' '.join(report.losses)} "
            "Mend that, name another server with --state-url, or accept it with "
            "--allow-unsafe-state."
        )


async def _prepare(client: Redis, settings: Settings) -> None:
    """What comes before the first event that is stored on a state server. Raises SigningKeysError
    and ServiceError."""
    await match(client, settings.data_dir)
    await event_window.leave(client, settings.event_window_days * DAY_SECONDS)


def _cache(settings: Settings) -> AnswerCache:
    counters = CacheCounters()
    try:
        url = settings.cache_url
        shared = RedisCache(url, counters=counters) if url else None
    except ValueError as error:
        raise StartError(f"The URL of the cache is not one of Redis: {error}.") from error
    return AnswerCache(shared, counters=counters, local_megabytes=settings.local_cache_megabytes)


def _state(settings: Settings, types: Mapping[str, EventType]) -> FeedbackState | None:
    if settings.state_url is None:
        return None
    try:
        return FeedbackState(
            settings.state_url,
            types=types,
            allow_unsafe=settings.allow_unsafe_state,
            prepare=partial(_prepare, settings=settings),
        )
    except ValueError as error:
        raise StartError(f"The URL of the state is not one of Redis: {error}.") from error


def _access(settings: Settings, keys: SigningKeys) -> Access:
    api_keys = ApiKeys(settings.api_key_file) if settings.api_key_file else None
    if settings.trusted_proxies and not api_keys:
        log.warning(
            "There are trusted proxies and no API keys: what concerns readers is refused to the "
            "clients that they forward. Make a key with `related-papers api-key create`, and serve "
            "with --api-key-file."
        )
    return Access(settings.host, api_keys, keys, proxies(settings.trusted_proxies))


def address(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
