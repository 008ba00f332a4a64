"""What makes lists, opened as the settings say: of the service, and of a sender of digests, which
listens on no port and asks the handlers itself."""

import asyncio
from collections.abc import Mapping

from models.event_types import EventType
from service.access import Access
from service.background import Background
from service.cache import AnswerCache
from service.catalog import Catalog
from service.feedback_state import FeedbackState
from service.live import LiveModel
from service.readers import Readers
from service.recommendations import RecommendationHandlers
from service.secrets import SIGNING_KEYS, SigningKeys
from service.settings import Settings
from service.tombstones import Tombstones
from service.trending.follower import TrendFollower
from service.trending.handler import TrendingPapers
from service.trending.lists import TrendingLists
from service.trending.windows import configured_trending


class Core:
    """Model, keys, lists, and what follows the state server from `start` to `close`.

    types: of events, by name. state: None if there is no state server. Both and the cache stay the
        caller's, who closes them.
    trending: what the settings say of trends.
    tombstones: None without state. live: None if the model knows nothing of readers.
    """

    def __init__(
        self,
        settings: Settings,
        types: Mapping[str, EventType],
        state: FeedbackState | None,
        cache: AnswerCache,
        *,
        verify: bool = True,
    ) -> None:
        """Opens the model; verify: whether its files are to be checked.

        Raises ArtifactError, SigningKeysError and SettingsError.
        """
        self.types = types
        self.state = state
        self.cache = cache
        self.trending = configured_trending(settings, types)
        self.background = Background()
        self.catalog = Catalog(settings.model, verify=verify)
        self.keys = SigningKeys.open(settings.data_dir / SIGNING_KEYS)
        self.tombstones = Tombstones.open(state.client, settings.data_dir) if state else None
        artifact, url = self.catalog.serving.artifact, state.url if state else None
        model = artifact.reader_model
        self.live = LiveModel(model, artifact.version, url) if model else None
        self.trends = TrendFollower(TrendingLists(artifact), url)
        self._loading: asyncio.Task[object] | None = None
        self.readers = Readers(artifact, state, self.tombstones, self.live, types, self.background)

    def recommendations(self, access: Access) -> RecommendationHandlers:
        """The methods that answer with lists. access: whether the caller may ask for readers."""
        trending = TrendingPapers(
            self.catalog, self.keys, self.background, self.cache, self.trending, self.trends
        )
        return RecommendationHandlers(
            self.catalog,
            self.keys,
            self.background,
            self.cache,
            access,
            self.readers,
            trending,
        )

    def start(self) -> None:
        """Begin to follow the state server, and to load what no start waits for."""
        self._loading = asyncio.create_task(
            asyncio.to_thread(lambda: self.catalog.serving.passing.codes)
        )
        if self.live:
            self.live.start()
        self.trends.start()

    async def close(self) -> None:
        """Stop following, and what is computed."""
        self.background.close()
        if self._loading:
            await self._loading
        if self.live:
            await self.live.close()
        await self.trends.close()
