"""connect-web, a client that others wrote, in a browser on a foreign origin: what gRPC answers."""

from pathlib import Path

import grpc
import pytest
from playwright.async_api import Page

from relatedpapers.v1.recommendation_service_pb2 import (
    ListRelatedPapersRequest,
    ListRelatedPapersResponse,
)
from relatedpapers.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from tests.browser import node
from tests.browser.support import Problems, Site, document
from tests.browser.widget import PAPER
from tests.serving import Addresses
from tests.support import require_tool

pytestmark = [pytest.mark.network, pytest.mark.slow]

TRANSPORTS = [
    "connect-json",
    "connect-binary",
    "connect-json-get",
    "connect-binary-get",
    "grpc-web",
]
ASK = "([name, endpoint, paper]) => ask(name, endpoint, paper)"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The client with the code that its generator makes of our protos, type-checked and bundled."""
    folder: Path = node.installed(tmp_path_factory, "client.ts")
    node.run(folder, require_tool("buf"), "generate")
    node.run(folder, "tsc")
    command = ("esbuild", "client.ts", "--bundle", "--format=esm", "--log-level=warning")
    return node.run(folder, *command)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_same_answer_as_grpc(
    transport: str, page: Page, bundle: str, service: Addresses, site: Site
) -> None:
    await _open(page, bundle, service, site)
    answer = await page.evaluate(ASK, [transport, service.web, PAPER])
    request = ListRelatedPapersRequest(paper_ids=[PAPER], page_size=5, include_evidence=True)
    with grpc.insecure_channel(service.grpc) as channel:
        expected = RecommendationServiceStub(channel).ListRelatedPapers(request)
    assert len(expected.results) == 5
    assert ListRelatedPapersResponse.FromString(bytes(answer)) == expected


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_same_error_as_grpc(
    transport: str, page: Page, bundle: str, service: Addresses, site: Site, problems: Problems
) -> None:
    problems.expect("404")
    await _open(page, bundle, service, site)
    answer = await page.evaluate(ASK, [transport, service.web, "none such"])
    with grpc.insecure_channel(service.grpc) as channel:
        stub = RecommendationServiceStub(channel)
        with pytest.raises(grpc.RpcError) as failed:
            stub.ListRelatedPapers(ListRelatedPapersRequest(paper_ids=["none such"]))
    assert answer == f"NotFound: {failed.value.details()}"


async def _open(page: Page, bundle: str, service: Addresses, site: Site) -> None:
    script = site.add(bundle, content_type="text/javascript; charset=utf-8", policy="")
    policy = f"default-src 'none'; script-src {site.origin}; connect-src {service.web}"
    head = f'<script type="module" src="{script}"></script>'
    await page.goto(site.add(document("", head=head), policy=policy))
    await page.wait_for_function("'ask' in window")
