"""What a sender works with, opened as the settings say: model, lists, ledger and mail server.

A sender is a process of its own and listens on no port. It asks the handlers of the API, so that a
mail brings what a client would be shown.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.access import Access
from service.background import Background
from service.cache import AnswerCache, CacheCounters
from service.catalog import Catalog
from service.digest.contents import Contents
from service.digest.ledger import Ledger, Undecided
from service.digest.links import Links
from service.digest.notices import Courier
from service.digest.store import Subscriptions
from service.digest.tools import Tools
from service.digest.transport import check, open_transport, retry_seconds
from service.event_types import event_types
from service.feedback_state import FeedbackState, state_errors
from service.live import LiveModel
from service.public_url import public_url
from service.readers import Readers
from service.recommendations import RecommendationHandlers
from service.secrets import SIGNING_KEYS, SigningKeys
from service.settings import Settings
from service.tombstones import Tombstones
from service.trending.follower import TrendFollower
from service.trending.handler import TrendingPapers
from service.trending.lists import TrendingLists
from service.trending.windows import trending


@asynccontextmanager
async def opened(
    settings: Settings,
    state: FeedbackState,
    *,
    retry_seconds: Callable[[int], float] = retry_seconds,
) -> AsyncIterator[Tools]:
    """The tools of a sender, for the time of the block.

    Raises ArtifactError, SigningKeysError, MailSettingsError, ServiceError STATE_AWAY, and
    ValueError where a setting of types or windows is wrong.
    """
    check(settings)
    types = event_types(settings.event_types)
    windows = trending(
        settings.trending_windows, settings.trending_types, types, log_days=settings.log_days
    )
    catalog = Catalog(settings.model)
    artifact = catalog.serving.artifact
    keys = SigningKeys.open(settings.data_dir / SIGNING_KEYS)
    tombstones = Tombstones.open(state.client, settings.data_dir)
    background = Background()
    cache = AnswerCache(
        None, counters=CacheCounters(), local_megabytes=settings.local_cache_megabytes
    )
    model = artifact.reader_model
    live = LiveModel(model, artifact.version, state.url) if model else None
    trends = TrendFollower(TrendingLists(artifact), state.url)
    handlers = RecommendationHandlers(
        catalog,
        keys,
        background,
        cache,
        Access("127.0.0.1", None, keys),  # nobody calls but ourselves
        Readers(artifact, state, tombstones, live, types, background),
        TrendingPapers(catalog, keys, background, cache, windows, trends),
    )
    links = Links.open(public_url(settings, settings.web_port), keys, settings.data_dir)
    with state_errors():
        await trends.load()  # before the first digest: the list without is another one
    trends.start()
    if live:
        live.start()
    try:
        yield Tools(
            ledger=Ledger(
                state.client,
                lease_ms=round(settings.digest_lease_seconds * 1_000),
                undecided=Undecided(settings.digest_undecided),
            ),
            subscriptions=Subscriptions(state.client),
            contents=Contents(artifact, handlers),
            links=links,
            courier=Courier.open(state.client, links, settings),
            transport=lambda: open_transport(settings),
            mail_from=settings.mail_from,
            papers=settings.digest_papers,
            retry_seconds=retry_seconds,
        )
    finally:
        background.close()
        await trends.close()
        if live:
            await live.close()
        await cache.close()
