"""The promise to clients: linted, never broken, and its committed stubs are up to date."""

import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROTOS = ROOT / "protos"
BUF = Path(sys.executable).with_name("buf")


def buf(*arguments: str, protos: Path = PROTOS) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BUF, *arguments], cwd=protos, capture_output=True, text=True, check=False
    )


@pytest.fixture
def changed(tmp_path: Path) -> Path:
    """A copy of the protos that a test may change."""
    for source in [PROTOS / "buf.yaml", *PROTOS.glob("relatedpapers/v1/*.proto")]:
        copy = tmp_path / source.relative_to(PROTOS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(source.read_bytes())
    return tmp_path


def replace(protos: Path, file: str, old: str, new: str) -> None:
    path = protos / "relatedpapers" / "v1" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_protos_pass_the_linter() -> None:
    result = buf("lint")
    assert result.returncode == 0, result.stdout


def test_linter_wants_a_comment_on_every_field(changed: Path) -> None:
    replace(changed, "paper.proto", "string id = 1;", "string id = 1;\n\n  string doi = 10;")
    assert 'Field "doi" should have a non-empty comment' in buf("lint", protos=changed).stdout


def test_no_change_breaks_the_baseline() -> None:
    result = buf("breaking", "--against", "baseline.binpb")
    assert result.returncode == 0, result.stdout


def test_an_added_field_passes_and_a_renamed_one_breaks(changed: Path) -> None:
    baseline = str(PROTOS / "baseline.binpb")
    replace(
        changed, "paper.proto", "string id = 1;", "string id = 1;\n\n  // New.\n  string doi = 10;"
    )
    assert buf("breaking", "--against", baseline, protos=changed).returncode == 0
    replace(changed, "paper.proto", "string venue = 5;", "string journal = 5;")
    assert (
        'from "venue" to "journal"' in buf("breaking", "--against", baseline, protos=changed).stdout
    )


def test_request_fields_say_whether_they_are_required() -> None:
    for path in PROTOS.glob("relatedpapers/v1/*_service.proto"):
        message, comment = "", ""
        for line in path.read_text().splitlines():
            words = line.split()
            if line.startswith("message "):
                message = words[1]
            elif line.startswith("  //"):
                comment = comment or line.removeprefix("  //").strip()
            elif line.endswith(";") and line.startswith("  ") and message.endswith("Request"):
                assert comment.startswith(("Required.", "Optional.")), (
                    f"{path.name}: {line.strip()}"
                )
                comment = ""
            else:
                comment = ""


def test_committed_stubs_are_what_the_protos_generate(tmp_path: Path) -> None:
    specification = util.spec_from_file_location("generate", PROTOS / "generate.py")
    assert specification is not None
    assert specification.loader is not None
    generate = util.module_from_spec(specification)
    specification.loader.exec_module(generate)
    generate.generate(tmp_path)
    fresh, committed = (
        {
            path.name: path.read_bytes()
            for pattern in ("*_pb2*", "*.binpb")
            for path in folder.glob(f"relatedpapers/v1/{pattern}")
        }
        for folder in (tmp_path, PROTOS)
    )
    assert fresh.keys() == committed.keys()
    assert fresh == committed, "run `python protos/generate.py` and commit the stubs"
