"""The lock file: complete, hashed, without an address, and wheels alone on every platform."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support import ROOT, fetch

LOCKS = [ROOT / ".ci" / "requirements.txt", ROOT / ".ci" / "tools.txt"]
LOCK = LOCKS[0]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
BIN = Path(sys.executable).parent

PLATFORMS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "aarch64-apple-darwin"]
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]


def entries(lock: Path) -> list[str]:
    """Each pinned requirement with its hashes, on one line."""
    lines = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
    return [entry for entry in "\n".join(lines).replace("\\\n", "").splitlines() if entry.strip()]


def pinned(lock: Path) -> list[Requirement]:
    return [Requirement(entry.split(" --hash")[0]) for entry in entries(lock)]


def wanted() -> set[Requirement]:
    """Every requirement of the project, its extras and its build backend."""
    project = PROJECT["project"]
    lines = [*PROJECT["build-system"]["requires"], *project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        lines += extra
    return {Requirement(line) for line in lines}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_every_requirement_is_pinned_and_hashed(lock: Path) -> None:
    assert entries(lock)
    for entry in entries(lock):
        assert re.fullmatch(r"[\w.-]+==\S+( ; [^-]+?)?\s+(--hash=sha256:[0-9a-f]{64}\s*)+", entry)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_names_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-i|-f|--(extra-)?index-url|--find-links|--trusted-host)", text, re.MULTILINE
    )


@pytest.mark.parametrize("requirement", sorted(wanted(), key=str), ids=str)
def test_lock_has_what_the_project_wants(requirement: Requirement) -> None:
    here = [pin for pin in pinned(LOCK) if pin.marker is None or pin.marker.evaluate()]
    name = canonicalize_name(requirement.name)
    pins = [pin for pin in here if canonicalize_name(pin.name) == name]
    assert len(pins) == 1, f"{name} is not in the lock: make lock"
    version = str(pins[0].specifier).removeprefix("==")
    assert requirement.specifier.contains(version), f"{name} {version} is too old: make lock"


@pytest.mark.network
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_lock_resolves_to_wheels(lock: Path, platform: str, python: str, tmp_path: Path) -> None:
    fetch(
        *(BIN / "uv", "pip", "install", "--dry-run", "--require-hashes", "--only-binary", ":all:"),
        *("--python-platform", platform, "--python-version", python),
        *("--target", tmp_path / "nothing", "--requirement", lock),
    )


@pytest.mark.network
def test_lock_is_what_make_lock_writes(tmp_path: Path) -> None:
    # In a copy, so that a stale lock is a failure and not mended in silence.
    lock = tmp_path / ".ci" / "requirements.txt"
    lock.parent.mkdir()
    shutil.copy(LOCK, lock)
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, tmp_path)
    installed = tmp_path / ".venv" / ".installed"
    installed.parent.mkdir()
    installed.touch()
    fetch("make", "--directory", tmp_path, "lock", f"BIN={BIN}")
    assert lock.read_text() == LOCK.read_text(), "pyproject.toml has changed: make lock"


def test_python_of_this_run_is_one_that_the_lock_resolves_for() -> None:
    assert default_environment()["python_version"] in PYTHONS
