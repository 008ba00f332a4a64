"""The search page."""

from starlette.requests import Request
from starlette.responses import Response

from relatedpapers.v1.recommendation_service_pb2 import PaperFilter, SearchPapersRequest
from service.urls import url
from service.web.api import Api
from service.web.explorer import parameters
from service.web.explorer.facts import facts
from service.web.pages import page

_SIZE = 10

EXAMPLES = (
    ("attention transformer", "both words, in any order"),
    ('"neural network"', "these words next to each other"),
    ("author:hinton", "an author"),
    ("title:learning venue:nature", "a word of the title, and of the venue"),
    ("graph year:2015..2020", "published in these years"),
)
"""What one may write, and what it finds."""


class SearchPage:
    """Answers `/search`.

    q: the query. first, last, venue: the filter. after: the token of a later page, and begin: the
    number of its first result.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    async def answer(self, request: Request) -> Response:
        """The page."""
        query = request.query_params
        asked = query.get("q", "").strip()
        wanted = SearchPapersRequest(
            query=asked,
            filter=parameters.paper_filter(query),
            page_size=_SIZE,
            page_token=query.get("after", ""),
        )
        begin = parameters.place(query, "begin")
        found, after = None, ""
        if asked or wanted.filter != PaperFilter():
            found = await self._api.call("RecommendationService", wanted, request)
            after = found.next_page_token
        same = parameters.kept(query, "q", *parameters.FILTER)
        return page(
            request,
            "search.html",
            kept_seconds=60,
            query=asked,
            found=found,
            filtered=wanted.filter != PaperFilter(),
            examples=EXAMPLES,
            begin=begin,
            first_url=url("/search", **same) if begin > 1 else None,
            next_url=url("/search", **same, after=after, begin=begin + _SIZE) if after else None,
            feed=url("", **same),
            facts=facts(self._api.catalog.serving.artifact),
        )
