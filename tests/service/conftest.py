"""The assembled service over a real channel, with models that were trained for the tests."""

from pathlib import Path

import pytest

from models.artifact import Artifact
from service.recommender import Recommender


@pytest.fixture(scope="session")
def recommender(toy_model: Path) -> Recommender:
    """The toy model, without a server."""
    return Recommender(Artifact.open(toy_model))
