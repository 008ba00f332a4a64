"""What computing each kind of answer costs: the other half of the cache policy (see cache.py).

    .venv/bin/python -m tests.benchmarks.methods [MODEL]

MODEL is by default what `serving` leaves in data/bench-model.
Microseconds of CPU of one handler call, without gRPC and without any cache, one call after another
over different papers of the model. Caveats: one thread, warm pages.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from pathlib import Path

from models.event_types import EVENT_TYPES
from relatedpapers.v1 import paper_service_pb2 as papers_pb
from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.access import Access
from service.background import Background
from service.cache import AnswerCache
from service.catalog import Catalog
from service.papers import PaperHandlers
from service.readers import Readers
from service.recommendations import RecommendationHandlers
from service.secrets import SigningKeys
from service.settings import Settings
from service.trending.follower import TrendFollower
from service.trending.handler import TrendingPapers
from service.trending.lists import TrendingLists
from service.trending.windows import configured_trending
from tests.benchmarks.report import heading, table
from tests.benchmarks.serving import DEFAULT_MODEL

CALLS = 60


async def cost(calls: Iterable[Callable[[], Awaitable[object]]]) -> str:
    """Median and largest CPU microseconds of a call, the first one left out."""
    spent = []
    for call in calls:
        begin = time.process_time_ns()
        await call()
        spent.append((time.process_time_ns() - begin) / 1000)
    return f"{statistics.median(spent[1:]):,.0f} (to {max(spent[1:]):,.0f})"


async def main(model: Path) -> None:
    """Measure every kind and print the table."""
    catalog = Catalog(model)
    papers = catalog.serving.artifact.papers
    step = max(1, len(papers) // CALLS)
    ids = [papers.id(row) for row in range(0, len(papers), step)]
    with tempfile.TemporaryDirectory() as folder:
        keys = SigningKeys.open(Path(folder) / "signing.keys")
    background = Background()
    access = Access("127.0.0.1", None, keys)
    readers = Readers(catalog.serving.artifact, None, None, None, EVENT_TYPES, background)
    cache = AnswerCache(None)
    rankings = TrendFollower(TrendingLists(catalog.serving.artifact), None)
    trends = TrendingPapers(
        catalog, keys, background, cache, configured_trending(Settings(), EVENT_TYPES), rankings
    )
    handlers = RecommendationHandlers(catalog, keys, background, cache, access, readers, trends)
    getting = PaperHandlers(catalog)

    def seeded(paper_id: str) -> pb.ListRelatedPapersRequest:
        return pb.ListRelatedPapersRequest(paper_ids=[paper_id])

    def longer(paper_id: str) -> pb.ListRelatedPapersRequest:
        return pb.ListRelatedPapersRequest(paper_ids=[paper_id], page_size=20)

    def explained(paper_id: str) -> pb.ListRelatedPapersRequest:
        return pb.ListRelatedPapersRequest(paper_ids=[paper_id], include_evidence=True)

    def diverse(paper_id: str) -> pb.ListRelatedPapersRequest:
        return pb.ListRelatedPapersRequest(paper_ids=[paper_id], diversity=0.5)

    def paired(paper_id: str) -> pb.ListRelatedPapersRequest:
        return pb.ListRelatedPapersRequest(paper_ids=[paper_id, ids[0]])

    def drafted(paper_id: str) -> pb.ListRelatedPapersRequest:
        record = papers.record(papers.row(paper_id) or 0)
        draft = pb.Draft(title=record.title, abstract=record.abstract)
        return pb.ListRelatedPapersRequest(draft=draft)

    heading("Computing an answer")
    requests = [papers_pb.GetPaperRequest(paper_id=paper_id) for paper_id in ids]
    rows = [("GetPaper", await cost(partial(getting.get_paper, each) for each in requests))]
    for name, request in {
        "a list's first page, as stored": seeded,
        "a stored list of 20": longer,
        "with evidence": explained,
        "with diversity": diverse,
        "two seeds": paired,
        "a draft": drafted,
    }.items():
        calls = [partial(handlers.list_related_papers, request(each)) for each in ids[1:]]
        rows.append((name, await cost(calls)))
    table(("answer", "CPU us, median (largest)"), rows)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT_MODEL))
