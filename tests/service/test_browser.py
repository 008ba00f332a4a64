"""The demo opens its page for a person at a terminal, and for nobody else."""

import os
import pty
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

ADDRESS = "http://127.0.0.1:8080/"
CODE = f"from service.browser import open_page; print('opened:', open_page({ADDRESS!r}))"


@pytest.fixture
def opened(tmp_path: Path) -> Path:
    """What the browser of `environment` was asked to open."""
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shlex.quote(str(tmp_path / "opened"))}\n')
    browser.chmod(0o755)
    return tmp_path / "opened"


def at_a_terminal(**changes: str) -> str:
    """What the code prints at a terminal, which keeps its own environment but for these changes."""
    mine, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "BROWSER"}}
    command = [sys.executable, "-c", CODE]
    subprocess.run(command, cwd=ROOT, env={**kept, **changes}, stdout=theirs, check=True)
    os.close(theirs)
    printed = os.read(mine, 1_000).decode()
    os.close(mine)
    return printed


def test_a_person_at_a_terminal_sees_the_page(opened: Path) -> None:
    assert "opened: True" in at_a_terminal(BROWSER=str(opened.with_name("browser")))
    assert opened.read_text() == f"{ADDRESS}\n"


def test_ci_sees_none(opened: Path) -> None:
    printed = at_a_terminal(BROWSER=str(opened.with_name("browser")), CI="true")
    assert "opened: False" in printed
    assert not opened.exists()


def test_a_pipe_sees_none(opened: Path) -> None:
    variables = {name: value for name, value in os.environ.items() if name != "CI"}
    result = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=ROOT,
        env={**variables, "BROWSER": str(opened.with_name("browser"))},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "opened: False" in result.stdout
    assert not opened.exists()
