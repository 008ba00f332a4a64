"""Models of readers, updater processes that tests start, kill and pause, and what they publish."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

import numpy as np
import pytest
import redis

from service.deltas import Delta
from service.keys import delta_keys
from service.settings import Settings
from tests.serving import COMMAND
from tests.support import ROOT, wait_until


def train_readers(
    papers: Path, interactions: Sequence[Path], output: Path, *options: str | Path
) -> "subprocess.CompletedProcess[str]":
    """`related-papers train` on papers and readers' events."""
    command: list[str | Path] = [COMMAND, "train", "--papers", papers, "--output", output]
    command += ["--interactions", *interactions, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


class UpdaterProcess:
    """`service.updater`, as the supervisor starts it; killed when the block ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.updater"], cwd=ROOT, stdin=subprocess.PIPE
        )
        assert self._process.stdin is not None
        self._process.stdin.write(self._settings.model_dump_json().encode() + b"\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """End it with no chance to do anything more."""
        self._process.kill()
        with suppress(BrokenPipeError):
            self._process.communicate()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> int:
        """Let it finish, as a supervisor that goes away does; its exit code."""
        self._process.communicate()
        return self._process.returncode


def deltas(url: str, version: str) -> dict[int, Delta]:
    """What was published of a model."""
    with redis.Redis.from_url(url) as client:
        found = client.hgetall(delta_keys(version).items)
    return {int(row): Delta.unpack(packed) for row, packed in found.items()}


def assert_equal(found: dict[int, Delta], expected: dict[int, Delta]) -> None:
    """Within what one computation may differ from another."""
    assert found.keys() == expected.keys()
    for row, delta in found.items():
        other = expected[row]
        np.testing.assert_allclose(delta.item_factors, other.item_factors, atol=1e-4)
        np.testing.assert_allclose(delta.smoothed_text, other.smoothed_text, atol=1e-4)
        assert abs(delta.readers - other.readers) < 1e-4
        ours, theirs = (
            dict(zip(each.co_read.tolist(), each.similarities.tolist(), strict=True))
            for each in (delta, other)
        )
        assert ours == pytest.approx(theirs, rel=0, abs=1e-4), f"co-read with {row}"


def published(url: str, version: str) -> int:
    """How many publications were made."""
    with redis.Redis.from_url(url) as client:
        return int(client.hget(delta_keys(version).status, "version") or 0)


def wait_for_publication(url: str, version: str, after: int) -> None:
    wait_until(lambda: published(url, version) > after, "an updater publishes")


def holder(url: str, version: str) -> bytes | None:
    """Who publishes."""
    with redis.Redis.from_url(url) as client:
        found: bytes | None = client.get(delta_keys(version).publisher)
        return found
