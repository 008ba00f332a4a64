"""The examples of every language, built and run against the service."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.languages.conftest import Served, Show


def test_python(protos: Path, served: Served, run: Show) -> None:
    example = protos / "examples" / "python" / "related.py"
    assert run(sys.executable, example, served.address, served.paper_id) == served.expected


def test_python_stream(protos: Path, served: Served, tmp_path: Path) -> None:
    # An impression: it changes no list that other tests ask this service for.
    event = {"id": "1", "type": "impression", "paper_id": served.paper_id}
    good = {**event, "readerId": str(tmp_path)}
    late = {**good, "id": "2", "event_time": "2001-01-01T00:00:00Z"}
    lines = [json.dumps(good), "{", json.dumps(late), json.dumps(good)]
    result = subprocess.run(
        [sys.executable, protos / "examples" / "python" / "stream.py", served.address],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == "2 stored, 1 refused\n", result.stderr
    first, second = result.stderr.splitlines()
    assert first.startswith("line 2 is no event: ")
    assert second.startswith("2: EVENT_TOO_OLD: ")


@pytest.mark.network
@pytest.mark.parametrize("example", ["related.js", "generated.js"])
def test_node(example: str, node: Path, served: Served, run: Show) -> None:
    printed = run("node", example, served.address, served.paper_id, cwd=node)
    assert printed == served.expected


@pytest.mark.network
@pytest.mark.slow
def test_go(go_program: Path, served: Served, run: Show) -> None:
    assert run(go_program, served.address, served.paper_id) == served.expected
