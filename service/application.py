"""The assembled service in one process: models, keys, state, cache and both ports."""

import asyncio
from collections.abc import Mapping
from typing import Self

import structlog

from models.interactions import EventType
from models.manifest import ArtifactError
from service.access import Access, proxies
from service.api_keys import ApiKeys, ApiKeysError
from service.background import Background
from service.cache import AnswerCache, CacheCounters, RedisCache
from service.catalog import Catalog
from service.digest.handlers import DigestHandlers, DigestState
from service.digest.links import Links, Tokens
from service.digest.notices import Courier, NoticeTask
from service.digest.transport import MailSettingsError
from service.digest.transport import check as check_mail
from service.event_types import event_types
from service.feedback import FeedbackHandlers, NoState
from service.feedback_state import FeedbackState
from service.group_commit import GroupCommit
from service.grpc_server import GrpcServer
from service.handlers import methods
from service.listening import ListenError
from service.live import LiveModel
from service.metrics import Metrics
from service.public_url import public_url
from service.reader_records import ReaderRecords
from service.readers import Readers
from service.received_events import Rules
from service.secrets import SIGNING_KEYS, SigningKeys, SigningKeysError
from service.settings import Settings
from service.state import StateFormatError, check_state
from service.times import DAY_MS
from service.tombstones import Tombstones
from service.trending.follower import TrendFollower
from service.trending.handler import TrendingPapers
from service.trending.lists import TrendingLists
from service.trending.windows import Trending, configured_trending
from service.web.api import Api
from service.web.application import WebApplication
from service.web.server import WebServer, listen

_CANNOT_START = (
    *(ArtifactError, SigningKeysError, ApiKeysError),
    *(ListenError, MailSettingsError),
)

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
        types = _event_types(settings)
        self.state = _state(settings, types)
        self._commit = GroupCommit(self.state or NoState())
        try:
            self.catalog = Catalog(settings.model)
            keys = SigningKeys.open(settings.data_dir / SIGNING_KEYS)
            access = _access(settings, keys)
            rules = Rules(types, round(settings.event_window_days * DAY_MS), keys)
            tombstones = self._tombstones()
            records = self._records(tombstones, keys, types)
            self.live = self._live()
            lists = TrendingLists(self.catalog.serving.artifact)
            self.trends = TrendFollower(lists, settings.state_url)
            artifact = self.catalog.serving.artifact
            readers = Readers(artifact, self.state, tombstones, self.live, types, self.background)
            feedback = FeedbackHandlers(self.catalog, access, rules, self._commit, records)
            answered = tuple(
                methods(
                    self.catalog,
                    keys,
                    self.background,
                    self.cache,
                    feedback,
                    access,
                    readers,
                    self._trending(types, keys),
                    self._digest(access, types, keys),
                )
            )
            metrics = Metrics(self.cache.counters, lambda: self.catalog.serving.artifact.version)
            self._server = GrpcServer(
                answered, metrics, address(settings.host, settings.port), settings.max_message_bytes
            )
            windows = _trending(settings, types).windows
            api = Api(answered, self.catalog, readers, windows, allows_all=access.open)
            listening = listen(settings.host, settings.web_port)
            self.web_port: int = listening.getsockname()[1]
            public = public_url(settings, self.web_port)
            self._notices = self._notice_task(keys, public)
            web = WebApplication(answered, api, metrics, settings, self._server.port, public)
            self._gateway = web.gateway
            self._web = WebServer(web, listening)
        except _CANNOT_START as error:
            raise StartError(str(error)) from error
        self.port = self._server.port

    async def start(self) -> Self:
        """Begin to answer. Raises StartError."""
        if self._settings.state_url:
            try:
                await _check(
                    self._settings.state_url, allow_unsafe=self._settings.allow_unsafe_state
                )
            except StartError:
                await self._web.stop()  # it holds its port from the beginning
                raise
        if self.live:
            self.live.start()
        self.trends.start()
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
        self.background.close()
        await self._commit.close()
        if self._notices:
            await self._notices.close()
        if self.live:
            await self.live.close()
        await self.trends.close()
        if self.state:
            await self.state.close()
        await self.cache.close()

    def _digest(
        self, access: Access, types: Mapping[str, EventType], keys: SigningKeys
    ) -> DigestHandlers:
        per_hour = self._settings.digest_requests_per_hour
        state = DigestState.open(self.state.client, per_hour) if self.state else None
        tokens = Tokens.of(keys, self._settings.data_dir)
        windows = _trending(self._settings, types).windows
        return DigestHandlers(self.catalog, access, tokens, state, windows, self._wake)

    def _wake(self) -> None:
        if self._notices:
            self._notices.wake()

    def _notice_task(self, keys: SigningKeys, public: str) -> NoticeTask | None:
        check_mail(self._settings)
        if self.state is None:
            return None
        links = Links.open(public, keys, self._settings.data_dir)
        return NoticeTask(Courier.open(self.state.client, links, self._settings))

    def _tombstones(self) -> Tombstones | None:
        if self.state is None:
            return None
        return Tombstones.open(self.state.client, self._settings.data_dir)

    def _records(
        self, tombstones: Tombstones | None, keys: SigningKeys, types: Mapping[str, EventType]
    ) -> ReaderRecords | None:
        if self.state is None or tombstones is None:
            return None
        return ReaderRecords(self.state, tombstones, types, keys, self.background)

    def _trending(self, types: Mapping[str, EventType], keys: SigningKeys) -> TrendingPapers:
        configured = _trending(self._settings, types)
        return TrendingPapers(
            self.catalog, keys, self.background, self.cache, configured, self.trends
        )

    def _live(self) -> LiveModel | None:
        artifact = self.catalog.serving.artifact
        model = artifact.reader_model
        return LiveModel(model, artifact.version, self._settings.state_url) if model else None


