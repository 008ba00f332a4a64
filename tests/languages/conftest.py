"""The service over two corpora, and the examples of other languages, built."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.languages.javascript import install
from tests.serving import client_of, serve_both
from tests.support import ROOT, fetch, require_tool

Show = Callable[..., str]


class Served(NamedTuple):
    """A running service, a well-known paper of its corpus, and what every example prints for it.

    web: as http://host:port. trending: the ids of five papers that trend, best first.
    """

    address: str
    web: str
    paper_id: str
    expected: str
    trending: list[str]


@pytest.fixture(
    scope="session",
    params=[
        pytest.param(("sample_model", "arXiv:1706.03762"), id="sample"),
        pytest.param(
            ("vis_model", "10.1109/tvcg.2011.185"),  # D3: Data-Driven Documents
            id="vis",
            marks=[pytest.mark.datasets, pytest.mark.slow],
        ),
    ],
)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Trained and served by the commands that a user types."""
    model, paper_id = request.param
    folder = request.getfixturevalue(model)
    with serve_both(folder, tmp_path_factory.mktemp("data")) as (address, web):
        with client_of(address) as client:
            results = list(client.list_related_papers(paper_ids=[paper_id], limit=5))
            trending = [each.paper.id for each in client.list_trending_papers("day", limit=5)]
        assert len(results) == 5
        lines = [f"{r.score:.2f}  {r.paper.title} ({r.paper.year})\n" for r in results]
        yield Served(address, web, paper_id, "".join(lines), trending)


@pytest.fixture(scope="session")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of protos/ with its examples."""
    left_out = shutil.ignore_patterns("__pycache__", "node_modules", "gen")
    return shutil.copytree(
        ROOT / "protos", tmp_path_factory.mktemp("languages") / "protos", ignore=left_out
    )


@pytest.fixture(scope="session")
def node(protos: Path) -> Path:
    """The Node examples with their packages and generated code."""
    return install(protos / "examples" / "node")


@pytest.fixture(scope="session")
def web(protos: Path) -> Path:
    """The example for web pages, likewise."""
    return install(protos / "examples" / "web")


@pytest.fixture(scope="session")
def go_program(protos: Path) -> Path:
    """The Go example, generated and compiled."""
    go = require_tool("go")
    folder = protos / "examples" / "go"
    fetch(go, "mod", "download", cwd=folder)
    fetch(require_tool("buf"), "generate", cwd=folder)
    fetch(go, "build", "-o", "related", ".", cwd=folder)
    return folder / "related"


@pytest.fixture(scope="session")
def run() -> Show:
    """What a command prints; it must succeed."""

    def run(*command: str | Path, cwd: Path = ROOT) -> str:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
