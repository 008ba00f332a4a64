"""Fixtures for every subject."""

from pathlib import Path

import pytest

from tests.support import ROOT


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of evaluation datasets, which lies beside the repository and is not part of it.

    Tests that use it are marked `datasets`.
    """
    folder = ROOT.parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip(f"the evaluation datasets are not in {folder}")
    return folder
