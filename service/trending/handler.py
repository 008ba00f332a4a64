"""ListTrendingPapers: validate, take the present ranking of the window, fill the message."""

import struct
from array import array
from typing import Protocol

from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.paper_pb2 import PaperView
from service import messages, pages, requests, tokens, validation
from service.background import Background
from service.cache import AnswerCache, Policy
from service.catalog import Catalog
from service.filters import Filter
from service.keys import cache_key
from service.secrets import SigningKeys
from service.trending.lists import Listed, Ranked, TrendingLists
from service.trending.windows import Trending

METHOD = "ListTrendingPapers"
POLICY = Policy(ttl_seconds=120.0, shared=False)
"""A ranking lasts a minute, and each process has it."""


class Rankings(Protocol):
    """The present rankings, and the lists that are made of them."""

    @property
    def lists(self) -> TrendingLists:
        """Over the model that serves."""

    def ranked(self, window: str) -> Ranked | None:
        """Of a window; None as long as nothing was counted."""


class TrendingPapers:
    """Answers ListTrendingPapers, always by the serving model and the present ranking."""

    def __init__(
        self,
        catalog: Catalog,
        keys: SigningKeys,
        background: Background,
        cache: AnswerCache,
        configured: Trending,
        rankings: Rankings,
    ) -> None:
        self._catalog = catalog
        self._keys = keys
        self._background = background
        self._cache = cache
        self._configured = configured
        self._rankings = rankings
        self._lists = rankings.lists

    async def list_trending_papers(self, request: pb.ListTrendingPapersRequest) -> bytes:
        """A page of trending papers, a ListTrendingPapersResponse."""
        window = self._window(request.window)
        size = validation.page_size(request.page_size)
        view = validation.view(request.view, PaperView.PAPER_VIEW_BASIC)
        rows = requests.Rows(self._catalog.serving.artifact.papers)
        wanted = requests.paper_filter(request, rows)
        page_token = request.page_token
        request.window = window
        digest = tokens.digest(METHOD, request)
        shown = await pages.shown_before(
            self._keys, page_token, digest, self._catalog, self._background
        )
        ranked = self._rankings.ranked(window)

        async def compute() -> bytes:
            return await self._background.run(
                self._answer, window, ranked, wanted, digest, shown, size, view
            )

        as_of_ms = ranked.ranking.as_of_ms if ranked else 0
        page = struct.pack(">QIB", as_of_ms, size, view) + array("i", shown).tobytes()
        key = cache_key(self._catalog.serving.artifact.version, METHOD, digest + page)
        answer = await self._cache.get_or_compute(key, POLICY, compute)
        if rows.unknown:
            answer += pb.ListTrendingPapersResponse(
                unknown_paper_ids=rows.unknown
            ).SerializeToString()
        return answer

    def _window(self, name: str) -> str:
        windows = self._configured.windows
        if name and name not in windows:
            raise validation.invalid("window", name, f"one of {', '.join(windows)}")
        return name or self._configured.default

    def _answer(
        self,
        window: str,
        ranked: Ranked | None,
        wanted: Filter,
        digest: bytes,
        shown: tuple[int, ...],
        size: int,
        view: int,
    ) -> bytes:
        artifact = self._catalog.serving.artifact
        listed = self._lists.page(ranked, wanted, shown, size)
        here = tokens.Position(len(shown), digest, artifact.version)
        response = pb.ListTrendingPapersResponse(
            model_version=artifact.version,
            attribution_token=tokens.sign(self._keys, tokens.ATTRIBUTION, here),
            window=window,
        )
        if ranked:
            response.as_of.FromMilliseconds(ranked.ranking.as_of_ms)
        if listed.more:
            after = pages.Shown(digest, artifact.version, (*shown, *listed.rows))
            response.next_page_token = pages.next_page_after(self._keys, after)
        self._fill(response, ranked, listed, view)
        return response.SerializeToString()

    def _fill(
        self,
        response: pb.ListTrendingPapersResponse,
        ranked: Ranked | None,
        listed: Listed,
        view: int,
    ) -> None:
        papers = self._catalog.serving.artifact.papers
        for row, place in zip(listed.rows, listed.places, strict=True):
            result = response.results.add(paper=messages.paper(papers, row, view))
            if ranked is None or place is None:
                result.source = pb.RESULT_SOURCE_POPULAR_FALLBACK
                continue
            ranking = ranked.ranking
            result.source = pb.RESULT_SOURCE_TRENDING
            result.score = float(ranking.scores[place])
            result.last_chosen_time.FromMilliseconds(int(ranking.latest[place]))
            result.shown_readers = int(ranking.shown[place])
            contributions = ranking.contributions[place]
            for kind in (-contributions).argsort(kind="stable").tolist():
                if ranking.readers[place, kind]:
                    result.reasons.add(
                        event_type=ranking.types[kind],
                        readers=int(ranking.readers[place, kind]),
                        counted_readers=int(ranking.counted[place, kind]),
                        decayed_readers=float(ranking.decayed[place, kind]),
                        contribution=float(contributions[kind]),
                    )
