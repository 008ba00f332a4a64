"""Models that the tests of training and ranking share. Do not change them: copy what you damage."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from models.artifact import Artifact
from models.interactions import read_interactions
from tests.models.corpora import corpus_in, corpus_of, train_on, two_fields, write_jsonl
from tests.serving import COMMAND
from tests.support import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def papers_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two fields as a file."""
    return write_jsonl(tmp_path_factory.mktemp("two-fields") / "papers.jsonl", two_fields())


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with one version, trained on the two fields."""
    return train_on(corpus_of(two_fields()), tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def artifact(model: Path) -> Artifact:
    """The model's version, opened."""
    return Artifact.open(model)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with one version, trained on the sample that ships with the project."""
    folder = ROOT / "models" / "sample"
    corpus = corpus_in(folder / "papers.jsonl")
    events = read_interactions([folder / "interactions.jsonl"], corpus)
    return train_on(corpus, tmp_path_factory.mktemp("sample"), events, threads=1)


@pytest.fixture
def run() -> Run:
    """Runs `related-papers` with these arguments; output and exit code are the test's to judge."""

    def related_papers(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [str(COMMAND), *map(str, arguments)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    return related_papers
