"""A call without any stub: grpcurl learns the API from the service itself, by reflection."""

import json

import pytest

from tests.languages.conftest import Served, Show

pytestmark = [pytest.mark.network, pytest.mark.slow]  # where grpcurl must be built first

METHOD = "relatedpapers.v1.RecommendationService/ListRelatedPapers"


def test_services_are_found_by_reflection(grpcurl: str, served: Served, run: Show) -> None:
    assert set(run(grpcurl, "-plaintext", served.address, "list").split()) == {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "relatedpapers.v1.FeedbackService",
        "relatedpapers.v1.ModelService",
        "relatedpapers.v1.PaperService",
        "relatedpapers.v1.RecommendationService",
    }
    described = run(grpcurl, "-plaintext", served.address, "describe", METHOD.partition("/")[0])
    assert "rpc ListRelatedPapers ( .relatedpapers.v1.ListRelatedPapersRequest )" in described


def test_health(grpcurl: str, served: Served, run: Show) -> None:
    request = json.dumps({"service": "relatedpapers.v1.PaperService"})
    answer = run(
        grpcurl, "-plaintext", "-d", request, served.address, "grpc.health.v1.Health/Check"
    )
    assert json.loads(answer) == {"status": "SERVING"}


def test_related_papers(grpcurl: str, served: Served, run: Show) -> None:
    request = json.dumps({"paper_ids": [served.paper_id], "page_size": 5})
    answer = json.loads(run(grpcurl, "-plaintext", "-d", request, served.address, METHOD))
    lines = [
        f"{result['score']:.2f}  {result['paper']['title']} ({result['paper']['year']})\n"
        for result in answer["results"]
    ]
    assert "".join(lines) == served.expected
    assert answer["model_version"]
