"""What a form sends."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.web.same_origin import same_origin

_MAX_BYTES, _MAX_FIELDS = 65_536, 32

FORBIDDEN = (
    "This was not sent from one of our own pages, so nothing was done. Open the page again and try "
    "once more; a very old browser may have to be renewed."
)


async def own_form(request: Request) -> Mapping[str, str]:
    """The fields of a form from one of our own pages; of several of one name the last.

    Raises HTTPException: 403 where it comes from elsewhere, 413 or 400 where it is no form of ours.
    """
    _check(request)
    return fields(await body_of(request))


def own_fields(request: Request, body: bytes) -> Mapping[str, str]:
    """The same of a form that has been read."""
    _check(request)
    return fields(body)


async def body_of(request: Request) -> bytes:
    """What a form sends, as it came. Raises HTTPException 413 where it is too long."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_BYTES:
            raise HTTPException(413, "The form is too large.")
    return bytes(body)


def fields(body: bytes) -> Mapping[str, str]:
    """The fields of a form; of several of one name the last. Raises HTTPException 400."""
    try:
        found = parse_qsl(
            body.decode(),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MAX_FIELDS,
        )
    except ValueError as error:
        raise HTTPException(400, "This is not what a form of ours sends.") from error
    return dict(found)


def _check(request: Request) -> None:
    if not same_origin(request.headers):
        raise HTTPException(403, FORBIDDEN)
