"""Page tokens: where a list goes on, and that the rest of the request is as it was.

The token of a list that stays as it is says how far it was read. A list that follows its reader
changes between two pages, so its token says what was shown.
"""

import struct
from array import array
from typing import NamedTuple

from service import tokens
from service.background import Background
from service.catalog import Catalog
from service.errors import Reason, ServiceError
from service.secrets import InvalidToken, SigningKeys

PURPOSE = "page"
_SHOWN = "page-shown"
_SHOWN_HEAD = struct.Struct(">16sB")  # digest, length of the model version


def next_page(keys: SigningKeys, position: tokens.Position) -> str:
    """The token of the page that begins there."""
    return tokens.sign(keys, PURPOSE, position)


class Shown(NamedTuple):
    """What the pages before showed of a list that changes while it is read.

    digest: the request that made the list.
    model_version: the model whose rows they are.
    rows: what was shown.
    """

    digest: bytes
    model_version: str
    rows: tuple[int, ...] = ()


def resume(keys: SigningKeys, page_token: str, digest: bytes) -> tokens.Position:
    """Where a page begins. Fails with PAGE_TOKEN_INVALID.

    digest: of the request, without what may differ from page to page.
    """
    try:
        position = tokens.read(keys, PURPOSE, page_token)
    except InvalidToken as error:
        raise _not_ours() from error
    _check(position.digest, digest)
    return position


def resume_either(keys: SigningKeys, page_token: str, digest: bytes) -> tokens.Position | Shown:
    """Where a page begins, by either kind of token. Fails with PAGE_TOKEN_INVALID."""
    try:
        shown = tokens.unseal(keys, _SHOWN, page_token)
    except InvalidToken:
        return resume(keys, page_token, digest)
    return _read(shown, digest)


def next_page_after(keys: SigningKeys, shown: Shown) -> str:
    """The token of the page that follows what was shown; at most 4 bytes for each row."""
    version = shown.model_version.encode()
    head = _SHOWN_HEAD.pack(shown.digest, len(version)) + version
    return tokens.seal(keys, _SHOWN, head + array("i", shown.rows).tobytes())


def resume_after(keys: SigningKeys, page_token: str, digest: bytes) -> Shown:
    """What was shown before a page. Fails with PAGE_TOKEN_INVALID."""
    try:
        payload = tokens.unseal(keys, _SHOWN, page_token)
    except InvalidToken as error:
        raise _not_ours() from error
    return _read(payload, digest)


async def shown_before(
    keys: SigningKeys, page_token: str, digest: bytes, catalog: Catalog, background: Background
) -> tuple[int, ...]:
    """What the pages before showed, in rows of the serving model; nothing before the first page.

    Fails with PAGE_TOKEN_INVALID and MODEL_VERSION_GONE.
    """
    if not page_token:
        return ()
    return await rows_now(resume_after(keys, page_token, digest), catalog, background)


async def rows_now(shown: Shown, catalog: Catalog, background: Background) -> tuple[int, ...]:
    """What was shown, in rows of the serving model. Fails with MODEL_VERSION_GONE."""
    return await background.run(catalog.rows_now, shown.model_version, shown.rows)


def _read(payload: bytes, digest: bytes) -> Shown:
    found, length = _SHOWN_HEAD.unpack_from(payload)
    _check(found, digest)
    begin = _SHOWN_HEAD.size
    rows = array("i", payload[begin + length :])
    return Shown(found, payload[begin : begin + length].decode(), tuple(rows))


def _not_ours() -> ServiceError:
    message = "`page_token` was not made by this service: begin again without it."
    return ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token")


def _check(found: bytes, digest: bytes) -> None:
    if found != digest:
        message = (
            "`page_token` belongs to another request: the fields that choose or order the results "
            "must be as they were on the page before."
        )
        raise ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token")
