"""Page tokens: where a list goes on, and that the rest of the request is as it was."""

from service import tokens
from service.errors import Reason, ServiceError
from service.secrets import InvalidToken, SigningKeys

PURPOSE = "page"


def next_page(keys: SigningKeys, position: tokens.Position) -> str:
    """The token of the page that begins there."""
    return tokens.sign(keys, PURPOSE, position)


def resume(keys: SigningKeys, page_token: str, digest: bytes) -> tokens.Position:
    """Where a page begins. Fails with PAGE_TOKEN_INVALID.

    digest: of the request, without what may differ from page to page.
    """
    try:
        position = tokens.read(keys, PURPOSE, page_token)
    except InvalidToken as error:
        message = "`page_token` was not made by this service: begin again without it."
        raise ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token") from error
    if position.digest != digest:
        message = (
            "`page_token` belongs to another request: the fields that choose or order the results "
            "must be as they were on the page before."
        )
        raise ServiceError(Reason.PAGE_TOKEN_INVALID, message, field="page_token")
    return position
