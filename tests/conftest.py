"""Fixtures for every subject."""

import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from redis import Redis

from service.embedded import Role, attach
from service.settings import Settings
from tests.servers import SystemRedis, durable
from tests.service import toy
from tests.serving import Running, Starting, trained_once
from tests.support import ROOT, fetch, require_tool

GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3"

# Many services run at once in the tests: each picks a free port for its pages.
os.environ.setdefault("RELATED_PAPERS_WEB_PORT", "0")

# Hundreds of processes that tests start would each compile the whole service anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Who was started in the background of a shell ignores Ctrl-C, and so would what our tests start and
# then interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# No test looks at the clock: neither at its own time nor at that of drawing its examples.
hypothesis.settings.register_profile(
    "project", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("project")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more processes than cores: tests wait for servers about as long as they compute."""
    return (os.cpu_count() or 1) + 2


@pytest.fixture(scope="session")
def datasets() -> Path:
    """The folder of evaluation datasets, which lies beside the repository and is not part of it.

    Tests that use it are marked `datasets`.
    """
    folder = ROOT.parent / "shared" / "datasets"
    if not folder.is_dir():
        pytest.skip(f"the evaluation datasets are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def toy_papers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The toy corpus, whose right answers are known, as a file."""
    path = tmp_path_factory.mktemp("toy-corpus") / "papers.jsonl"
    toy.write(path)
    return path


@pytest.fixture(scope="session")
def toy_model(toy_papers: Path, shared: Path) -> Path:
    """A model folder with one version, trained on the toy corpus. Do not change it."""
    return trained_once(shared / "toy-model", toy_papers)


@pytest.fixture(scope="session")
def toy_model_again(toy_papers: Path, toy_model: Path) -> Path:
    """The same with another version, trained later. Do not change it."""
    return trained_once(toy_model.with_name("toy-model-again"), toy_papers, seed=1)


@pytest.fixture(scope="session")
def toy_reader_model(
    toy_papers: Path, shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A model folder like `toy_model`, with the toy corpus's readers. Do not change it."""
    events = tmp_path_factory.mktemp("toy-readers") / "interactions.jsonl"
    toy.write_interactions(events)
    return trained_once(shared / "toy-reader-model", toy_papers, interactions=events)


@pytest.fixture(scope="session")
def sample_model(shared: Path) -> Path:
    """A model folder with one version, trained on the sample that ships with the project."""
    return trained_once(shared / "sample-model", ROOT / "models" / "sample" / "papers.jsonl")


@pytest.fixture(scope="session")
def vis_model(datasets: Path, shared: Path) -> Path:
    """A model folder with one version, trained on 8,523 real papers of visualization."""
    return trained_once(shared / "vis-model", datasets / "vis" / "papers.jsonl.gz")


@pytest.fixture(scope="session")
def embedded_urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Role, str]]:
    """Both embedded servers, running for the whole test session; flush what you use."""
    with attach(tmp_path_factory.mktemp("embedded")) as urls:
        yield urls


@pytest.fixture(scope="session")
def system_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a `redis-server` of the system, running for the whole test session."""
    with SystemRedis(require_tool("redis-server"), tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="session")
def durable_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of one that keeps state, for the whole test session."""
    with durable(tmp_path_factory.mktemp("durable-redis")) as server:
        yield server.url


@pytest.fixture
def state_server(tmp_path: Path) -> Iterator[SystemRedis]:
    """A state server of its own, which a test may stop and start: it keeps what it is given."""
    with durable(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def state_url(embedded_urls: dict[Role, str]) -> str:
    """The embedded state server, empty."""
    return _emptied(embedded_urls[Role.STATE])


@pytest.fixture(params=["embedded", "system"])
def any_state_url(request: pytest.FixtureRequest) -> str:
    """An empty state server: the embedded one, and a Redis of the system."""
    embedded = request.param == "embedded"
    return _emptied(request.getfixturevalue("state_url" if embedded else "durable_redis"))


def _emptied(url: str) -> str:
    with Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture
def settings(toy_model: Path, tmp_path: Path) -> Settings:
    """The toy model on free ports, without Redis."""
    return Settings(model=toy_model, port=0, web_port=0, data_dir=tmp_path / "data")


@pytest_asyncio.fixture
async def running(settings: Settings) -> AsyncIterator[Running]:
    """The service with these settings."""
    async with Starting(settings) as service:
        yield service


@pytest.fixture(scope="session")
def grpcurl(tmp_path_factory: pytest.TempPathFactory) -> str:
    """grpcurl of the system, or else built from source."""
    if found := shutil.which("grpcurl"):
        return found
    folder = tmp_path_factory.mktemp("grpcurl")
    fetch(require_tool("go"), "install", GRPCURL, GOBIN=str(folder))
    return str(folder / "grpcurl")
