"""An acknowledged event shows in the next list, whichever server process wrote it and answers."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import grpc
import pytest

from relatedpapers.v1 import feedback_service_pb2 as feedback
from relatedpapers.v1 import recommendation_service_pb2 as pb
from relatedpapers.v1.feedback_service_pb2_grpc import FeedbackServiceStub
from relatedpapers.v1.paper_pb2 import PaperView
from relatedpapers.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.service import toy
from tests.serving import serve_command

TRIALS = 10_000
READERS = 500


@pytest.fixture
def channels(toy_reader_model: Path, tmp_path: Path) -> Iterator[list[grpc.Channel]]:
    """Two `related-papers serve` on one data folder, so on one state server."""
    with (
        serve_command(toy_reader_model, tmp_path / "data") as one,
        serve_command(toy_reader_model, tmp_path / "data") as other,
        grpc.insecure_channel(one) as first,
        grpc.insecure_channel(other) as second,
    ):
        yield [first, second]


@pytest.mark.slow
def test_every_write_shows_in_the_next_read(channels: list[grpc.Channel]) -> None:
    draw = Random(3)  # noqa: S311
    writing = [FeedbackServiceStub(channel) for channel in channels]
    reading = [RecommendationServiceStub(channel) for channel in channels]
    papers = [paper["id"] for paper in toy.papers()]
    seen: dict[str, set[str]] = {}
    missed = 0
    for trial in range(TRIALS):
        reader, paper = f"reader-{draw.randrange(READERS)}", draw.choice(papers)
        kind = draw.choice(["save", "hide", "read", "click"])
        event = feedback.Event(id=f"{trial}", reader_id=reader, paper_id=paper, type=kind)
        written = draw.choice(writing).WriteFeedback(feedback.WriteFeedbackRequest(events=[event]))
        assert written.results[0].status.code == 0
        seen.setdefault(reader, set()).add(paper)
        listed = draw.choice(reading).RecommendPapers(
            pb.RecommendPapersRequest(reader_id=reader, page_size=100, view=PaperView.PAPER_VIEW_ID)
        )
        missed += bool(seen[reader] & {result.paper.id for result in listed.results})
    assert missed == 0
