"""Lists for a reader, and what is stored of one, by the Python client."""

from pathlib import Path

import pytest

from relatedpapers import InvalidRequestError
from service.settings import Settings
from tests.client.conftest import Caller
from tests.service import toy

SAVED = [f"graph-{number:02}" for number in range(4, 9)]


@pytest.fixture
def settings(settings: Settings, toy_reader_model: Path, state_url: str) -> Settings:
    """The toy model of papers and readers on a free port, with a state server."""
    return settings.model_copy(update={"model": toy_reader_model, "state_url": state_url})


@pytest.fixture
async def reader(caller: Caller, tmp_path: Path) -> str:
    """A reader who has saved some papers, and has seen another."""
    saves = [{"paper_id": paper, "type": "save"} for paper in SAVED]
    events = [*saves, {"paper_id": "graph-09", "type": "impression"}]
    named = [
        {"id": f"e{number}", "reader_id": str(tmp_path), **event}
        for number, event in enumerate(events)
    ]
    outcomes = await caller.one("write_feedback", named)
    assert not any(outcome.error for outcome in outcomes)
    return str(tmp_path)


async def test_papers_for_a_reader(caller: Caller, reader: str) -> None:
    results = await caller.many("recommend_papers", reader, page_size=7, limit=20)
    papers = [result.paper.id for result in results]
    assert len(set(papers)) == 20
    assert not set(papers) & set(SAVED)
    assert {toy.subject(paper) for paper in papers[:5]} == {"graph"}
    for result in results:
        total = result.bias + sum(result.contributions.values())
        assert result.score == pytest.approx(total, abs=1e-6)


async def test_every_field_of_a_recommendation_arrives(caller: Caller, reader: str) -> None:
    query = {"filter": {"excluded_paper_ids": ["graph-09"]}, "view": "PAPER_VIEW_FULL"}
    first = await caller.page("recommend_papers", reader, **query, page_size=3)
    assert first.reader_revision
    rest = await caller.many(
        "recommend_papers", reader, **query, page_token=first.next_page_token, limit=None
    )
    results = [*first.results, *rest]
    assert "graph-09" not in {result.paper.id for result in results}
    assert results[0].paper.abstract
    with pytest.raises(InvalidRequestError):
        await caller.many("recommend_papers", "")


async def test_everything_of_a_reader_is_handed_over(caller: Caller, reader: str) -> None:
    events = await caller.many("export_reader", reader, page_size=2)
    assert sorted(event.id for event in events) == [f"e{number}" for number in range(6)]
    assert all(event.HasField("event_time") for event in events)
    first = await caller.page("export_reader", reader)
    assert {entry.paper_id: entry.weight for entry in first.library} == dict.fromkeys(SAVED, 1.0)


async def test_a_deleted_reader_is_unknown(caller: Caller, reader: str) -> None:
    answer = await caller.one("delete_reader", reader)
    assert answer.deleted_event_count == 6
    assert {trace.name for trace in answer.gone} >= {"library", "log"}
    assert all(trace.description for trace in answer.remaining)
    assert await caller.many("export_reader", reader) == []
    assert (await caller.one("delete_reader", reader)).deleted_event_count == 0
