"""connect-web in a browser, on a page of another origin: the answer that gRPC gives."""

import shutil
from pathlib import Path

import pytest
from playwright.async_api import Page

from relatedpapers import Client
from tests.browser.support import Problems, Site, document
from tests.languages.javascript import install
from tests.serving import Addresses
from tests.support import ROOT, fetch

PAPER = "arXiv:1706.03762"

pytestmark = pytest.mark.network


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The example for web pages as one script, which a page imports."""
    protos = tmp_path_factory.mktemp("connect-web") / "protos"
    left_out = shutil.ignore_patterns("__pycache__", "node_modules", "gen")
    shutil.copytree(ROOT / "protos", protos, ignore=left_out)
    folder = install(protos / "examples" / "web")
    esbuild = folder / "node_modules" / ".bin" / "esbuild"
    fetch(esbuild, "related.js", "--bundle", "--format=esm", "--outfile=out.js", cwd=folder)
    return Path(folder / "out.js").read_text()


@pytest.mark.parametrize("protocol", ["connect", "connect-binary", "grpc-web"])
async def test_connect_web(
    page: Page, service: Addresses, site: Site, bundle: str, protocol: str
) -> None:
    with Client(service.grpc) as client:
        expected = [
            f"{result.score:.2f}  {result.paper.title} ({result.paper.year})"
            for result in client.list_related_papers(paper_ids=[PAPER], limit=5)
        ]
    script = site.add(bundle, content_type="text/javascript", policy="")
    policy = f"default-src 'none'; script-src {site.origin}; connect-src {service.web}"
    await page.goto(site.add(document(""), policy=policy))
    shown = await page.evaluate(
        "async ([script, ...call]) => (await import(script)).related(...call)",
        [script, service.web, PAPER, protocol],
    )
    assert shown == expected


async def test_an_error_arrives_whole(
    page: Page, service: Addresses, site: Site, bundle: str, problems: Problems
) -> None:
    problems.expect("404")
    script = site.add(bundle, content_type="text/javascript", policy="")
    policy = f"default-src 'none'; script-src {site.origin}; connect-src {service.web}"
    await page.goto(site.add(document(""), policy=policy))
    for protocol in ("connect", "connect-binary", "grpc-web"):
        told = await page.evaluate(
            """async ([script, ...call]) => {
                 try { await (await import(script)).related(...call); }
                 catch (error) {
                   return [error.code, error.rawMessage, error.details.map((each) => each.type)];
                 }
               }""",
            [script, service.web, "no-such-paper", protocol],
        )
        code, message, details = told
        assert code == 5
        assert "no-such-paper" in message
        assert details == ["google.rpc.ErrorInfo"]
