"""What a sender works with, opened as the settings say: model, lists, ledger and mail server.

A sender is a process of its own and listens on no port. It asks the handlers of the API, so that a
mail brings what a client would be shown.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.access import Access
from service.cache import AnswerCache
from service.core import Core
from service.digest.contents import Contents
from service.digest.ledger import Ledger, Undecided
from service.digest.links import Links
from service.digest.notices import Courier
from service.digest.store import Subscriptions
from service.digest.tools import Tools
from service.digest.transport import check, open_transport, retry_seconds
from service.event_types import event_types
from service.feedback_state import FeedbackState, state_errors
from service.public_url import public_url
from service.settings import Settings
from service.tombstones import Tombstones


@asynccontextmanager
async def opened(
    settings: Settings,
    state: FeedbackState,
    *,
    retry_seconds: Callable[[int], float] = retry_seconds,
) -> AsyncIterator[Tools]:
    """The tools of a sender, for the time of the block.

    Raises ArtifactError, SigningKeysError, SettingsError and ServiceError STATE_AWAY.
    """
    check(settings)
    cache = AnswerCache(None, local_megabytes=settings.local_cache_megabytes)
    core = Core(settings, event_types(settings.event_types), state, cache)
    access = Access("127.0.0.1", None, core.keys)  # nobody calls but ourselves
    contents = Contents(core.catalog.serving.artifact, core.recommendations(access))
    links = Links.open(public_url(settings, settings.web_port), core.keys, settings.data_dir)
    with state_errors():
        await core.trends.load()  # before the first digest: the list without is another one
    core.start()
    try:
        yield Tools(
            storing=state.storing,
            ledger=Ledger(
                state.client,
                lease_ms=round(settings.digest_lease_seconds * 1_000),
                undecided=Undecided(settings.digest_undecided),
            ),
            subscriptions=Subscriptions(state.client),
            contents=contents,
            tombstones=Tombstones.open(state.client, settings.data_dir),
            links=links,
            courier=Courier.open(state.client, links, settings),
            transport=lambda: open_transport(settings),
            mail_from=settings.mail_from,
            papers=settings.digest_papers,
            retry_seconds=retry_seconds,
        )
    finally:
        await core.close()
        await cache.close()
