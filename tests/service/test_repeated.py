"""What is kept of lists that come again: for how long, and how much."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from models.event_types import EVENT_TYPES
from service.background import Background
from service.cache import AnswerCache
from service.catalog import Catalog
from service.readers import Readers
from service.repeated import KEPT_SECONDS, LONGEST_REQUEST, RepeatedLists


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def repeated(toy_model: Path, clock: Clock) -> Iterator[RepeatedLists]:
    yield from kept_in(1, toy_model, clock)


def kept_in(megabytes: int, model: Path, clock: Clock) -> Iterator[RepeatedLists]:
    catalog, background = Catalog(model), Background()
    readers = Readers(catalog.serving.artifact, None, None, None, EVENT_TYPES, background)
    yield RepeatedLists(catalog, readers, AnswerCache(None, local_megabytes=megabytes), clock)
    background.close()


def test_is_found_for_half_a_minute_at_least_and_a_minute_at_most(
    repeated: RepeatedLists, clock: Clock
) -> None:
    repeated.keep(b"request", 0, b"answer")
    assert repeated.find(b"request") == b"answer"
    assert repeated.find(b"another") is None
    clock.now = KEPT_SECONDS / 2
    assert repeated.find(b"request") == b"answer"
    clock.now = KEPT_SECONDS + 1
    assert repeated.find(b"request") is None


def test_nobody_asked_for_an_hour(repeated: RepeatedLists, clock: Clock) -> None:
    repeated.keep(b"request", 0, b"answer")
    clock.now = 3_600
    assert repeated.find(b"request") is None


def test_memory_is_bounded(repeated: RepeatedLists) -> None:
    answer = bytes(10_000)
    for number in range(1_000):  # ten times what is kept
        repeated.keep(b"%d" % number, 0, answer)
    kept = [number for number in range(1_000) if repeated.find(b"%d" % number)]
    assert 0 < len(kept) * len(answer) <= 1 << 20
    assert kept == list(range(kept[0], 1_000)), "the oldest go first"


def test_long_requests_are_not_kept(repeated: RepeatedLists) -> None:
    request = bytes(LONGEST_REQUEST + 1)
    repeated.keep(request, 0, b"answer")
    assert repeated.find(request) is None


def test_nothing_is_kept_without_memory(toy_model: Path, clock: Clock) -> None:
    for repeated in kept_in(0, toy_model, clock):
        repeated.keep(b"request", 0, b"answer")
        assert repeated.find(b"request") is None
