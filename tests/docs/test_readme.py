"""The README is true: its commands run, its tables are the code's, its links lead somewhere."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.settings import table
from tests.serving import serve_both, serve_command
from tests.support import ROOT, fetch

README = (ROOT / "README.md").read_text()

NOT_RUN = {
    "make demo": "serves until Ctrl-C; what it serves is served here, on a free port",
    "make test": "runs this very test",
}
"""Commands that are not run here, each with the reason. Everything else is run."""

SHOWN_ADDRESS = "127.0.0.1:50051"
SHOWN_WEB = "http://127.0.0.1:8080"
DATASETS = "../shared/datasets"


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the line where it stands, its text."""

    language: str
    line: int
    text: str

    def commands(self) -> list[str]:
        """The commands of a console block; the lines between them are what they print."""
        joined = self.text.replace("\\\n", " ")
        return [line.removeprefix("$ ") for line in joined.splitlines() if line.startswith("$ ")]


def blocks(language: str) -> list[Block]:
    fence = re.compile(rf"^```{language}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    return [
        Block(language, README[: match.start()].count("\n") + 1, match[1])
        for match in fence.finditer(README)
    ]


def commands(*, with_datasets: bool = True) -> list[str]:
    """Every command, or those of the blocks that need no evaluation data."""
    return [
        command
        for block in blocks("console")
        if with_datasets or DATASETS not in block.text
        for command in block.commands()
    ]


def copy_of_the_repository(folder: Path) -> Path:
    """The files that git knows, and the virtual environment as a link."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.mark.network
@pytest.mark.slow
def test_every_command_works(sample_model: Path, grpcurl: str, tmp_path: Path) -> None:
    copy = copy_of_the_repository(tmp_path)
    datasets = ROOT.parent / "shared" / "datasets"
    path = f"{Path(grpcurl).parent}{os.pathsep}{os.environ['PATH']}"
    with serve_both(sample_model, tmp_path / "demo") as (address, web):
        for command in commands(with_datasets=datasets.is_dir()):
            if command in NOT_RUN:
                continue
            here = command.replace(SHOWN_ADDRESS, address).replace(SHOWN_WEB, web)
            here = here.replace(DATASETS, str(datasets))
            here = re.sub(r"\bcurl ", "curl --fail-with-body ", here)
            if here.startswith(".venv/bin/related-papers serve"):
                model = copy / here.split("--model ")[1].split()[0]
                with serve_command(model, tmp_path / "data"):
                    continue
            fetch("bash", "-euc", here, cwd=copy, PATH=path)


def test_python_works(sample_model: Path, tmp_path: Path) -> None:
    found = blocks("python")
    assert found
    with serve_command(sample_model, tmp_path) as address:
        for block in found:
            code = block.text.replace(SHOWN_ADDRESS, address)
            result = subprocess.run(
                [sys.executable, "-W", "error", "-c", code],
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, f"README.md:{block.line}: {result.stderr}"
            assert result.stdout.strip()


def test_json_is_one_object_a_line() -> None:
    for block in blocks("json"):
        for line in block.text.splitlines():
            assert isinstance(json.loads(line), dict), f"README.md:{block.line}"


def test_every_exception_is_still_there() -> None:
    assert set(NOT_RUN) <= set(commands())


def test_configuration_table_is_that_of_the_code() -> None:
    rows = re.findall(r"^\| `(RELATED_PAPERS_\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert [(name, default.strip("` "), meaning) for name, default, meaning in rows] == [
        tuple(row) for row in table()
    ]


def test_links_lead_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)]+)\)", README) if "://" not in target]
    assert targets
    for target in targets:
        assert (ROOT / target.partition("#")[0]).exists(), target
