"""The feed of new papers like some papers."""

from collections.abc import Sequence

from starlette.requests import Request

from models.identifiers import canonical
from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.paper_service_pb2 import BatchGetPapersRequest
from relatedpapers.v1.recommendation_service_pb2 import (
    ListRelatedPapersRequest,
    ListRelatedPapersResponse,
    ResultSource,
)
from service.times import DAY_MS, present_ms
from service.urls import url
from service.validation import MAX_PAGE_SIZE, missing
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.facts import facts
from service.web.explorer.why import Why, scale, why
from service.web.feeds.entries import entry
from service.web.feeds.feed import ENTRIES, KEPT_SECONDS, Feed, plain, shortened
from service.web.feeds.ids import feed_urn


async def feed(api: Api, request: Request, public_url: str) -> Feed:
    """Of the papers nearest to the seeds, fame aside, the newest.

    seed, less: ids of papers to be near to and away from; each may come again. first, last, venue:
    the filter. Raises ServiceError.
    """
    query = request.query_params
    seeds, less = parameters.ids(query, "seed"), parameters.ids(query, "less")
    if not seeds:
        raise missing("seed", "give the id of at least one paper")
    answer: ListRelatedPapersResponse = await api.call(
        "RecommendationService",
        ListRelatedPapersRequest(
            paper_ids=seeds,
            negative_paper_ids=less,
            filter=parameters.paper_filter(query),
            popularity=0.0,  # what nobody knows yet is new all the more
            view=PaperView.PAPER_VIEW_FULL,
            page_size=MAX_PAGE_SIZE,
        ),
        request,
    )
    near = [each for each in answer.results if each.source == ResultSource.RESULT_SOURCE_MODEL]
    known = facts(api.catalog.serving.artifact).popularity
    shared = scale(near, known)
    newest = sorted(near, key=lambda each: -each.paper.year)[:ENTRIES]  # 0 where unknown
    reasons = [why(each, known, shared) for each in newest]
    filtered = parameters.kept(query, *parameters.FILTER)
    own = {"seed": seeds, "less": less, **filtered}
    name = url(
        "/related",
        seed=sorted(map(canonical, seeds)),
        less=sorted(map(canonical, less)),
        **filtered,
    )
    written_ms = api.catalog.written_ms
    now_ms = present_ms()
    return Feed(
        id=feed_urn(name, public_url),
        title=await _title(api, request, seeds),
        subtitle="Of the papers that are most related, the newest.",
        list="related",
        query=url("", **own),
        page=url("/related", **own),
        entries=[
            entry(each.paper, public_url, _because(reason), source="related")
            for each, reason in zip(newest, reasons, strict=True)
        ],
        updated_ms=written_ms,
        # Readers who begin to read papers together change the list between models.
        modified_ms=max(written_ms, now_ms - now_ms % DAY_MS),
        kept_seconds=KEPT_SECONDS,
    )


def _because(reason: Why | None) -> str:
    return f"Related by {', '.join(reason.reasons)}." if reason and reason.reasons else ""


async def _title(api: Api, request: Request, seeds: Sequence[str]) -> str:
    wanted = BatchGetPapersRequest(paper_ids=seeds)
    papers = (await api.call("PaperService", wanted, request)).papers
    first = shortened(plain(papers[0].title or papers[0].id))
    others = len(papers) - 1
    more = f" and {others} {'other' if others == 1 else 'others'}" if others else ""
    return f"New papers like “{first}”{more}"
