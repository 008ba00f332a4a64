"""The examples of every language, built and run against the service."""

import sys
from pathlib import Path

import pytest

from tests.languages.conftest import Served, Show


def test_python(protos: Path, served: Served, run: Show) -> None:
    example = protos / "examples" / "python" / "related.py"
    assert run(sys.executable, example, served.address, served.paper_id) == served.expected


@pytest.mark.network
@pytest.mark.parametrize("example", ["related.js", "generated.js"])
def test_node(example: str, node: Path, served: Served, run: Show) -> None:
    printed = run("node", example, served.address, served.paper_id, cwd=node)
    assert printed == served.expected


@pytest.mark.network
@pytest.mark.slow
def test_go(go_program: Path, served: Served, run: Show) -> None:
    assert run(go_program, served.address, served.paper_id) == served.expected
