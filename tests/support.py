"""What tests of several subjects share."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

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


def wait_until(condition: Callable[[], T], what: str, seconds: float = 30.0) -> T:
    """Ask until the answer is true and return it; fail when it has not come in good time."""
    deadline = time.monotonic() + seconds
    while not (answer := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds:g} s in vain until {what}")
        time.sleep(0.01)  # between two looks, never instead of one
    return answer
