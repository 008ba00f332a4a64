"""What a digest brings: the beginning of a list that the API answers too, without what was sent.

    content    the list                     in the order of
    trending   ListTrendingPapers           the list
    search     SearchPapers                 years, the newest first; within one, the list
    seeds      ListRelatedPapers            years, the newest first; within one, the list
    reader     RecommendPapers              the list

Of each list the first hundred count. What is in it for want of anything better (recent, much cited
papers in the place of related ones) is no news, but for trending papers, whose list says so.
"""

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache

from models.artifact import Artifact
from models.papers import Papers
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import Paper, PaperView
from service.digest.ledger import paper_print
from service.digest.subscriptions import Content, ContentKind
from service.recommendations import RecommendationHandlers
from service.web import trends

CANDIDATES = 100
"""So many of each list count: one page."""

FRESH_SECONDS = 60.0
"""A list that many subscribers asked for is made once in so many seconds."""

_KEPT = 1_000
_TERMS = 3
_FULL = PaperView.PAPER_VIEW_FULL


@dataclass(frozen=True, slots=True)
class Candidate:
    """A paper that a digest may bring.

    prints: of all versions of the work: if one of them was sent, the work was.
    why: why it is there, for people.
    """

    paper: Paper
    prints: tuple[bytes, ...]
    why: str


class Selection(NamedTuple):
    """heading: what the list is, for people. candidates: the best first."""

    heading: str
    candidates: Sequence[Candidate]

    def new(self, sent: Collection[bytes], count: int) -> list[Candidate]:
        """The first papers of which nothing was sent."""
        found = []
        for each in self.candidates:
            if sent and any(each_print in sent for each_print in each.prints):
                continue
            found.append(each)
            if len(found) == count:
                break
        return found


class Contents:
    """Makes selections out of the answers of the API, in one process."""

    def __init__(self, artifact: Artifact, handlers: RecommendationHandlers) -> None:
        self._handlers = handlers
        self._papers = artifact.papers
        self._versions = _Versions(artifact.papers)
        self._kept: LRUCache[Content, tuple[float, Selection]] = LRUCache(_KEPT)

    async def selection(self, content: Content) -> Selection:
        """What a content brings at present. Fails as the method that it asks does."""
        if content.kind is ContentKind.READER:  # of one subscriber alone
            return await self._select(content)
        made, selection = self._kept.get(content, (-FRESH_SECONDS, None))
        if selection is None or time.monotonic() - made >= FRESH_SECONDS:
            selection = await self._select(content)
            self._kept[content] = time.monotonic(), selection
        return selection

    async def _select(self, content: Content) -> Selection:
        match content.kind:
            case ContentKind.TRENDING:
                return await self._trending(content.window)
            case ContentKind.SEARCH:
                return await self._search(content.query)
            case ContentKind.SEEDS:
                return await self._seeds(content.paper_ids)
            case _:
                return await self._reader(content.reader_id)

    async def _trending(self, window: str) -> Selection:
        request = pb.ListTrendingPapersRequest(window=window, view=_FULL, page_size=CANDIDATES)
        answer = pb.ListTrendingPapersResponse.FromString(
            await self._handlers.list_trending_papers(request)
        )
        return Selection(
            f"Trending {trends.span(answer.window)}",
            [
                self._candidate(each.paper, trends.why(each, answer.window))
                for each in answer.results
            ],
        )

    async def _search(self, query: str) -> Selection:
        request = pb.SearchPapersRequest(query=query, view=_FULL, page_size=CANDIDATES)
        answer = pb.SearchPapersResponse.FromString(await self._handlers.search_papers(request))
        found = [] if answer.relaxed else answer.results
        why = f"It matches “{query}”."
        return Selection(
            f"New for “{query}”", _newest([self._candidate(each.paper, why) for each in found])
        )

    async def _seeds(self, paper_ids: Sequence[str]) -> Selection:
        request = pb.ListRelatedPapersRequest(
            paper_ids=paper_ids,
            popularity=0.0,  # what nobody knows yet is new all the more
            view=_FULL,
            page_size=CANDIDATES,
            include_evidence=True,
        )
        answer = pb.ListRelatedPapersResponse.FromString(
            await self._handlers.list_related_papers(request)
        )
        found = [each for each in answer.results if each.source == pb.RESULT_SOURCE_MODEL]
        count = len(paper_ids)
        heading = (
            f"Like {self._title(paper_ids[0])}" if count == 1 else f"Like {count} papers of yours"
        )
        return Selection(
            heading, _newest([self._candidate(each.paper, self._related(each)) for each in found])
        )

    async def _reader(self, reader_id: str) -> Selection:
        request = pb.RecommendPapersRequest(reader_id=reader_id, view=_FULL, page_size=CANDIDATES)
        answer = pb.RecommendPapersResponse.FromString(
            await self._handlers.recommend_papers(request)
        )
        found = [] if answer.source == pb.RESULT_SOURCE_POPULAR_FALLBACK else answer.results
        return Selection(
            "Picked for you", [self._candidate(each.paper, _recommended(each)) for each in found]
        )

    def _candidate(self, paper: Paper, why: str) -> Candidate:
        return Candidate(paper, self._versions.prints(paper.id), why)

    def _related(self, result: pb.RelatedPaper) -> str:
        evidence = result.evidence
        reasons = []
        if evidence.shared_terms:
            terms = [f"“{each.term}”" for each in evidence.shared_terms[:_TERMS]]
            reasons.append(f"both are about {_listed(terms)}")
        if evidence.citing_papers:
            count = len(evidence.citing_papers)
            reasons.append(f"{'one paper cites' if count == 1 else f'{count} papers cite'} both")
        seed = self._title(evidence.seed_paper_id)
        return f"Like {seed}: {', and '.join(reasons)}." if reasons else f"Like {seed}."

    def _title(self, paper_id: str) -> str:
        row = self._papers.row(paper_id)
        return f"“{(self._papers.title(row) if row is not None else '') or paper_id}”"


class _Versions:
    """The versions of each work among the papers of a model."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._order = np.argsort(papers.work, kind="stable")
        self._sorted = papers.work[self._order]

    def prints(self, paper_id: str) -> tuple[bytes, ...]:
        """Of all versions of a paper's work."""
        row = self._papers.row(paper_id)
        if row is None:
            return (paper_print(paper_id),)
        work = self._papers.work[row]
        begin = np.searchsorted(self._sorted, work, side="left")
        end = np.searchsorted(self._sorted, work, side="right")
        rows = self._order[begin:end].tolist()
        return tuple(paper_print(self._papers.id(each)) for each in rows)


def _newest(candidates: list[Candidate]) -> list[Candidate]:
    """By year, the newest first and those of unknown year last; else in their order."""
    return sorted(candidates, key=lambda each: -each.paper.year)


def _recommended(result: pb.RecommendedPaper) -> str:
    """By what adds the most to its score."""
    by_readers = {"als", "saves"}
    best = max(result.contributions.items(), key=lambda each: each[1], default=("", 0.0))[0]
    if best in by_readers:
        return "Readers of the papers that you have also have it."
    return "It is about what the papers that you have are about."


def _listed(parts: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
