"""What tests of several subjects share."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent
"""The repository."""

IN_CI = os.environ.get("CI") == "true"


def unavailable(reason: str) -> NoReturn:
    """Skip a test whose tool or network is absent; in CI, which installs them all, fail it."""
    if IN_CI:
        pytest.fail(f"{reason} (.ci/run must install it)")
    pytest.skip(reason)
