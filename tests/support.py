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

PATIENCE_SECONDS = 120.0
"""How long a test waits for what should come at once: on a busy machine seconds may pass, and only
a test that fails waits so long."""

_OFFLINE = re.compile(
    r"dns error|error sending request|no such host|dial tcp|refused|time.?out|E(CONN|NOTFOUND|AI_)"
    r"|\b50[234]\b",
    re.IGNORECASE,
)
"""How uv, npm and Go say that the network or the registry is away."""

FETCHES = 3
"""How often a package registry is asked."""

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
    output = ""
    for _ in range(FETCHES):
        result = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode == 0:
            return
        output = result.stdout + result.stderr
        if not _OFFLINE.search(output):
            pytest.fail(output)
    unavailable(f"no package registry can be reached: {output.strip().splitlines()[-1]}")


def wait_until(condition: Callable[[], T], what: str, seconds: float = PATIENCE_SECONDS) -> T:
    """Ask until the answer is true and return it; fail when it has not come in good time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.01)  # between two looks, never instead of one
    return answer
