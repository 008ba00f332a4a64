"""The packages of npm that these tests use, installed in a folder of their own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support import ROOT, fetch, require_tool

SOURCE = Path(__file__).parent / "npm"


def installed(factory: pytest.TempPathFactory, program: str) -> Path:
    """A copy of npm/ with its packages and one of its programs, and protos/ beside it.

    Packages run nothing on install.
    """
    folder = factory.mktemp("npm") / "npm"
    shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("node_modules", "gen", "*.ts"))
    shutil.copy(SOURCE / program, folder)
    left_out = shutil.ignore_patterns("examples", "*.py", "*.pyi", "__pycache__")
    shutil.copytree(ROOT / "protos", folder.parent / "protos", ignore=left_out)
    require_tool("node")
    npm("ci", "--ignore-scripts", "--prefer-offline", "--no-audit", cwd=folder)
    return folder


def npm(*arguments: str | Path, cwd: Path) -> None:
    """Run npm, which asks its registry."""
    fetch(require_tool("npm"), *arguments, cwd=cwd)


def run(folder: Path, *command: str | Path) -> str:
    """What a command prints; it must succeed. Programs of the packages are on its path."""
    path = f"{folder / 'node_modules' / '.bin'}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout
