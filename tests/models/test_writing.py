"""Nothing is lost or half-written: killed writers, full disks, equal versions, determinism."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

from models.artifact import Artifact, versions
from models.manifest import CURRENT, MANIFEST, ArtifactError
from models.writer import publishing
from tests.models.conftest import Run
from tests.models.corpora import corpus_of, train_on, two_fields
from tests.serving import COMMAND
from tests.support import ROOT, wait_until


@pytest.fixture
def served(model: Path, tmp_path: Path) -> Path:
    """A model folder that serves a version, to train into."""
    return Path(shutil.copytree(model, tmp_path / "served"))


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def unfinished(folder: Path) -> list[str]:
    """Whatever is neither a version nor CURRENT."""
    known = {CURRENT, *versions(folder)}
    return [path.name for path in folder.iterdir() if path.name not in known]


def test_training_again_gives_the_same_version_bit_by_bit(served: Path) -> None:
    (version,) = versions(served)
    before = contents(served / version)
    train_on(corpus_of(two_fields()), served, threads=1)
    assert versions(served) == [version]
    assert contents(served / version) == before
    assert unfinished(served) == []


def test_the_result_depends_neither_on_threads_nor_on_the_process(
    model: Path, papers_file: Path, run: Run, tmp_path: Path
) -> None:
    result = run("train", "--papers", papers_file, "--output", tmp_path, "--threads", 1)
    assert result.returncode == 0, result.stderr
    assert versions(tmp_path) == versions(model)
    (version,) = versions(model)
    assert contents(tmp_path / version) == contents(model / version)


def test_the_sample_is_trained_to_the_same_bits_at_any_number_of_threads(
    sample: Path, run: Run, tmp_path: Path
) -> None:
    folder = ROOT / "models" / "sample"
    files = ["--papers", folder / "papers.jsonl"]
    files += ["--interactions", folder / "interactions.jsonl"]
    result = run("train", *files, "--output", tmp_path, "--threads", 3)
    assert result.returncode == 0, result.stderr
    assert versions(tmp_path) == versions(sample)
    (version,) = versions(sample)
    assert contents(tmp_path / version) == contents(sample / version)


def test_another_seed_or_corpus_is_another_version_beside_the_first(served: Path) -> None:
    (first,) = versions(served)
    corpus = corpus_of(two_fields()[:40])
    train_on(corpus, served)
    second = Artifact.open(served).version
    train_on(corpus, served, seed=1)
    third = Artifact.open(served).version
    assert versions(served) == sorted({first, second, third})
    assert len(versions(served)) == 3
    Artifact.open(served / first)


def test_a_damaged_version_is_replaced_when_it_is_trained_again(served: Path) -> None:
    (version,) = versions(served)
    before = contents(served / version)
    (served / version / "idf.npy").write_bytes(b"damaged")
    (served / version / MANIFEST).unlink()
    train_on(corpus_of(two_fields()), served)
    assert contents(served / version) == before
    assert unfinished(served) == []


def test_a_writer_that_fails_leaves_nothing(served: Path) -> None:
    def fail_while_writing() -> None:
        with publishing(served) as writer:
            writer.array("half", np.zeros(9))
            raise RuntimeError

    before = contents(next(served / each for each in versions(served)))
    with pytest.raises(RuntimeError):
        fail_while_writing()
    assert unfinished(served) == []
    assert contents(Artifact.open(served).folder) == before


# An iterator over a folder that the interrupt cuts short says that nobody closed it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_step_of_the_beginning_leaves_nothing(tmp_path: Path) -> None:
    with publishing(tmp_path):
        pass  # what a process does once is done, so the beginnings that follow have equal steps
    for step in count():
        output = tmp_path / str(step)
        output.mkdir()
        if not interrupted_at(step, output):
            break
        assert list(output.iterdir()) == []
    assert step > 100


def interrupted_at(step: int, output: Path) -> bool:
    """Whether there is such a step before the body of `publishing`; if so, it is interrupted.

    Python runs the handlers of signals where a function begins and after a call, so these, and
    what lies before a call, are the steps.
    """
    left = step

    def interrupt(_: FrameType, event: str, __: object) -> None:
        nonlocal left
        left -= event in {"call", "c_call", "c_return"}
        if left < 0:
            sys.setprofile(None)
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        sys.setprofile(interrupt)
        with publishing(output):
            sys.setprofile(None)
    return left < 0


def test_two_writers_leave_each_other_alone(tmp_path: Path) -> None:
    with publishing(tmp_path) as one, publishing(tmp_path) as other:
        one.array("mine", np.zeros(1))
        other.array("mine", np.ones(1))
        assert np.load(one.folder / "mine.npy").tolist() == [0]
        assert np.load(other.folder / "mine.npy").tolist() == [1]


def start_training(papers: Path, output: Path) -> subprocess.Popen[bytes]:
    command: list[str | Path] = [COMMAND, "train", "--papers", papers, "--output", output]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)


def test_a_killed_training_leaves_the_old_version_and_the_next_one_cleans_up(
    served: Path, papers_file: Path
) -> None:
    (version,) = versions(served)
    before = contents(served / version)
    with start_training(papers_file, served) as process:
        wait_until(lambda: list(served.glob(".writing-*")), "training begins")
        process.kill()
    assert process.returncode == -signal.SIGKILL
    assert len(unfinished(served)) == 1
    assert Artifact.open(served).version == version
    assert contents(served / version) == before

    train_on(corpus_of(two_fields()[:30]), served)
    assert unfinished(served) == []
    assert Artifact.open(served).version != version


def test_an_interrupted_training_leaves_nothing(served: Path, papers_file: Path) -> None:
    with start_training(papers_file, served) as process:
        wait_until(lambda: list(served.glob(".writing-*")), "training begins")
        process.send_signal(signal.SIGINT)
    assert process.returncode not in {0, 2}
    assert unfinished(served) == []
    Artifact.open(served)


def assert_refused(result: subprocess.CompletedProcess[str], served: Path) -> None:
    """Training failed with one sentence, and the old version serves."""
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert f"{served}: the artifact could not be written (" in result.stderr
    assert "the one before it is untouched" in result.stderr
    assert unfinished(served) == []
    Artifact.open(served)


def test_a_file_that_may_not_grow(served: Path, papers_file: Path) -> None:
    """A limit on the size of files fails a write as a full disk does, without one."""
    largest = max(path.stat().st_size for path in Artifact.open(served).folder.iterdir())
    limited = f'ulimit -f {largest // 2 // 512}; exec "$@"'
    command: list[str | Path] = ["/bin/sh", "-c", limited, "sh", COMMAND]
    command += ["train", "--papers", papers_file, "--output", served]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert_refused(result, served)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only a privileged user can mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk(small_disk: Path, papers_file: Path, run: Run) -> None:
    served = small_disk / "model"
    train_on(corpus_of(two_fields()[:9]), served)
    result = run("train", "--papers", papers_file, "--output", served)
    assert_refused(result, served)


def test_an_output_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("")
    for output in (tmp_path / "a-file", tmp_path / "a-file" / "model"):
        with pytest.raises(ArtifactError, match=r"can't be written \("):
            train_on(corpus_of(two_fields()[:9]), output)
