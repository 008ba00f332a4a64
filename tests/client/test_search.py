"""`search_papers` of both clients."""

import pytest

from relatedpapers import InvalidRequestError
from tests.client.conftest import Caller
from tests.service import toy


async def test_a_search_goes_over_as_many_pages_as_it_needs(caller: Caller) -> None:
    results = await caller.many("search_papers", "graph", page_size=5, limit=12)
    whole = await caller.many("search_papers", "graph", limit=None)
    assert [result.paper.id for result in results] == [result.paper.id for result in whole[:12]]
    assert len({result.paper.id for result in whole}) == len(whole) > 12


async def test_every_field_of_a_search_arrives(caller: Caller) -> None:
    only = {"first_year": 2004, "venues": [toy.VENUES[0]]}
    query = {"prefix": True, "filter": only, "view": "PAPER_VIEW_FULL"}
    first = await caller.page("search_papers", "grap", **query, page_size=3)
    assert first.total > 3
    rest = await caller.many(
        "search_papers", "grap", **query, page_token=first.next_page_token, limit=None
    )
    for result in [*first.results, *rest]:
        assert result.paper.year >= 2004
        assert result.paper.venue == toy.VENUES[0]
        assert result.paper.abstract
    assert any(span.highlighted for span in first.results[0].title)


async def test_a_filter_alone_is_a_search(caller: Caller) -> None:
    assert len(await caller.many("search_papers", filter={"first_year": 2015}, limit=4)) == 4
    with pytest.raises(InvalidRequestError, match="`query` is empty"):
        await caller.page("search_papers")
