"""Papers related to one paper or to several, and away from others."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from models.first_pages import POPULARITY
from relatedpapers.v1.paper_pb2 import Paper
from relatedpapers.v1.paper_service_pb2 import BatchGetPapersRequest
from relatedpapers.v1.recommendation_service_pb2 import (
    ListRelatedPapersRequest,
    ListRelatedPapersResponse,
    RelatedPaper,
    SearchPapersRequest,
)
from service.urls import url
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.acting import READER, Acting, acting
from service.web.explorer.facts import facts
from service.web.explorer.why import SOURCES, Why, scale, why
from service.web.pages import page

_SIZE = 10
_CHOICES = 5
_KEPT_SECONDS = 60

DIVERSITY = 0.0
"""What a list has where its address does not say; the API's own default."""

CONTROLS = ("popularity", "diversity", *parameters.FILTER, READER)
"""The parameters that one sets beside a list."""


class Listed(NamedTuple):
    """A list as a template shows it.

    results: each with why it is there. address, own: the path of its page, and the parameters that
    say what the list is of. begin: the number of the first result. first_url, next_url: other pages
    of the list, None where there is none. adjusted: whether a control is set; reset_url: the list
    without. version: of the model. acting: the reader whom it is for; None for everybody.
    readers: whether one may name a reader. feed: the parameters of the list's feed. kept_seconds:
    how long anybody may keep the page.
    """

    results: Sequence[tuple[RelatedPaper, Why | None]]
    seeds: list[str]
    less: list[str]
    address: str
    own: Mapping[str, Sequence[str]]
    popularity: float
    diversity: float
    venues: Sequence[str]
    begin: int
    first_url: str | None
    next_url: str | None
    adjusted: bool
    reset_url: str
    version: str
    acting: Acting | None
    readers: bool
    feed: str

    @property
    def kept_seconds(self) -> int:
        """Nobody keeps what is made for a reader."""
        return 0 if self.acting else _KEPT_SECONDS


async def listed(
    api: Api,
    request: Request,
    address: str,
    own: Mapping[str, Sequence[str]],
    seeds: Sequence[str],
    less: Sequence[str] = (),
    size: int = _SIZE,
) -> Listed:
    """The list that an address asks for. address, own: as in `Listed`. size: of a page of it.

    Raises ServiceError.
    """
    query = request.query_params
    who = await acting(api, request)
    wanted = ListRelatedPapersRequest(
        paper_ids=seeds,
        negative_paper_ids=less,
        filter=parameters.paper_filter(query),
        popularity=parameters.fraction(query, "popularity", POPULARITY),
        diversity=parameters.fraction(query, "diversity", DIVERSITY),
        include_evidence=True,
        page_size=size,
        page_token=query.get("after", ""),
        reader_id=who.reader if who and not who.away else "",
    )
    begin = parameters.place(query, "begin")
    answer: ListRelatedPapersResponse = await api.call("RecommendationService", wanted, request)
    known = facts(api.catalog.serving.artifact)
    shared = scale(answer.results, known.popularity)
    same = {**own, **parameters.kept(query, *CONTROLS)}
    after = answer.next_page_token
    return Listed(
        results=[(each, why(each, known.popularity, shared)) for each in answer.results],
        seeds=list(seeds),
        less=list(less),
        address=address,
        own=own,
        popularity=wanted.popularity,
        diversity=wanted.diversity,
        venues=known.venues,
        begin=begin,
        first_url=url(address, **same) if begin > 1 else None,
        next_url=url(address, **same, after=after, begin=begin + size) if after else None,
        adjusted=any(query.get(name) for name in CONTROLS),
        reset_url=url(address, **own),
        version=answer.model_version,
        acting=who,
        readers=api.open_to(request),
        feed=url("", seed=seeds, less=less, **parameters.kept(query, *parameters.FILTER)),
    )


class Chosen(NamedTuple):
    """A paper that one chose or may choose, and the address of the page without or with it."""

    paper: Paper
    address: str


class RelatedPage:
    """Answers `/related`.

    seed, less: ids of papers to be near to and away from; each may come again. add: the id of one
    more seed, or words to find it by. The rest as in a paper's page.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page."""
        query = request.query_params
        seeds, less = parameters.ids(query, "seed"), parameters.ids(query, "less")
        added = query.get("add", "").strip()
        known, unknown = await self._papers(request, [*seeds, *less, added])
        near = [paper_id for paper_id in seeds if paper_id in known]
        away = [paper_id for paper_id in less if paper_id in known]
        same = parameters.kept(query, *CONTROLS)

        def address(seeds: Sequence[str], less: Sequence[str]) -> str:
            return url("/related", seed=seeds, less=less, **same)

        if added in known:
            return RedirectResponse(address([*near, known[added].id], away), 302)
        choices = await self._choices(request, added) if added else []
        own = {"seed": near, "less": away}
        found = await listed(self._api, request, "/related", own, near, away) if near else None
        return page(
            request,
            "related.html",
            kept_seconds=found.kept_seconds if found else _KEPT_SECONDS,
            seeds=[Chosen(known[each], address(_without(near, each), away)) for each in near],
            less=[Chosen(known[each], address(near, _without(away, each))) for each in away],
            unknown=[paper_id for paper_id in unknown if paper_id != added],
            added=added,
            choices=[Chosen(paper, address([*near, paper.id], away)) for paper in choices],
            related=found,
            sources=SOURCES,
        )

    async def _papers(
        self, request: Request, paper_ids: Sequence[str]
    ) -> tuple[Mapping[str, Paper], Sequence[str]]:
        """The known papers by the id that was asked for, and the unknown ids."""
        asked = [paper_id for paper_id in dict.fromkeys(paper_ids) if paper_id]
        if not asked:
            return {}, []
        wanted = BatchGetPapersRequest(paper_ids=asked)
        answer = await self._api.call("PaperService", wanted, request)
        unknown = set(answer.unknown_paper_ids)
        known = [paper_id for paper_id in asked if paper_id not in unknown]
        return dict(zip(known, answer.papers, strict=True)), answer.unknown_paper_ids

    async def _choices(self, request: Request, words: str) -> Sequence[Paper]:
        """Papers that may be meant."""
        wanted = SearchPapersRequest(query=words, page_size=_CHOICES)
        answer = await self._api.call("RecommendationService", wanted, request)
        return [result.paper for result in answer.results]


def _without(paper_ids: Sequence[str], taken: str) -> list[str]:
    return [each for each in paper_ids if each != taken]
