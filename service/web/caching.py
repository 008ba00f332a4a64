"""How long the answer to a GET may be kept, by whom, and what names it."""

import hashlib
from collections.abc import Callable, Mapping

from google.protobuf.message import Message

FRESH = "public, max-age=300, stale-while-revalidate=86400"
"""The serving model answers so until readers teach it otherwise, or another takes its place."""

PASSING = "public, max-age=60"
"""What an earlier model made may go with it, and the list of models changes by itself."""

UNKEPT = "private, no-store"
"""What concerns a reader, or was asked for with a key, and every error."""


class Freshness:
    """Cache-Control and ETag of answers. serving: gives the version of the model that serves."""

    def __init__(self, serving: Callable[[], str]) -> None:
        self._serving = serving

    def headers(self, answer: Message, *, shared: bool) -> dict[str, str]:
        """The headers of an answer. shared: whether it is the same for everybody."""
        if not shared:
            return {"cache-control": UNKEPT}
        version = getattr(answer, "model_version", "")
        return {
            "cache-control": FRESH if version == self._serving() else PASSING,
            "etag": etag(answer),
        }


def concerns_all(request: Message, headers: Mapping[str, str]) -> bool:
    """Whether everybody who sends this request gets the same answer."""
    return not ("authorization" in headers or "x-api-key" in headers or _names_reader(request))


def etag(answer: Message) -> str:
    """Equal for equal messages, in every process; weak, since one may be sent in several forms.

    A list that changes, by a new model or by what readers did, is another message.
    """
    digest = hashlib.blake2b(answer.SerializeToString(deterministic=True), digest_size=12)
    return f'W/"{digest.hexdigest()}"'


def matches(tag: str, wanted: str) -> bool:
    """Whether the value of an If-None-Match names this tag, compared weakly (RFC 9110, 13.1.2)."""
    if wanted.strip() == "*":
        return True
    opaque = tag.removeprefix("W/")
    return any(each.strip().removeprefix("W/") == opaque for each in wanted.split(","))


def _names_reader(request: Message) -> bool:
    """Every request about a reader has a field `reader_id`, a batch in each of its items."""
    return bool(getattr(request, "reader_id", "")) or any(
        map(_names_reader, getattr(request, "requests", ()))
    )
