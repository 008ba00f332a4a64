"""What each package loads, and the contracts that hold the arrows between them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import ROOT

LOADED = "import json, sys; print(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))"


def loaded_by(code: str) -> set[str]:
    """The top-level packages that a new interpreter has loaded after `code`."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{LOADED}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(result.stdout))


def test_serving_loads_nothing_that_trains() -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in (ROOT / "service").rglob("*.py")
        if path.name != "__init__.py"
    ]
    loaded = loaded_by(f"import {', '.join(sorted(names))}")
    assert "grpc" in loaded
    assert not loaded & {"implicit", "numba", "sklearn"}


def test_no_mail_client_is_loaded_before_a_mail_goes_out() -> None:
    loaded = loaded_by("import service.serving, service.digest.process")
    assert "grpc" in loaded
    assert not loaded & {"aiosmtplib", "idna"}


def test_client_needs_grpc_and_protobuf_alone() -> None:
    needed = loaded_by("import grpc, google.protobuf")
    loaded = loaded_by("import relatedpapers") - sys.stdlib_module_names
    assert loaded - needed == {"relatedpapers"}


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of the packages and their contracts that a test may spoil."""
    for package in ("models", "service", "protos"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def check_contracts(house: Path) -> subprocess.CompletedProcess[str]:
    program = str(Path(sys.executable).with_name("lint-imports"))
    return subprocess.run(
        [program, "--no-cache", "--no-logo"],
        cwd=house,
        env={"PYTHONPATH": f"{house}:{house / 'protos'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_contracts_are_kept(house: Path) -> None:
    result = check_contracts(house)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("models/papers.py", "service.settings"),
        ("models/train.py", "relatedpapers"),
        ("models/corpus.py", "grpc"),
        ("service/settings.py", "sklearn.decomposition"),
        ("service/keys.py", "models.train"),
        ("service/recommender.py", "redis"),
        ("service/supervisor.py", "grpc"),
        ("service/supervisor.py", "service.web.server"),
        ("service/papers.py", "service.web.pages"),
        ("service/feedback.py", "grpc"),
        ("service/web/pages.py", "models.train"),
        ("protos/relatedpapers/channel.py", "service.settings"),
    ],
)
def test_contracts_notice(house: Path, module: str, imported: str) -> None:
    path = house / module
    path.write_text(f"{path.read_text()}\nimport {imported}\n")
    result = check_contracts(house)
    assert result.returncode == 1, result.stdout
    assert "BROKEN" in result.stdout
