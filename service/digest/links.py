"""The links of a mail: signed, and each good for one thing.

    link          good for                           until
    confirm       confirming one request             3 days after the request
    manage        looking, changing, ending, erasing  90 days after the mail
    unsubscribe   ending, and nothing else           for ever

The first two are signed with the service's signing keys, which rotate. The last must work as long
as somebody finds an old mail, so it is signed with the key of the subscriptions (`KEY_FILE`), which
never does.
"""

import hmac
import struct
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from service import tokens, urls
from service.digest.subscriptions import ID_BYTES, KEY_FILE, Subscription
from service.secrets import InvalidToken, SigningKeys, lasting_key
from service.times import DAY_MS

CONFIRM_MS = 3 * DAY_MS
"""How long a request waits to be confirmed; then it goes, the address with it."""

MANAGE_MS = 90 * DAY_MS

_CONFIRM, _MANAGE, _LEAVE = "digest-confirm", "digest-manage", "digest-leave"
_PAYLOAD = struct.Struct(f">{ID_BYTES}sQ")
_TAG_BYTES = 16


class ExpiredToken(InvalidToken):
    """We made it, and it is too old now."""


class Request(NamedTuple):
    """What a link to confirm names: a subscription, and which of its requests."""

    id: str
    revision: int


class Tokens:
    """Makes and reads the tokens of links.

    signing_keys: of the service. key: of the subscriptions, see `lasting_key`.
    """

    def __init__(self, signing_keys: SigningKeys, key: bytes) -> None:
        self._signing_keys = signing_keys
        self.key = key

    @classmethod
    def of(cls, signing_keys: SigningKeys, data_dir: Path) -> "Tokens":
        """With the key of a data folder, made if absent. Raises SigningKeysError."""
        return cls(signing_keys, lasting_key(data_dir / KEY_FILE))

    def confirm_token(self, pending: Subscription) -> str:
        """The token that confirms this request."""
        return self._sealed(_CONFIRM, pending.id, pending.revision)

    def manage_token(self, id: str, at_ms: int) -> str:
        """The token to change or end a subscription. at_ms: the time of its mail, Unix ms."""
        return self._sealed(_MANAGE, id, at_ms + MANAGE_MS)

    def leave_token(self, id: str) -> str:
        """The token that ends a subscription."""
        payload = bytes.fromhex(id)
        return (payload + self._leave_tag(payload)).hex()

    def read_confirm(self, token: str, now_ms: int) -> Request:
        """Raises InvalidToken and ExpiredToken."""
        id, revision = self._unsealed(_CONFIRM, token)
        if now_ms >= revision + CONFIRM_MS:
            raise ExpiredToken(f"a link to confirm is good for {CONFIRM_MS // DAY_MS} days")
        return Request(id, revision)

    def read_manage(self, token: str, now_ms: int) -> str:
        """The id of the subscription. Raises InvalidToken and ExpiredToken."""
        id, expires_ms = self._unsealed(_MANAGE, token)
        if now_ms >= expires_ms:
            raise ExpiredToken(f"a link to change a digest is good for {MANAGE_MS // DAY_MS} days")
        return id

    def read_leave(self, token: str) -> str:
        """The id of the subscription. Raises InvalidToken."""
        try:
            signed = bytes.fromhex(token)
        except ValueError as error:
            raise InvalidToken("the token is not hexadecimal") from error
        payload, tag = signed[:ID_BYTES], signed[ID_BYTES:]
        if signed.hex() != token or not hmac.compare_digest(tag, self._leave_tag(payload)):
            raise InvalidToken("the token was not made by this service for this use")
        return payload.hex()

    def _sealed(self, purpose: str, id: str, number: int) -> str:
        payload = _PAYLOAD.pack(bytes.fromhex(id), number)
        return tokens.seal(self._signing_keys, purpose, payload)

    def _unsealed(self, purpose: str, token: str) -> tuple[str, int]:
        id, number = _PAYLOAD.unpack(tokens.unseal(self._signing_keys, purpose, token))
        return id.hex(), number

    def _leave_tag(self, payload: bytes) -> bytes:
        person = _LEAVE.encode()
        return blake2b(payload, digest_size=_TAG_BYTES, key=self.key, person=person).digest()


class Links(Tokens):
    """Makes the links of mails.

    public_url: where the pages are reached from anywhere, such as https://papers.example.
    """

    def __init__(self, public_url: str, signing_keys: SigningKeys, key: bytes) -> None:
        super().__init__(signing_keys, key)
        self.public_url = public_url.rstrip("/")

    @classmethod
    def open(cls, public_url: str, signing_keys: SigningKeys, data_dir: Path) -> "Links":
        """With the key of a data folder, made if absent. Raises SigningKeysError."""
        return cls(public_url, signing_keys, lasting_key(data_dir / KEY_FILE))

    def confirm(self, pending: Subscription) -> str:
        """The page that confirms this request."""
        return self._page("/digest/confirm", self.confirm_token(pending))

    def manage(self, id: str, at_ms: int) -> str:
        """The page to change or end a subscription. at_ms: the time of its mail, Unix ms."""
        return self._page("/digest/manage", self.manage_token(id, at_ms))

    def unsubscribe(self, id: str) -> str:
        """The page that ends a subscription, and the target of `List-Unsubscribe-Post`."""
        return self._page("/digest/unsubscribe", self.leave_token(id))

    def paper(self, paper_id: str) -> str:
        """The page of a paper."""
        return self.public_url + urls.paper_url(paper_id)

    def _page(self, path: str, token: str) -> str:
        return self.public_url + urls.url(path, token=token)
