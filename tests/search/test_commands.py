"""`related-papers search` as a user runs it."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.serving import COMMAND
from tests.support import ROOT


def search(*arguments: str | Path | bytes, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "search", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_help_has_an_example() -> None:
    result = search("--help")
    assert result.returncode == 0
    assert "Example: related-papers search" in result.stdout


def test_a_table_for_people(toy_model: Path) -> None:
    result = search("planar twins", "--model", toy_model)
    assert result.returncode == 0, result.stderr
    assert "Graph coloring of planar twins" in result.stdout
    assert "2 papers match; model" in result.stdout
    relaxed = search("planar unheardof", "--model", toy_model, "--limit", "1")
    assert "none has all of the words" in " ".join(relaxed.stdout.split())


def test_lines_for_programs(toy_model: Path) -> None:
    result = search("graph", "--model", toy_model, "--limit", "3", "--json")
    papers = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(papers) == 3
    assert set(papers[0]) == {"id", "score", "title", "authors", "year", "venue", "snippet"}
    assert [paper["score"] for paper in papers] == sorted(
        (paper["score"] for paper in papers), reverse=True
    )


def test_nothing_found_is_an_answer(toy_model: Path) -> None:
    result = search("unheardof", "--model", toy_model)
    assert result.returncode == 0
    assert result.stdout.startswith("0 papers match; model")
    assert search("unheardof", "--model", toy_model, "--json").stdout == ""


@pytest.mark.parametrize("query", ["", " ", "\t"])
def test_an_empty_query_is_one_sentence(toy_model: Path, query: str) -> None:
    result = search(query, "--model", toy_model)
    assert result.returncode == 1
    assert result.stderr.startswith("the query is empty")
    assert "Traceback" not in result.stderr


def test_a_missing_model_is_one_sentence(tmp_path: Path) -> None:
    result = search("graph", "--model", tmp_path)
    assert result.returncode == 1
    assert "expected the output folder of `related-papers train`" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("x", "--limit", "0"), ("x", "--limit", "1001")])
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    result = search(*arguments)
    assert result.returncode == 2
    assert "Usage: " in result.stderr


@pytest.mark.parametrize("query", [b"\xff\xfe graph", b"[bold]graph[/nope]", b"--", b"%s \\ {}"])
@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
def test_any_bytes_are_a_query(toy_model: Path, query: bytes, locale: str) -> None:
    result = search("--model", toy_model, "--", query, LC_ALL=locale)
    assert result.returncode == 0, result.stderr
