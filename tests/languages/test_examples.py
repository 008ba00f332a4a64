"""The examples of every language, built and run against the service."""

import sys
from pathlib import Path

import pytest

from tests.languages.conftest import WELL_KNOWN, Show
from tests.support import fetch, require_tool

BUF = Path(sys.executable).with_name("buf")


def test_python(protos: Path, address: str, expected: str, run: Show) -> None:
    example = protos / "examples" / "python" / "related.py"
    assert run(sys.executable, example, address, WELL_KNOWN) == expected


@pytest.fixture(scope="session")
def node(protos: Path) -> Path:
    """The Node example with its packages and generated code."""
    require_tool("node")
    folder = protos / "examples" / "node"
    fetch(require_tool("npm"), "ci", "--prefer-offline", "--no-audit", cwd=folder)
    fetch(BUF, "generate", cwd=folder)
    return folder


@pytest.mark.network
@pytest.mark.parametrize("example", ["related.js", "generated.js"])
def test_node(example: str, node: Path, address: str, expected: str, run: Show) -> None:
    assert run("node", example, address, WELL_KNOWN, cwd=node) == expected


@pytest.mark.network
@pytest.mark.slow
def test_go(protos: Path, address: str, expected: str, run: Show) -> None:
    go = require_tool("go")
    folder = protos / "examples" / "go"
    fetch(go, "mod", "download", cwd=folder)
    fetch(BUF, "generate", cwd=folder)
    fetch(go, "build", "-o", "related", ".", cwd=folder)
    assert run(folder / "related", address, WELL_KNOWN) == expected
