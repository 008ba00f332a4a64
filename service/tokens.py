"""Tokens that clients carry for us: what a list was, signed so that only we can make one."""

import base64
import binascii
import hashlib
import struct
from functools import cache
from typing import NamedTuple

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from service.secrets import InvalidToken, SigningKeys

ATTRIBUTION = "attribution"
"""The purpose of the tokens by which events name the list that showed the paper."""

_HEAD = struct.Struct(">I16s")

_OF_A_PAGE = ("page_size", "page_token", "view", "include_evidence")
"""Fields that may differ from page to page of one list."""


def digest(method: str, request: Message) -> bytes:
    """16 bytes that two requests share if and only if they ask for the same list.

    Leaves in the request what makes the list: what belongs to a page of it is taken out.
    """
    for field in _fields_of_a_page(request.DESCRIPTOR):
        request.ClearField(field)
    serialized = request.SerializeToString(deterministic=True)
    return hashlib.blake2b(serialized, digest_size=16, person=method.encode()[:16]).digest()


@cache
def _fields_of_a_page(kind: Descriptor) -> tuple[str, ...]:
    return tuple(field for field in _OF_A_PAGE if field in kind.fields_by_name)


class Position(NamedTuple):
    """A place in a list.

    offset: how many results come before it.
    digest: the request that made the list.
    model_version: the model that made it.
    """

    offset: int
    digest: bytes
    model_version: str


def sign(keys: SigningKeys, purpose: str, position: Position) -> str:
    """The position as an opaque token for one purpose: a page token is no attribution token."""
    payload = _HEAD.pack(position.offset, position.digest) + position.model_version.encode()
    return seal(keys, purpose, payload)


def read(keys: SigningKeys, purpose: str, token: str) -> Position:
    """The position in a token. Raises InvalidToken unless we made it for this purpose."""
    payload = unseal(keys, purpose, token)
    offset, request_digest = _HEAD.unpack_from(payload)
    return Position(offset, request_digest, payload[_HEAD.size :].decode())


def seal(keys: SigningKeys, purpose: str, payload: bytes) -> str:
    """Bytes as a token for one purpose. They are not hidden."""
    return _encode(keys.sign(purpose, payload))


def unseal(keys: SigningKeys, purpose: str, token: str) -> bytes:
    """The bytes in a token. Raises InvalidToken unless we made it for this purpose."""
    try:
        signed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidToken("the token is not base64") from error
    if _encode(signed) != token:
        raise InvalidToken("the token is not spelled as it was given out")
    return keys.verify(purpose, signed)


def _encode(signed: bytes) -> str:
    return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()
