"""A mailbox to look into: the mails of a service that has no mail server, as in the demo.

Mails hold links that act for their reader, so the room is open on loopback without keys alone. A
mail's HTML is shown in a frame without an origin, under a policy that runs and loads nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from service.digest.maildir import PREVIEW, PREVIEW_FILE, Mails
from service.digest.transport import MAIL_FOLDER
from service.settings import Settings
from service.web.explorer.errors import error_page
from service.web.pages import page

_SHOWN = 100
"""Mails in the list."""

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""Of a mail: its own styles and no more. Its links open pages that are pages again."""

_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}

_VIEWS = {"html": "The mail", "text": "Its text part", "source": "Its source"}


def routes(settings: Settings, open_to: Callable[[Request], bool]) -> list[Route]:
    """The room of a data folder's mails. open_to: whether who asks may see them."""
    room = Mailbox(Mails(settings.data_dir / MAIL_FOLDER, settings.data_dir / PREVIEW_FILE))

    def guarded(answer: Callable[[Request], Awaitable[Response]]) -> Callable[..., object]:
        async def guarded_answer(request: Request) -> Response:
            if not open_to(request):
                raise HTTPException(HTTPStatus.NOT_FOUND)
            return await answer(request)

        return guarded_answer

    return [
        Route("/mailbox", guarded(room.mails)),
        Route("/mailbox/{name}", guarded(room.mail)),
        Route("/mailbox/{name}/body", guarded(room.body)),
    ]


class Mailbox:
    """Answers `/mailbox` and what is under it."""

    def __init__(self, mails: Mails) -> None:
        self._mails = mails

    async def mails(self, request: Request) -> Response:
        """The newest mails."""
        latest = await asyncio.to_thread(self._mails.latest, _SHOWN)
        return page(request, "mailbox.html", mails=latest, preview=PREVIEW)

    async def mail(self, request: Request) -> Response:
        """One mail: its headers, and its HTML, its text or its bytes."""
        name = request.path_params["name"]
        mail = await asyncio.to_thread(self._mails.read, name)
        if mail is None:
            return _missing(request)
        view = request.query_params.get("as", "")
        view = view if view in _VIEWS else "html"
        return page(
            request,
            "mail.html",
            frames="'self'",
            name=name,
            view=view,
            views=_VIEWS,
            subject=str(mail["Subject"]),
            sender=str(mail["From"]),
            to=str(mail["To"]),
            date=str(mail["Date"]),
            text=_source(mail) if view == "source" else _part(mail, "plain"),
        )

    async def body(self, request: Request) -> Response:
        """The HTML of a mail, for a frame."""
        mail = await asyncio.to_thread(self._mails.read, request.path_params["name"])
        if mail is None:
            return _missing(request)
        return HTMLResponse(_part(mail, "html"), headers=_HEADERS)


def _missing(request: Request) -> Response:
    return error_page(request, HTTPStatus.NOT_FOUND, "There is no such mail in the mailbox.")


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body([subtype])
    return str(part.get_content()) if part is not None else ""


def _source(mail: EmailMessage) -> str:
    return mail.as_bytes().decode("ascii", "replace")
