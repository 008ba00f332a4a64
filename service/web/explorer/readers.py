"""A reader's own list: what the reader has, and what the service would show next."""

import secrets
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.artifact import Artifact
from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.paper_service_pb2 import BatchGetPapersRequest
from relatedpapers.v1.recommendation_service_pb2 import (
    RecommendedPaper,
    RecommendPapersRequest,
    RecommendPapersResponse,
    ResultSource,
)
from service.urls import paper_url, url
from service.validation import name
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.acting import Acting, back, done, shelves_of
from service.web.explorer.shelves import Kept
from service.web.explorer.why import Why, scale, why
from service.web.pages import page

_SIZE = 20
_SHELF = 100
"""How many papers of a shelf are shown."""

_EXAMPLES = 6

_ALONE = frozenset({"saves"})
"""The term of a reader's score that knows the paper alone."""

_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "Between the two": "Against what the reader has",
        "This paper alone": "The paper alone",
    }
)

SOURCES: Mapping[int, str] = MappingProxyType(
    {
        ResultSource.RESULT_SOURCE_MODEL: (
            "Made from what this reader has, and from what readers of the same papers have."
        ),
        ResultSource.RESULT_SOURCE_TEXT_FALLBACK: (
            "A fallback: nobody else has any of these papers, so texts and citations alone count."
        ),
        ResultSource.RESULT_SOURCE_POPULAR_FALLBACK: (
            "A fallback: there is nothing to go by yet, so these are simply the papers that most "
            "readers have, and then recent, much cited ones. They have no score."
        ),
    }
)
"""What a reader's list rests on."""


PAST: Mapping[str, str] = MappingProxyType(
    {
        "save": "saved",
        "hide": "hidden",
        "read": "read",
        "cite": "cited",
        "share": "shared",
        "click": "opened",
    }
)
"""What a reader did, by the type of the event."""


class Shelf(NamedTuple):
    """Papers that a reader has, as many as are shown, and how many more there are."""

    papers: Sequence[tuple[Paper, Kept]]
    more: int


class ReaderPages:
    """Answers `/readers` and `/readers/{id}`; `/readers?id=...` for an id that no path can hold."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """A reader's page, or where to choose one."""
        reader = request.path_params.get("id") or request.query_params.get("id", "").strip()
        if not self._api.open_to(request):
            return page(request, "readers_closed.html", status=403)
        if not reader:
            artifact = self._api.catalog.serving.artifact
            made_up = f"reader-{secrets.token_hex(3)}"
            return page(request, "readers.html", made_up=made_up, examples=_examples(artifact))
        name("id", reader, "give the id of a reader")
        address = paper_url(reader, "readers")
        if "id" not in request.path_params and "?" not in address:
            return RedirectResponse(address, 303)
        return await self._reader(request, reader, address)

    async def _reader(self, request: Request, reader: str, address: str) -> Response:
        begin = parameters.place(request.query_params, "begin")
        wanted = RecommendPapersRequest(
            reader_id=reader,
            page_size=_SIZE,
            page_token=request.query_params.get("after", ""),
        )
        answer: RecommendPapersResponse = await self._api.call(
            "RecommendationService", wanted, request
        )
        found = await shelves_of(self._api, reader)
        acting = Acting(
            reader, found.did, await done(self._api, request, found.did), "", back(request)
        )
        next_page = answer.next_page_token
        return page(
            request,
            "reader.html",
            acting=acting,
            answer=answer,
            results=_explained(answer.results),
            begin=begin,
            first_url=address if begin > 1 else None,
            next_url=url(address, after=next_page, begin=begin + _SIZE) if next_page else None,
            source=SOURCES[answer.source],
            fallback=answer.source != ResultSource.RESULT_SOURCE_MODEL,
            wanted=await self._shelf(request, found.wanted),
            hidden=await self._shelf(request, found.hidden),
            unknown=found.unknown,
            past=PAST,
        )

    async def _shelf(self, request: Request, kept: Sequence[Kept]) -> Shelf:
        shown = kept[:_SHELF]
        if not shown:
            return Shelf([], 0)
        wanted = BatchGetPapersRequest(paper_ids=[each.paper_id for each in shown])
        papers = (await self._api.call("PaperService", wanted, request)).papers
        return Shelf(list(zip(papers, shown, strict=True)), len(kept) - len(shown))


def _explained(
    results: Sequence[RecommendedPaper],
) -> list[tuple[RecommendedPaper, Why | None]]:
    shared = scale(results, _ALONE)
    return [(each, _named(why(each, _ALONE, shared))) for each in results]


def _named(reason: Why | None) -> Why | None:
    """The same in words that fit a reader."""
    if reason is None:
        return None
    groups = [each._replace(name=_GROUPS.get(each.name, each.name)) for each in reason.groups]
    return reason._replace(groups=groups)


def _examples(artifact: Artifact) -> list[str]:
    """Some readers that the model was trained on: those of the middle by what they have."""
    sizes = np.diff(artifact.libraries.indptr)
    order = np.argsort(sizes, kind="stable")
    middle = order[len(order) // 2 :][:_EXAMPLES]
    return [artifact.readers[int(at)] for at in middle]
