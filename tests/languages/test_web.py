"""Clients that others wrote, one for each protocol of the web port: the answer that gRPC gives."""

import json
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.languages.conftest import Served, Show
from tests.support import require_tool

METHOD = "relatedpapers.v1.RecommendationService/ListRelatedPapers"
TRENDING = "relatedpapers.v1.RecommendationService/ListTrendingPapers"


def lines(answer: str) -> str:
    """The papers of an answer in JSON, as every example prints them."""
    return "".join(
        f"{result['score']:.2f}  {result['paper']['title']} ({result['paper']['year']})\n"
        for result in json.loads(answer)["results"]
    )


def test_curl(served: Served, run: Show) -> None:
    curl = require_tool("curl")
    request = json.dumps({"paperIds": [served.paper_id], "pageSize": 5})
    options = ("--silent", "--show-error", "--fail-with-body", "--compressed")
    address = f"{served.web}/{METHOD}"
    posted = run(
        *(curl, *options, "--header", "content-type: application/json"),
        *("--data", request, address),
    )
    assert lines(posted) == served.expected
    parameters = urlencode({"encoding": "json", "message": request})
    assert run(curl, *options, f"{address}?{parameters}") == posted


@pytest.mark.network
@pytest.mark.parametrize("protocol", ["connect", "connect-binary", "grpc-web"])
def test_connect_web(protocol: str, web: Path, served: Served, run: Show) -> None:
    arguments = ", ".join(map(json.dumps, (served.web, served.paper_id, protocol)))
    script = (
        'import { related } from "./related.js";'
        f'console.log((await related({arguments})).join("\\n"));'
    )
    assert run("node", "--input-type=module", "--eval", script, cwd=web) == served.expected


@pytest.mark.network
@pytest.mark.parametrize(
    "transport",
    [
        "createConnectTransport({ baseUrl, httpVersion: '1.1' })",
        "createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false })",
        "createConnectTransport({ baseUrl, httpVersion: '1.1', useHttpGet: true })",
        "createGrpcWebTransport({ baseUrl, httpVersion: '1.1' })",
    ],
)
def test_connect_node(transport: str, node: Path, served: Served, run: Show) -> None:
    script = f"""
        import {{ createClient }} from "@connectrpc/connect";
        import {{ createConnectTransport, createGrpcWebTransport }} from "@connectrpc/connect-node";
        import {{ RecommendationService }}
            from "./gen/relatedpapers/v1/recommendation_service_pb.js";
        const baseUrl = {json.dumps(served.web)};
        const client = createClient(RecommendationService, {transport});
        const request = {{ paperIds: [{json.dumps(served.paper_id)}], pageSize: 5 }};
        const {{ results }} = await client.listRelatedPapers(request);
        for (const {{ score, paper }} of results)
          console.log(`${{score.toFixed(2)}}  ${{paper.title}} (${{paper.year}})`);
    """
    assert run("node", "--input-type=module", "--eval", script, cwd=node) == served.expected


def test_curl_lists_trending_papers(served: Served, run: Show) -> None:
    message = urlencode({"encoding": "json", "message": '{"window": "day", "pageSize": 5}'})
    answer = run(require_tool("curl"), "--silent", "--fail", f"{served.web}/{TRENDING}?{message}")
    assert [result["paper"]["id"] for result in json.loads(answer)["results"]] == served.trending


@pytest.mark.network
@pytest.mark.parametrize("transport", ["createConnectTransport", "createGrpcWebTransport"])
def test_connect_node_lists_trending_papers(
    transport: str, node: Path, served: Served, run: Show
) -> None:
    script = f"""
        import {{ createClient }} from "@connectrpc/connect";
        import {{ {transport} }} from "@connectrpc/connect-node";
        import {{ RecommendationService, ResultSource }}
            from "./gen/relatedpapers/v1/recommendation_service_pb.js";
        const baseUrl = {json.dumps(served.web)};
        const transport = {transport}({{ baseUrl, httpVersion: "1.1" }});
        const client = createClient(RecommendationService, transport);
        const answer = await client.listTrendingPapers({{ window: "day", pageSize: 5 }});
        if (answer.results.some((each) => each.source !== ResultSource.POPULAR_FALLBACK))
          throw new Error("without feedback there is only the fallback");
        for (const {{ paper }} of answer.results) console.log(paper.id);
    """
    printed = run("node", "--input-type=module", "--eval", script, cwd=node)
    assert printed.split() == served.trending
