"""A real mail server for tests: aiosmtpd in the test's event loop, which does as it is told."""

# ruff: noqa: N802, ARG002 - aiosmtpd names what it calls, and what it gives

import asyncio
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

OK = "250 2.0.0 Ok"
DROP = "drop"
"""Instead of an answer: the connection is cut."""
SILENCE = "silence"
"""Instead of an answer: none."""

NAME, PASSWORD = "digest", "correct horse"


@dataclass
class Handler:
    """What the server was told, and what it answers.

    answers: for a stage (MAIL, RCPT, DATA before the content, or CONTENT after it) the answers to
        give, the next one first; then `OK`.
    """

    answers: dict[str, list[str]] = field(default_factory=dict)
    mails: list[Envelope] = field(default_factory=list)
    connections: int = 0
    stages: Counter[str] = field(default_factory=Counter)
    logins: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)

    async def answer(self, server: SMTP, stage: str) -> str:
        self.stages[stage] += 1
        planned = self.answers.get(stage)
        answer = planned.pop(0) if planned else OK
        if answer == DROP:
            assert server.transport is not None
            server.transport.close()
        elif answer == SILENCE:
            await asyncio.Event().wait()
        return answer

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.answer(server, "MAIL")
        if answer == OK:
            envelope.mail_from = address
        return answer

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = await self.answer(server, "RCPT")
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        answer = await self.answer(server, "CONTENT")
        if answer == OK:
            self.mails.append(envelope)
            self.encrypted.append(session.ssl is not None)
        return answer

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append(mechanism)
        right = (data.login, data.password) == (NAME.encode(), PASSWORD.encode())
        return AuthResult(success=right, handled=False)


class Server(SMTP):
    """Asks its handler also about the command DATA, before the content."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.event_handler.connections += not self._tls_protocol
        super().connection_made(transport)

    async def smtp_DATA(self, arg: str) -> None:
        answer = await self.event_handler.answer(self, "DATA")
        if answer == OK:
            await super().smtp_DATA(arg)
        else:
            await self.push(answer)


@asynccontextmanager
async def mail_server(
    handler: Handler,
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    login: bool = False,
    port: int = 0,
) -> AsyncIterator[int]:
    """The port of a server on 127.0.0.1, for the time of the block."""
    loop = asyncio.get_running_loop()
    secured: dict[str, Any] = {"tls_context": starttls, "require_starttls": starttls is not None}
    if login:
        secured |= {
            "authenticator": handler.authenticate,
            # aiosmtpd knows no TLS but its own STARTTLS, and warns of a login without.
            "auth_required": tls is None,
            "auth_require_tls": tls is None,
        }
    make: Callable[[], Server] = lambda: Server(  # noqa: E731
        handler, loop=loop, hostname="mail.example", **secured
    )
    server = await loop.create_server(make, "127.0.0.1", port, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
