"""Mails by SMTP (RFC 5321): one connection for many mails, secured, and no faster than allowed."""

import asyncio
import re
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.message import EmailMessage
from types import TracebackType
from typing import Literal, NamedTuple, Self

import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponse,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from service.digest.replies import is_about_mailbox
from service.digest.transport import Refused, Undelivered

PORTS = {"starttls": 587, "tls": 465, "none": 25}

CONNECT_PAUSES_SECONDS = (0.0, 1.0, 4.0)
"""How long to wait before each attempt to connect."""

_PATIENCE = 10
"""A server that has a mail may think about it so many times as long: RFC 5321, 4.5.3.2.6."""

_DONE, _WILL_FORWARD, _BEGIN, _CLOSING = 250, 251, 354, 421

_DOT = re.compile(rb"^\.", re.MULTILINE)

log = structlog.get_logger(__name__)

Security = Literal["starttls", "tls", "none"]


class _Closing(Exception):  # noqa: N818 - a word of the server
    """The server answered 421: it ends the connection."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class _Envelope(NamedTuple):
    """Addresses as the commands MAIL and RCPT take them, and the mail as it is sent."""

    sender: str
    recipient: str
    content: bytes


class Pace:
    """Lets through so many a second, evenly."""

    def __init__(self, per_second: float) -> None:
        self._pause_seconds = 1.0 / per_second
        self._free_seconds = 0.0

    def wait_seconds(self, now_seconds: float) -> float:
        """How long the next one has to wait: it is counted as let through then.

        now_seconds: by a clock that is never set back.
        """
        free = max(now_seconds, self._free_seconds)
        self._free_seconds = free + self._pause_seconds
        return free - now_seconds


class SmtpTransport:
    """Sends through a mail server.

    port: without, the one that goes with `security`.
    security: `starttls` and `tls` check the server's certificate for `host`, against the
        authorities of the system or of SSL_CERT_FILE.
    mails_per_second: of this transport; several have a limit each.
    timeout_seconds: the longest wait for one answer; for the answer to a whole mail ten times that.
    connect_pauses_seconds: before each attempt to connect; as many attempts are made.
    """

    def __init__(
        self,
        host: str,
        *,
        port: int | None = None,
        security: Security = "starttls",
        username: str | None = None,
        password: str | None = None,
        mails_per_second: float = 10.0,
        timeout_seconds: float = 60.0,
        connect_pauses_seconds: Sequence[float] = CONNECT_PAUSES_SECONDS,
    ) -> None:
        port = port or PORTS[security]
        self._server = f"{host}:{port}"
        self._client: Callable[[], SMTP] = lambda: SMTP(
            hostname=host,
            port=port,
            use_tls=security == "tls",
            start_tls=security == "starttls",
            username=username,
            password=password,
            timeout=timeout_seconds,
        )
        self._timeout_seconds = timeout_seconds
        self._connection: SMTP | None = None
        self._pauses_seconds = connect_pauses_seconds
        self._pace = Pace(mails_per_second)

    async def __aenter__(self) -> Self:
        """Connect, secure the connection and log in. Raises Undelivered(before_data=True)."""
        await self._connected()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Take leave of the server, if it is still there."""
        if self._connection is not None:
            await self._connection.__aexit__(kind, error, trace)
            self._connection = None

    async def send(self, message: EmailMessage) -> None:
        """Hand over a mail, over a new connection where the old one has ended.

        Raises Refused and Undelivered.
        """
        envelope = _Envelope(
            _only_address(message, "From"), _only_address(message, "To"), message.as_bytes()
        )
        await asyncio.sleep(self._pace.wait_seconds(asyncio.get_running_loop().time()))
        with self._undelivered(before_data=True):
            try:
                connection = await self._begun(envelope)
            except (SMTPServerDisconnected, _Closing):  # servers end a connection after so many
                connection = await self._begun_anew(envelope)
        with self._undelivered(before_data=False):
            await self._finish(connection, envelope)

    async def _begun_anew(self, envelope: _Envelope) -> SMTP:
        try:
            return await self._begun(envelope)
        except _Closing as error:
            raise Refused(permanent=False, code=_CLOSING, text=error.text) from error

    async def _begun(self, envelope: _Envelope) -> SMTP:
        """The connection, on which the server waits for the mail's content."""
        connection = await self._connected()
        try:
            await _ask(connection, f"MAIL FROM:<{envelope.sender}>", {_DONE}, us=True)
            await _ask(connection, f"RCPT TO:<{envelope.recipient}>", {_DONE, _WILL_FORWARD})
            await _ask(connection, "DATA", {_BEGIN})
        except Refused:
            await _reset(connection)
            raise
        return connection

    async def _finish(self, connection: SMTP, envelope: _Envelope) -> None:
        """Send the content. aiosmtplib's own `data` would not tell on which side of the server's
        354 a connection was lost, and that is the difference between surely not and perhaps."""
        protocol = connection.protocol
        if protocol is None:
            raise SMTPServerDisconnected("the connection was lost")
        try:
            protocol.write(_DOT.sub(b"..", envelope.content) + b".\r\n")
            answer = await protocol.read_response(timeout=_PATIENCE * self._timeout_seconds)
        except BaseException:  # cancelled as well: what comes next on this connection is nobody's
            connection.close()
            raise
        if answer.code == _CLOSING:
            connection.close()
        _check(answer, {_DONE})

    async def _connected(self) -> SMTP:
        """The connection, made anew if there is none. Raises Undelivered(before_data=True)."""
        if self._connection is not None and self._connection.is_connected:
            return self._connection
        problem: Exception = SMTPException("no attempt was made")
        for pause in self._pauses_seconds:
            await asyncio.sleep(pause)
            try:
                self._connection = await self._opened()
            except (SMTPException, OSError, ValueError) as error:
                problem = error
                log.warning(
                    "no connection to the mail server", server=self._server, error=str(error)
                )
                if _is_lasting(error):
                    break
            else:
                return self._connection
        raise self._lost(problem, before_data=True) from problem

    async def _opened(self) -> SMTP:
        connection = self._client()
        try:
            await connection.connect()
            if connection.is_ehlo_or_helo_needed:
                await connection.ehlo()
        except BaseException:
            connection.close()
            raise
        return connection

    @contextmanager
    def _undelivered(self, *, before_data: bool) -> Iterator[None]:
        """Lost connections and silence as Undelivered."""
        try:
            yield
        except (SMTPException, OSError) as error:
            raise self._lost(error, before_data=before_data) from error

    def _lost(self, error: Exception, *, before_data: bool) -> Undelivered:
        text = f"The mail server {self._server}: {error}."
        return Undelivered(text, before_data=before_data)


