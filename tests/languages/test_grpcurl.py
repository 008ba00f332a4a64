"""A call without any stub: grpcurl learns the API from the service itself, by reflection."""

import json

import pytest

from tests.languages.conftest import Served, Show

pytestmark = [pytest.mark.network, pytest.mark.slow]  # where grpcurl must be built first

METHOD = "relatedpapers.v1.RecommendationService/ListRelatedPapers"
TRENDING = "relatedpapers.v1.RecommendationService/ListTrendingPapers"


def test_services_are_found_by_reflection(grpcurl: str, served: Served, run: Show) -> None:
    assert set(run(grpcurl, "-plaintext", served.address, "list").split()) == {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
        "relatedpapers.v1.DigestService",
        "relatedpapers.v1.FeedbackService",
        "relatedpapers.v1.ModelService",
        "relatedpapers.v1.PaperService",
        "relatedpapers.v1.RecommendationService",
    }
    described = run(grpcurl, "-plaintext", served.address, "describe", METHOD.partition("/")[0])
    for method in ("ListRelatedPapers", "ListTrendingPapers"):
        assert f"rpc {method} ( .relatedpapers.v1.{method}Request )" in described


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


def test_trending_papers(grpcurl: str, served: Served, run: Show) -> None:
    request = json.dumps({"window": "day", "page_size": 5})
    answer = json.loads(run(grpcurl, "-plaintext", "-d", request, served.address, TRENDING))
    assert answer["window"] == "day"
    assert [result["paper"]["id"] for result in answer["results"]] == served.trending
