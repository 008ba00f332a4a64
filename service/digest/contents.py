"""What a digest brings: the beginning of a list that the API answers too, without what was sent.

    content    the list, and of it                                    in the order of
    trending   ListTrendingPapers: the first hundred                  the list
    search     SearchPapers: the newest hundred that match            years, the newest first
    seeds      ListRelatedPapers: the nearest hundred, fame aside     years, the newest first
    reader     RecommendPapers: the first hundred                     the list

Within a year papers stand in the order of the list. What a list has for want of anything better
(recent, much cited papers in the place of related ones, papers that match half of a search) is no
news, but for trending papers, whose list says so.
"""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache

from models.artifact import Artifact
from models.papers import Papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service.digest.ledger import paper_print
from service.digest.links import Links
from service.digest.mail import Entry
from service.digest.subscriptions import Content, ContentKind
from service.recommendations import RecommendationHandlers
from service.web import trends
from service.web.explorer.facts import facts
from service.web.explorer.why import Result, Scale, why
from service.web.newest import newest

CANDIDATES = 100
"""So many of each list count: one page."""

FRESH_SECONDS = 60.0
"""A list that many subscribers asked for is made once in so many seconds."""

_KEPT = 1_000
_IDS = PaperView.PAPER_VIEW_ID
_UNSCALED = Scale(1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that a digest may bring.

    row: in the model. prints: of all versions of the work: if one of them was sent, the work was.
    why: says why it is there, for people.
    """

    row: int
    prints: tuple[bytes, ...]
    why: Callable[[], str]


class Selection(NamedTuple):
    """heading: what the list is, for people. candidates: the best first."""

    heading: str
    candidates: Sequence[Candidate]

    def new(self, sent: Collection[bytes], count: int) -> list[Candidate]:
        """The first papers of which nothing was sent."""
        found = []
        for each in self.candidates:
            if not any(one in sent for one in each.prints):
                found.append(each)
                if len(found) == count:
                    break
        return found


class Contents:
    """Makes selections out of the answers of the API, in one process."""

    def __init__(self, artifact: Artifact, handlers: RecommendationHandlers) -> None:
        self._handlers = handlers
        self._artifact = artifact
        self._papers = artifact.papers
        self._versions = _Versions(artifact.papers)
        self._kept: LRUCache[Content, tuple[float, Selection]] = LRUCache(_KEPT)

    async def selection(self, content: Content) -> Selection:
        """What a content brings at present. Fails as the method that it asks does."""
        if content.kind is ContentKind.READER:  # of one subscriber alone
            return await self._reader(content.reader_id)
        made, selection = self._kept.get(content, (-FRESH_SECONDS, None))
        if selection is None or time.monotonic() - made >= FRESH_SECONDS:
            selection = await self._select(content)
            self._kept[content] = time.monotonic(), selection
        return selection

    def entries(self, candidates: Iterable[Candidate], links: Links) -> list[Entry]:
        """What a mail says of papers."""
        found = []
        for each in candidates:
            paper = self._papers.record(each.row)
            entry = Entry(
                paper_id=paper.id,
                title=paper.title,
                authors=paper.authors,
                abstract=paper.abstract,
                why=each.why(),
                url=links.paper(paper.id),
            )
            found.append(entry)
        return found

    async def _select(self, content: Content) -> Selection:
        match content.kind:
            case ContentKind.TRENDING:
                return await self._trending(content.window)
            case ContentKind.SEARCH:
                return await self._search(content.query)
            case _:
                return await self._seeds(content.paper_ids)

    async def _trending(self, window: str) -> Selection:
        request = pb.ListTrendingPapersRequest(window=window, view=_IDS, page_size=CANDIDATES)
        answer = pb.ListTrendingPapersResponse.FromString(
            await self._handlers.list_trending_papers(request)
        )
        return Selection(
            f"Trending {trends.span(answer.window)}",
            [
                self._candidate(each.paper.id, partial(trends.why, each, answer.window))
                for each in answer.results
            ],
        )

    async def _search(self, query: str) -> Selection:
        async def search(wanted: pb.PaperFilter) -> pb.SearchPapersResponse:
            request = pb.SearchPapersRequest(
                query=query, filter=wanted, view=PaperView.PAPER_VIEW_BASIC, page_size=CANDIDATES
            )
            return pb.SearchPapersResponse.FromString(await self._handlers.search_papers(request))

        known = facts(self._artifact)
        found = await newest(search, pb.PaperFilter(), (known.first_year, known.last_year))
        candidates = [
            self._candidate(each.paper.id, lambda: f"It matches “{query}”.")
            for each in found[:CANDIDATES]
        ]
        return Selection(f"Matches for “{query}”", candidates)

    async def _seeds(self, paper_ids: Sequence[str]) -> Selection:
        request = pb.ListRelatedPapersRequest(
            paper_ids=paper_ids,
            popularity=0.0,  # what nobody knows yet is new all the more
            view=_IDS,
            page_size=CANDIDATES,
        )
        answer = pb.ListRelatedPapersResponse.FromString(
            await self._handlers.list_related_papers(request)
        )
        named = self._named(paper_ids)
        candidates = [
            self._candidate(each.paper.id, partial(self._because, f"Like {named}", each))
            for each in answer.results
            if each.source == pb.RESULT_SOURCE_MODEL
        ]
        return Selection(f"Like {named}", self._newest(candidates))

    async def _reader(self, reader_id: str) -> Selection:
        request = pb.RecommendPapersRequest(reader_id=reader_id, view=_IDS, page_size=CANDIDATES)
        answer = pb.RecommendPapersResponse.FromString(
            await self._handlers.recommend_papers(request)
        )
        begin = "Like what you have saved and read"
        return Selection(
            "Picked for you",
            [
                self._candidate(each.paper.id, partial(self._because, begin, each))
                for each in answer.results
                if answer.source != pb.RESULT_SOURCE_POPULAR_FALLBACK
            ],
        )

    def _candidate(self, paper_id: str, reason: Callable[[], str]) -> Candidate:
        row = self._papers.row(paper_id)
        if row is None:
            raise AssertionError("a list holds papers of the serving model")
        return Candidate(row, self._versions.prints(row), reason)

    def _newest(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """By year, the newest first and those of unknown year last; else in their order."""
        return sorted(candidates, key=lambda each: -int(self._papers.year[each.row]))

    def _because(self, begin: str, result: Result) -> str:
        """What speaks most for a result: such as `Like “Seed”: shared words.`."""
        found = why(result, facts(self._artifact).popularity, _UNSCALED)
        reasons = ", ".join(found.reasons) if found else ""
        return f"{begin}: {reasons}." if reasons else f"{begin}."

    def _named(self, paper_ids: Sequence[str]) -> str:
        """Seeds, for people."""
        if len(paper_ids) > 1:
            return f"{len(paper_ids)} papers of yours"
        row = self._papers.row(paper_ids[0])
        return f"“{(self._papers.title(row) if row is not None else '') or paper_ids[0]}”"


class _Versions:
    """The versions of each work among the papers of a model."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._order = np.argsort(papers.work, kind="stable")
        self._sorted = papers.work[self._order]

    def prints(self, row: int) -> tuple[bytes, ...]:
        """Of all versions of a paper's work."""
        work = self._papers.work[row]
        begin = np.searchsorted(self._sorted, work, side="left")
        end = np.searchsorted(self._sorted, work, side="right")
        rows = self._order[begin:end].tolist()
        return tuple(paper_print(self._papers.id(each)) for each in rows)
