"""The digest's pages: subscribe, confirm, change, leave, erase.

Mail scanners open every link of a mail, so to GET a page changes nothing: it shows what its button
will do. No page says whether an address has a subscription; only its mailbox is told.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC
from typing import NamedTuple
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from relatedpapers.v1 import digest_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.paper_service_pb2 import BatchGetPapersRequest
from service.digest import words
from service.digest.addresses import shown
from service.digest.preferences import stated
from service.digest.subscriptions import ContentKind
from service.errors import ServiceError
from service.web.api import Api
from service.web.explorer import digest_form
from service.web.explorer.digest_form import Filled
from service.web.forms import body_of, own_fields, own_form
from service.web.one_click import is_one_click
from service.web.pages import page

_SERVICE = "DigestService"
_TOKEN = "token"  # noqa: S105 - the name of a parameter
_MAX_TITLES = 10


class Summary(NamedTuple):
    """A subscription in words.

    address: as people write it. what, when: what comes, and when. papers: the seeds, at most ten;
    more: how many others. next: of the next digest, in its own time zone; "" if none is due.
    """

    address: str
    what: str
    when: str
    papers: list[Paper]
    more: int
    next: str


class Choices(NamedTuple):
    """What a form offers.

    windows: names of those of trending papers. readers: whether readers are shown here.
    zones: time zones by the part of the world.
    """

    windows: Sequence[str]
    readers: bool
    zones: Mapping[str, Sequence[str]]


class DigestPages:
    """Answers `/digest` and what is under it."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def form(self, request: Request) -> Response:
        """Where one subscribes."""
        filled = digest_form.from_address(request, self._api.windows)
        return self._form(request, filled)

    async def subscribe(self, request: Request) -> Response:
        """Ask for a digest, and say that the mailbox knows more."""
        filled = digest_form.from_form(await own_form(request))
        wanted = pb.SubscribeRequest(address=filled.address, preferences=filled.preferences())
        try:
            await self._api.call(_SERVICE, wanted, request)
        except ServiceError as error:
            sentence, about = digest_form.wrong(error)
            return self._form(request, replace(filled, wrong=sentence, about=about), 400)
        return RedirectResponse("/digest/mailbox", 303)

    async def mailbox(self, request: Request) -> Response:
        """What to do next, the same for every address."""
        return page(request, "digest_mailbox.html")

    async def confirm(self, request: Request) -> Response:
        """Show what would be confirmed."""
        token = _token(request)
        found = await self._get(request, token)
        summary = await self._summary(request, found)
        if found.status != pb.SUBSCRIPTION_STATUS_ACTIVE:
            return page(request, "digest_confirm.html", token=token, summary=summary)
        return page(request, "digest_confirmed.html", token="", summary=summary)

    async def confirmed(self, request: Request) -> Response:
        """Confirm it."""
        token = (await own_form(request)).get(_TOKEN, "")
        wanted = pb.ConfirmSubscriptionRequest(token=token)
        answer = await self._api.call(_SERVICE, wanted, request)
        summary = await self._summary(request, answer.subscription)
        return page(request, "digest_confirmed.html", token=answer.manage_token, summary=summary)

    async def manage(self, request: Request) -> Response:
        """A subscription, to change or to end it."""
        token = _token(request)
        found = await self._get(request, token)
        filled = digest_form.from_preferences(found.preferences, self._api.windows)
        return await self._manage(request, token, found, filled)

    async def change(self, request: Request) -> Response:
        """Change it, and show it as it is then."""
        form = await own_form(request)
        token, filled = form.get(_TOKEN, ""), digest_form.from_form(form)
        wanted = pb.UpdateSubscriptionRequest(token=token, preferences=filled.preferences())
        try:
            answer = await self._api.call(_SERVICE, wanted, request)
        except ServiceError as error:
            sentence, about = digest_form.wrong(error)
            found = await self._get(request, token)
            refused = replace(filled, wrong=sentence, about=about)
            return await self._manage(request, token, found, refused, status=400)
        kept = digest_form.from_preferences(answer.subscription.preferences, self._api.windows)
        return await self._manage(request, token, answer.subscription, kept, saved=True)

    async def unsubscribe(self, request: Request) -> Response:
        """Show what would be ended. It says nothing of it: the link may be in anybody's hands."""
        return page(request, "digest_leave.html", token=_token(request))

    async def unsubscribed(self, request: Request) -> Response:
        """End it: for a button of ours, or for a mail program (RFC 8058), from wherever."""
        body = await body_of(request)
        if is_one_click(request.headers.get("content-type", ""), body):
            wanted = pb.UnsubscribeRequest(token=_token(request))
            await self._api.call(_SERVICE, wanted, request)
            return PlainTextResponse(
                "You are unsubscribed.\n", headers={"cache-control": "no-store"}
            )
        token = own_fields(request, body).get(_TOKEN, "")
        await self._api.call(_SERVICE, pb.UnsubscribeRequest(token=token), request)
        return page(request, "digest_left.html")

    async def erase(self, request: Request) -> Response:
        """Delete all that is stored of a subscription."""
        wanted = pb.EraseSubscriptionRequest(token=(await own_form(request)).get(_TOKEN, ""))
        answer = await self._api.call(_SERVICE, wanted, request)
        return page(request, "digest_erased.html", file_rewritten=answer.file_rewritten)

    def _form(self, request: Request, filled: Filled, status: int = 200) -> Response:
        return page(
            request, "digest.html", status=status, filled=filled, choices=self._choices(request)
        )

    async def _manage(
        self,
        request: Request,
        token: str,
        found: pb.Subscription,
        filled: Filled,
        *,
        saved: bool = False,
        status: int = 200,
    ) -> Response:
        return page(
            request,
            "digest_manage.html",
            status=status,
            token=token,
            summary=await self._summary(request, found),
            standing=pb.SubscriptionStatus.Name(found.status).rpartition("_")[2].lower(),
            filled=filled,
            saved=saved,
            choices=self._choices(request),
        )

    async def _get(self, request: Request, token: str) -> pb.Subscription:
        wanted = pb.GetSubscriptionRequest(token=token)
        found: pb.Subscription = (await self._api.call(_SERVICE, wanted, request)).subscription
        return found

    async def _summary(self, request: Request, found: pb.Subscription) -> Summary:
        chosen = stated(found.preferences)
        ids = chosen.content.paper_ids if chosen.content.kind is ContentKind.SEEDS else ()
        papers: list[Paper] = []
        if ids:
            wanted = BatchGetPapersRequest(paper_ids=ids[:_MAX_TITLES])
            papers = list((await self._api.call("PaperService", wanted, request)).papers)
        return Summary(
            shown(found.address),
            words.what(chosen.content),
            words.when(chosen),
            papers,
            len(ids) - len(papers),
            _local(found),
        )

    def _choices(self, request: Request) -> Choices:
        return Choices(list(self._api.windows), self._api.open_to(request), digest_form.zones())


def _token(request: Request) -> str:
    return request.query_params.get(_TOKEN, "")


def _local(found: pb.Subscription) -> str:
    """When the next digest is due, on the subscriber's clock."""
    if not found.HasField("next_time"):
        return ""
    zone = ZoneInfo(found.preferences.time_zone)
    due = found.next_time.ToDatetime(UTC).astimezone(zone)
    return f"{due:%A}, {due.day} {due:%B %Y}, {due:%H:%M}"


def routes(api: Api) -> list[Route]:
    """The addresses of these pages. Links in mails hold some of them: service/digest/links.py."""
    pages = DigestPages(api)
    return [
        Route("/digest", pages.form),
        Route("/digest", pages.subscribe, methods=["POST"]),
        Route("/digest/mailbox", pages.mailbox),
        Route("/digest/confirm", pages.confirm),
        Route("/digest/confirm", pages.confirmed, methods=["POST"]),
        Route("/digest/manage", pages.manage),
        Route("/digest/manage", pages.change, methods=["POST"]),
        Route("/digest/unsubscribe", pages.unsubscribe),
        Route("/digest/unsubscribe", pages.unsubscribed, methods=["POST"]),
        Route("/digest/erasure", pages.erase, methods=["POST"]),
    ]