async def _ask(connection: SMTP, command: str, expected: set[int], *, us: bool = False) -> None:
    """us: whether a refusal is about us, whatever it says."""
    answer = await connection.execute_command(command.encode("ascii"))
    if answer.code == _CLOSING:
        raise _Closing(_line(answer))
    _check(answer, expected, us=us)


def _check(answer: SMTPResponse, expected: set[int], *, us: bool = False) -> None:
    if answer.code not in expected:
        text = _line(answer)
        permanent = not us and is_about_mailbox(answer.code, text)
        raise Refused(permanent=permanent, code=answer.code, text=text)


async def _reset(connection: SMTP) -> None:
    """Make the connection good for another mail, or close it."""
    try:
        await connection.rset()
    except (SMTPException, OSError):
        connection.close()


def _is_lasting(error: Exception) -> bool:
    """Whether the same would come again at once: a wrong password, a certificate, a setting."""
    answered = isinstance(error, SMTPResponseException) and error.code >= 500
    return answered or isinstance(error, SMTPAuthenticationError | ssl.SSLError | ValueError)


def _line(answer: SMTPResponse) -> str:
    return " ".join(answer.message.split())


def _only_address(message: EmailMessage, header: str) -> str:
    """The one address of a header, without the name beside it."""
    (address,) = message[header].addresses
    return str(address.addr_spec)
