"""For whom a page acts: the reader that its address names, and what that reader may do there."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

from starlette.requests import Request

from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.paper_service_pb2 import BatchGetPapersRequest
from service.errors import Reason, ServiceError
from service.validation import name
from service.web.api import Api
from service.web.explorer.shelves import Shelves, shelves

READER = "reader"
"""The parameter of an address that names a reader."""

_DID, _ABOUT = "did", "about"


class Action(NamedTuple):
    """Something that a button does. label: what it says; done: what is said afterwards.

    undo: the type of event that takes it back.
    """

    label: str
    done: str
    undo: str


ACTIONS: Mapping[str, Action] = MappingProxyType(
    {
        "save": Action("Save", "Saved", "unsave"),
        "hide": Action("Hide", "Hidden", "unhide"),
        "unsave": Action("Unsave", "No longer saved", "save"),
        "unhide": Action("Show again", "No longer hidden", "hide"),
    }
)
"""What pages write, by the type of the event."""


class Done(NamedTuple):
    """What was just done: the type of event, and its paper."""

    did: str
    paper: Paper


class Acting(NamedTuple):
    """reader: the id. did: what the reader did with each paper that still counts.

    done: what the last click did, if it still holds. away: why nothing is known of the reader at
    the moment; empty if all is well. back: the address of the page, without what was done.
    """

    reader: str
    did: Mapping[str, Sequence[str]]
    done: Done | None
    away: str
    back: str

    @staticmethod
    def new_id() -> str:
        """The id of the event that one form will send, however often it is sent."""
        return str(uuid4())

    @property
    def actions(self) -> Mapping[str, Action]:
        """By the type of the event."""
        return ACTIONS

    def offers(self, paper_id: str) -> list[str]:
        """The types of events that the reader may send about a paper."""
        did = self.did.get(paper_id, ())
        if "hide" in did:
            return ["unhide"]
        return ["unsave" if "save" in did else "save", "hide"]


async def acting(api: Api, request: Request) -> Acting | None:
    """For whom this page acts; None if its address names nobody, or readers are not shown here.

    Raises ServiceError where that is no reader's id.
    """
    reader = request.query_params.get(READER, "").strip()
    if not reader or not api.open_to(request):
        return None
    name(READER, reader, "give the id of a reader")
    try:
        found = await shelves_of(api, reader)
    except ServiceError as error:
        if error.reason is not Reason.STATE_AWAY:
            raise
        return Acting(reader, {}, None, error.message, back(request))
    return Acting(reader, found.did, await done(api, request, found.did), "", back(request))


async def shelves_of(api: Api, reader: str) -> Shelves:
    """What a reader has at this moment. Fails with STATE_AWAY."""
    standing = await api.readers.reader(reader)
    return shelves(standing, api.catalog.serving.artifact.papers, api.readers.types)


async def done(api: Api, request: Request, did: Mapping[str, Sequence[str]]) -> Done | None:
    """What the address says was just done. An address is anybody's text: it must be so."""
    kind, paper_id = (request.query_params.get(each, "") for each in (_DID, _ABOUT))
    if kind not in ACTIONS or not paper_id:
        return None
    now = did.get(paper_id, ())
    action = ACTIONS[kind]
    if (kind in now) if kind in {"save", "hide"} else (action.undo not in now):
        wanted = BatchGetPapersRequest(paper_ids=[paper_id])
        for paper in (await api.call("PaperService", wanted, request)).papers:
            return Done(kind, paper)
    return None


def back(request: Request) -> str:
    """The address of this page, without what was done."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] not in {_DID, _ABOUT}]
    path = request.scope.get("raw_path", b"/").decode("ascii", "replace").partition("?")[0]
    return f"{path}?{urlencode(pairs)}" if pairs else path


def after(address: str, kind: str, paper_id: str) -> str:
    """The page to go back to, which then says what was done. Anything but an address of our own
    leads to the start."""
    path, _, query = address.partition("#")[0].partition("?")
    if not path.startswith("/") or path[1:2] in {"/", "\\"}:
        return "/"
    pairs = [pair for pair in parse_qsl(query) if pair[0] not in {_DID, _ABOUT}]
    return f"{path}?{urlencode([*pairs, (_DID, kind), (_ABOUT, paper_id)])}"
