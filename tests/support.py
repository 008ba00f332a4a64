"""What tests of several subjects share."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

_OFFLINE = re.compile(
    "dns error|error sending request|no such host|dial tcp|refused|time.?out|E(CONN|NOTFOUND|AI_)",
    re.IGNORECASE,
)
"""How uv, npm and Go say that the network is away."""

IN_CI = os.environ.get("CI") == "true"


def unavailable(reason: str) -> NoReturn:
    """Skip a test whose tool or network is absent; in CI, which installs them all, fail it."""
    if IN_CI:
        pytest.fail(f"{reason} (.ci/run must install it)")
    pytest.skip(reason)


def require_tool(name: str) -> str:
    """The path of a program of our environment or the system, or the test is `unavailable`."""
    ours = str(Path(sys.executable).parent)
    return (
        shutil.which(name, path=ours)
        or shutil.which(name)
        or unavailable(f"{name} is not installed")
    )


def fetch(*command: str | Path, cwd: Path = ROOT, **environment: str) -> None:
    """Run a command that asks a package registry; where none can be reached, skip (in CI: fail).

    environment: variables to add.
    """
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    output = result.stdout + result.stderr
    if result.returncode != 0 and _OFFLINE.search(output):
        unavailable(f"no package registry can be reached: {output.strip().splitlines()[-1]}")
    assert result.returncode == 0, output


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Ask until the answer is true and return it; fail when it has not come in good time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.01)  # between two looks, never instead of one
    return answer
