"""The addresses of feeds: `/feeds/LIST.FORMAT`, for lists of papers that one may ask for again."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from service.errors import ServiceError
from service.times import DAY_SECONDS
from service.web.api import Api
from service.web.explorer.errors import STATUS
from service.web.feeds import atom, json_feed, related, search, trending
from service.web.feeds.feed import Feed

LISTS: Mapping[str, Callable[[Api, Request, str], Awaitable[Feed]]] = MappingProxyType(
    {"trending": trending.feed, "search": search.feed, "related": related.feed}
)
"""What there are feeds of, by their name in addresses."""

FORMATS: Mapping[str, tuple[Callable[[Feed, str], bytes], str]] = MappingProxyType(
    {
        atom.EXTENSION: (atom.atom, atom.MEDIA_TYPE),
        json_feed.EXTENSION: (json_feed.json_feed, json_feed.MEDIA_TYPE),
    }
)
"""What writes a feed, and its media type, by extension."""

_HEADERS = {"x-content-type-options": "nosniff"}
_AWAY_SECONDS = DAY_SECONDS
"""How long an old copy may stand in while a new one can't be fetched."""


def routes(api: Api, public_url: str) -> list[Route]:
    """Every list in every format. public_url: the origin of the addresses in them."""
    return [
        Route(f"/feeds/{name}.{extension}", _endpoint(api, public_url, name, extension))
        for name in LISTS
        for extension in FORMATS
    ]


def _endpoint(
    api: Api, public_url: str, name: str, extension: str
) -> Callable[[Request], Awaitable[Response]]:
    write, media_type = FORMATS[extension]

    async def answer(request: Request) -> Response:
        try:
            feed = await LISTS[name](api, request, public_url)
        except ServiceError as error:
            headers = {**_HEADERS, "cache-control": "no-store"}
            return PlainTextResponse(f"{error.message}\n", STATUS[error.code], headers)
        content = write(feed, public_url)
        # Whole seconds, rounded up: what changed within a second is no copy of what was before.
        modified = datetime.fromtimestamp(-(-feed.modified_ms // 1000), UTC)
        headers = {
            **_HEADERS,
            "cache-control": f"public, max-age={feed.kept_seconds}, "
            # as long again while a new one is fetched
            f"stale-while-revalidate={feed.kept_seconds}, stale-if-error={_AWAY_SECONDS}",
            "etag": _tag(write(replace(feed, updated_ms=0), public_url)),
            "last-modified": format_datetime(modified, usegmt=True),
        }
        if _unmodified(request, modified):
            return Response(b"", HTTPStatus.NOT_MODIFIED, headers)
        return Response(content, headers=headers, media_type=f"{media_type}; charset=utf-8")

    return answer


def _tag(content: bytes) -> str:
    """Names what a feed says, whenever it was said: a list is made anew each minute, mostly the
    same. Weak for that (RFC 9110, 8.8.1)."""
    return f'W/"{hashlib.sha256(content).hexdigest()[:20]}"'


def _unmodified(request: Request, modified: datetime) -> bool:
    """Whether a copy of the time that the request names still holds. A request that names an
    entity tag is judged by that alone (RFC 9110, 13.1.3)."""
    since = request.headers.get("if-modified-since", "")
    if not since or "if-none-match" in request.headers:
        return False
    try:
        return modified <= parsedate_to_datetime(since).replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # no date: as if it were not there
        return False
