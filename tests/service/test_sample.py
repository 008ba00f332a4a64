"""The service over the sample that ships with the project: every paper has a good list."""

import json
import math
from pathlib import Path

import pytest

from relatedpapers.v1 import recommendation_service_pb2 as pb
from service.settings import Settings
from tests.serving import Starting
from tests.support import ROOT

PAPERS = ROOT / "models" / "sample" / "papers.jsonl"
FAMOUS = "arXiv:1706.03762"


async def test_every_paper_of_the_sample_has_a_full_list(
    sample_model: Path, settings: Settings
) -> None:
    ids = [json.loads(line)["id"] for line in PAPERS.read_text(encoding="utf-8").splitlines()]
    requests = [pb.ListRelatedPapersRequest(paper_ids=[each], page_size=20) for each in ids]
    async with Starting(settings.model_copy(update={"model": sample_model})) as running:
        for begin in range(0, len(requests), 100):
            batch = pb.BatchListRelatedPapersRequest(requests=requests[begin : begin + 100])
            answer = await running.recommendations.BatchListRelatedPapers(batch)
            for seed, each in zip(ids[begin : begin + 100], answer.results, strict=True):
                found = [result.paper.id for result in each.response.results]
                assert len(found) == len({*found} - {seed}) == 20
                for result in each.response.results:
                    if result.HasField("score"):
                        logit = result.bias + sum(result.contributions.values())
                        expected = 1 / (1 + math.exp(-logit))
                        assert result.score == pytest.approx(expected, abs=1e-6)


async def test_a_famous_paper_is_related_to_its_field(
    sample_model: Path, settings: Settings
) -> None:
    async with Starting(settings.model_copy(update={"model": sample_model})) as running:
        request = pb.ListRelatedPapersRequest(paper_ids=[FAMOUS], include_evidence=True)
        answer = await running.recommendations.ListRelatedPapers(request)
    titles = " ".join(result.paper.title.lower() for result in answer.results)
    assert "translation" in titles
    assert any(result.evidence.citing_papers for result in answer.results)
    assert all(result.HasField("score") for result in answer.results)
