"""First pages as training lays them out, against what the service writes itself."""

from pathlib import Path

import pytest

from models.artifact import Artifact
from models.first_pages import SIZE
from relatedpapers.v1.paper_pb2 import PaperView
from service.lists import Source, Wanted
from service.messages import serialized_results
from service.recommender import Recommender


@pytest.mark.parametrize("model", ["toy_model", "sample_model", "vis_model"])
def test_they_are_what_the_service_writes(model: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(model)
    artifact = Artifact.open(folder)
    recommender, work = Recommender(artifact), artifact.papers.work
    laid_out = 0
    for row in range(len(artifact.papers)):
        results = recommender.related(Wanted(seeds=(row,)), 0, SIZE + 1)
        stored = artifact.scorer.stored(row).rows
        if page := bytes(artifact.first_pages[row]):
            laid_out += 1
            first = recommender.related(Wanted(seeds=(row,)), 0, SIZE)
            assert first.rows == results.rows[:SIZE]
            written = serialized_results(artifact.papers, first, PaperView.PAPER_VIEW_BASIC)
            assert page == written
        elif results.sources == [Source.MODEL] * (SIZE + 1):  # versions of one work were left out
            assert len({work[row], *work[stored]}) <= len(stored)
    assert laid_out > 0.8 * len(artifact.papers)
