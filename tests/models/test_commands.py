"""The commands as a user runs them: help, output, exit codes."""

import json
import re
from pathlib import Path

import pytest

from models.artifact import Artifact, versions
from models.runs import read_run
from tests.models.conftest import Run
from tests.models.corpora import Paper, two_fields, write_jsonl, write_lines

COMMANDS = [
    ("train",),
    ("rank", "papers"),
    ("rank", "drafts"),
    ("rank", "readers"),
    ("evaluate",),
    ("inspect",),
    ("search",),
    ("serve",),
    ("demo",),
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_explains_itself_with_an_example(command: tuple[str, ...], run: Run) -> None:
    result = run(*command, "--help")
    assert result.returncode == 0
    text = re.sub(r"\s+", " ", result.stdout)
    assert f"Example: related-papers {' '.join(command)}" in text


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("train",),
        ("train", "--papers", "absent.jsonl", "--output", "out"),
        ("train", "--output", "out"),
        ("train", "--seed", str(2**32), "--papers", __file__, "--output", "out"),
        ("rank", "papers", "--depth", "0"),
        ("rank", "papers", "--popularity", "2"),
        ("evaluate", "absent-qrels.txt", "absent-run.txt"),
        ("inspect",),
        ("search",),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_exit_code_2(arguments: tuple[str, ...], run: Run) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert "Usage: " in result.stderr


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    """The two fields in two files."""
    papers = two_fields()
    one = write_jsonl(tmp_path / "1.jsonl", papers[:42])
    return one, write_jsonl(tmp_path / "2.jsonl", papers[42:])


@pytest.mark.parametrize("repeated", [False, True], ids=["one option", "two options"])
def test_several_files_of_papers(
    repeated: bool, halves: tuple[Path, Path], model: Path, run: Run, tmp_path: Path
) -> None:
    one, other = halves
    files = ["--papers", one, "--papers", other] if repeated else ["--papers", one, other]
    result = run("train", *files, "--output", tmp_path / "model", "--threads", 1)
    assert result.returncode == 0, result.stderr
    assert "84 papers" in result.stdout
    assert versions(tmp_path / "model") == versions(model)


def test_what_was_mended_is_counted_and_said(run: Run, tmp_path: Path) -> None:
    papers: list[Paper] = [{"id": "a"}, {"id": "a", "title": "One", "references": ["a"]}]
    result = run(
        "train", "--papers", write_jsonl(tmp_path / "p.jsonl", papers), "--output", tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "1 papers whose id came again (the last line won)" in result.stderr
    assert "1 references of a paper to itself (dropped)" in result.stderr


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["not json"], "papers.jsonl:1: not JSON"),
        (['{"id": "a"}', '{"title": "T"}'], 'papers.jsonl:2: no "id"'),
        ([], "no papers: the files hold no record"),
    ],
    ids=["not JSON", "no id", "empty"],
)
def test_a_file_that_cannot_be_used_fails_with_one_sentence(
    lines: list[str], problem: str, run: Run, tmp_path: Path
) -> None:
    path = write_lines(tmp_path / "papers.jsonl", lines)
    result = run("train", "--papers", path, "--output", tmp_path / "model")
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert problem in result.stderr.splitlines()[-1]
    assert not (tmp_path / "model").exists()


def test_interactions_of_unknown_papers_are_counted(
    papers_file: Path, run: Run, tmp_path: Path
) -> None:
    events = [{"user": "u1", "paper": "graphs/2001-0"}, {"user": "u1", "paper": "unknown"}]
    path = write_jsonl(tmp_path / "events.jsonl", events)
    files = ["--papers", papers_file, "--interactions", path]
    result = run("train", *files, "--output", tmp_path / "model")
    assert result.returncode == 0, result.stderr
    assert "1 events of papers outside the corpus (passed over)" in result.stderr
    assert Artifact.open(tmp_path / "model").manifest.corpus["papers"] == 84