async def _check(state_url: str, *, allow_unsafe: bool) -> None:
    """Raises StartError where the state server could lose events and that is not allowed."""
    try:
        report = await check_state(state_url)
    except StateFormatError as error:
        raise StartError(str(error)) from error
    if report.losses and not allow_unsafe:
        raise StartError(
            f"Readers' events could be lost. {' '.join(report.losses)} "
            "Mend that, name another server with --state-url, or accept it with "
            "--allow-unsafe-state."
        )


def _cache(settings: Settings) -> AnswerCache:
    counters = CacheCounters()
    try:
        url = settings.cache_url
        shared = RedisCache(url, counters=counters) if url else None
    except ValueError as error:
        raise StartError(f"The URL of the cache is not one of Redis: {error}.") from error
    return AnswerCache(shared, counters=counters, local_megabytes=settings.local_cache_megabytes)


def _event_types(settings: Settings) -> Mapping[str, EventType]:
    try:
        return event_types(settings.event_types)
    except ValueError as error:
        raise StartError(str(error)) from error


def _trending(settings: Settings, types: Mapping[str, EventType]) -> Trending:
    try:
        return configured_trending(settings, types)
    except ValueError as error:
        raise StartError(str(error)) from error


def _state(settings: Settings, types: Mapping[str, EventType]) -> FeedbackState | None:
    if settings.state_url is None:
        return None
    try:
        return FeedbackState(
            settings.state_url, types=types, allow_unsafe=settings.allow_unsafe_state
        )
    except ValueError as error:
        raise StartError(f"The URL of the state is not one of Redis: {error}.") from error


def _access(settings: Settings, keys: SigningKeys) -> Access:
    api_keys = ApiKeys(settings.api_key_file) if settings.api_key_file else None
    return Access(settings.host, api_keys, keys, proxies(settings.trusted_proxies))


def address(host: str, port: int) -> str:
    """`host:port`, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
