"""The tools of other languages, and the examples copied to where they may build."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from relatedpapers import Client
from tests.serving import serve_command
from tests.support import ROOT

WELL_KNOWN = "arXiv:1706.03762"
"""Attention Is All You Need, in the sample."""

Show = Callable[..., str]


@pytest.fixture(scope="session")
def address(sample_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The service over the sample, as `related-papers serve` runs it."""
    with serve_command(sample_model, tmp_path_factory.mktemp("data")) as address:
        yield address


@pytest.fixture(scope="session")
def protos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of protos/ with its examples."""
    left_out = shutil.ignore_patterns("__pycache__", "node_modules", "gen")
    return shutil.copytree(
        ROOT / "protos", tmp_path_factory.mktemp("languages") / "protos", ignore=left_out
    )


@pytest.fixture(scope="session")
def expected(address: str) -> str:
    """What every example prints, after the client of tests/client."""
    with Client(address) as client:
        results = list(client.list_related_papers(paper_ids=[WELL_KNOWN], limit=5))
    assert len(results) == 5
    return "".join(f"{r.score:.2f}  {r.paper.title} ({r.paper.year})\n" for r in results)


@pytest.fixture(scope="session")
def run() -> Show:
    """What a command prints; it must succeed."""

    def run(*command: str | Path, cwd: Path = ROOT) -> str:
        result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    return run