def test_papers_are_ranked_into_a_run_that_can_be_evaluated(
    model: Path, run: Run, tmp_path: Path
) -> None:
    ids = [paper["id"] for paper in two_fields()]
    queries = write_lines(tmp_path / "queries.txt", ids)
    output = tmp_path / "run.txt"
    files = ["--model", model, "--queries", queries, "--output", output]
    result = run("rank", "papers", *files, "--depth", 20)
    assert result.returncode == 0, result.stderr
    ranked = read_run(output)
    assert list(ranked) == ids
    assert all(len(found) == 20 for found in ranked.values())

    pairs = [(one, other) for one in ids for other in ids if one[0] == other[0] and one != other]
    judgements = (f"{one} 0 {other} 1" for one, other in pairs)
    qrels = write_lines(tmp_path / "qrels.txt", judgements)
    table = run("evaluate", qrels, output)
    assert table.returncode == 0
    assert "84 of 84 queries answered" in table.stdout
    assert re.search(r"ndcg@10\W+1\.00000", table.stdout)

    figures = json.loads(run("evaluate", qrels, output, "--json").stdout)
    assert figures["queries"] == figures["queries answered"] == 84
    assert figures["ndcg@10"] == 1
    hits = [each[0] == query[0] for query, found in ranked.items() for each in found]
    assert figures["recall@20"] == pytest.approx(sum(hits) / (84 * 41), abs=1e-5)


def test_an_unknown_query_fails_and_writes_nothing(model: Path, run: Run, tmp_path: Path) -> None:
    queries = write_lines(tmp_path / "queries.txt", ["graphs/2001-0", "no-such-paper"])
    files = ["--model", model, "--queries", queries, "--output", tmp_path / "run.txt"]
    result = run("rank", "papers", *files)
    assert result.returncode == 1
    assert "no-such-paper: unknown paper" in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run.txt").exists()


def test_drafts_are_ranked(model: Path, run: Run, tmp_path: Path) -> None:
    draft = {"id": "new", "title": "Coloring planar graphs", "references": ["graphs/2010-0"]}
    drafts = write_jsonl(tmp_path / "drafts.jsonl", [draft])
    files = ["--model", model, "--drafts", drafts, "--output", tmp_path / "run.txt"]
    result = run("rank", "drafts", *files, "--depth", 5)
    assert result.returncode == 0, result.stderr
    (found,) = read_run(tmp_path / "run.txt").values()
    assert len(found) == 5
    assert all(each.startswith("graphs/") for each in found)


def test_inspecting_a_paper_says_why(model: Path, run: Run) -> None:
    result = run("inspect", "graphs/2010-1", "--model", model, "--depth", 3)
    assert result.returncode == 0, result.stderr
    assert "Related to" in result.stdout
    assert "score = logistic(" in result.stdout
    assert "shared terms" in result.stdout


@pytest.mark.parametrize("command", [("inspect", "unknown"), ("inspect", "\x1b[31m")], ids=str)
def test_inspecting_an_unknown_paper(command: tuple[str, str], model: Path, run: Run) -> None:
    result = run(*command, "--model", model)
    assert result.returncode == 1
    assert "unknown paper" in result.stderr


def test_a_folder_that_is_no_model(run: Run, tmp_path: Path) -> None:
    result = run("inspect", "graphs/2010-1", "--model", tmp_path)
    assert result.returncode == 1
    assert f"{tmp_path}: neither a manifest.json nor a CURRENT file" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.datasets
def test_result_pages_train(datasets: Path, run: Run, tmp_path: Path) -> None:
    pages = sorted((datasets / "hf-papers").glob("*.txt"))
    result = run("train", "--papers", *pages, "--output", tmp_path)
    assert result.returncode == 0, result.stderr
    artifact = Artifact.open(tmp_path)
    assert 140 <= len(artifact.papers) <= 170
    assert "0 citations" in result.stdout
    named = run("train", "--papers", *pages, "--format", "jsonl", "--output", tmp_path)
    assert named.returncode == 1
    assert f"{pages[0]}:1: not JSON" in named.stderr
