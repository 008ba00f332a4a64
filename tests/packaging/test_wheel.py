"""The wheel: whoever installs it has all that a checkout has."""

import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.support import ROOT

LEFT_OUT = {
    "models/sample/README.md",
    "models/sample/answer.svg",
    "models/sample/explorer.png",
    "service/Dockerfile",
}
"""What only a checkout is for."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, since building leaves its traces beside the sources."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("models", "service", "protos"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(source)),
        ],
        check=True,
    )
    [built] = folder.glob("*.whl")
    return built


def files(root: Path, package: str) -> set[str]:
    """The files of a package, relative to the folder that it is in."""
    found = (path.relative_to(root) for path in (root / package).rglob("*") if path.is_file())
    return {
        path.as_posix()
        for path in found
        if path.suffix != ".proto"
        and not any(part.startswith((".", "__py")) for part in path.parts)
    }


def test_wheel_has_every_file(wheel: Path) -> None:
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    sources = files(ROOT, "models") | files(ROOT, "service")
    assert packed == (sources | files(ROOT / "protos", "relatedpapers")) - LEFT_OUT


def test_service_loads_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    folder = tmp_path / "installed"
    with ZipFile(wheel) as archive:
        archive.extractall(folder)
    code = (
        f"import sys; sys.path.insert(0, {str(folder)!r})\n"
        "import service.application, service.updater, service.digest.process, service.cli\n"
        "print(service.__file__)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert Path(printed.strip()).is_relative_to(folder)
