"""How long the answer to a GET may be kept, by whom, and what names it."""

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from google.protobuf.message import Message

FRESH = "public, max-age=300, stale-while-revalidate=86400"
"""The serving model answers so until readers teach it otherwise, or another takes its place."""

PASSING = "public, max-age=60"
"""What an earlier model made may go with it; trends and the list of models change by themselves."""

UNKEPT = "private, no-store"
"""What concerns a reader, or was asked for with a key, and every error."""


LONGEST_REPEATED = 16_384
"""In bytes, which bounds what is kept of answers that come again; longer ones hardly do."""


class Freshness:
    """Cache-Control and ETag of answers. serving: gives the version of the model that serves."""

    def __init__(self, serving: Callable[[], str]) -> None:
        self._serving = serving

    def headers(self, answer: Message | bytes, kind: Any, *, shared: bool) -> dict[str, str]:
        """The headers of an answer. kind: its class. shared: whether all are answered so."""
        if not shared:
            return {"cache-control": UNKEPT}
        known = isinstance(answer, bytes) and len(answer) <= LONGEST_REPEATED
        model_version, tag = _repeated(kind, answer) if known else _described(kind, answer)
        cache_control = FRESH if model_version == self._serving() else PASSING
        return {"cache-control": cache_control, "etag": tag}


def _described(kind: Any, answer: Message | bytes) -> tuple[str, str]:
    """The model that made an answer, empty if none did or readers' events did, and its ETag. kind:
    its class."""
    message = kind.FromString(answer) if isinstance(answer, bytes) else answer
    follows = "as_of" in kind.DESCRIPTOR.fields_by_name
    return "" if follows else getattr(message, "model_version", ""), etag(message)


_repeated = lru_cache(256)(_described)


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
    """Every request about a reader has a field `reader_id`, a batch in each of its items, and one
    about a subscription a `token`."""
    return any(getattr(request, name, "") for name in ("reader_id", "token")) or any(
        map(_names_reader, getattr(request, "requests", ()))
    )
