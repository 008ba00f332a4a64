"""Deltas of live readers: a pure function of artifact and libraries, against a dense reference."""

import random
from collections.abc import Mapping

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as some
from numpy.typing import NDArray

from models.artifact import Artifact
from models.citations import links
from models.collective import collective_users
from models.interactions import read_interactions
from models.live import CO_READ, ItemDeltas, LiveReaders
from models.readers import CONFIDENCE, REGULARIZATION, co_readers
from tests.models.corpora import corpus_of, train_on, two_fields, write_jsonl

PAPERS, TRAINED = 84, 10
Libraries = Mapping[str, Mapping[int, float]]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Trained on two fields and on readers t0 to t9, who have 5 papers each and hide one."""
    draw = random.Random(5)  # noqa: S311 - no secret
    ids = [paper["id"] for paper in two_fields()]
    lines = [
        {"user": f"t{reader}", "paper": paper, "type": kind}
        for reader in range(TRAINED)
        for paper, kind in zip(
            draw.sample(ids, 6), ["save", "save", "save", "read", "click", "hide"], strict=True
        )
    ]
    folder = tmp_path_factory.mktemp("live")
    corpus = corpus_of(two_fields())
    readers = read_interactions([write_jsonl(folder / "events.jsonl", lines)], corpus)
    return Artifact.open(train_on(corpus, folder / "model", readers, threads=1))


@pytest.fixture(scope="module")
def papers_alone(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Trained on the papers of the two fields."""
    return Artifact.open(train_on(corpus_of(two_fields()), tmp_path_factory.mktemp("alone")))


def some_libraries(seed: int) -> dict[str, dict[int, float]]:
    """Of live readers and of two whom training knew."""
    draw = random.Random(seed)  # noqa: S311
    weights = [1.0, 1.0, 0.5, 0.2, -1.0]
    return {
        name: {row: draw.choice(weights) for row in draw.sample(range(PAPERS), draw.randint(1, 9))}
        for name in ["t3", "t7", *(f"r{reader}" for reader in range(12))]
    }


def live_on(artifact: Artifact, libraries: Libraries) -> LiveReaders:
    live = LiveReaders(artifact)
    for reader, library in libraries.items():
        live.replace(reader, library)
    return live


def everything(live: LiveReaders) -> ItemDeltas:
    return live.deltas(np.arange(PAPERS, dtype=np.int32))


def assert_same(one: ItemDeltas, other: ItemDeltas, atol: float = 1e-6) -> None:
    np.testing.assert_array_equal(one.changed, other.changed)
    for name in ("item_factors", "smoothed_text", "readers"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), atol=atol)
    for (rows, cosines), (others, wanted) in zip(one.co_read, other.co_read, strict=True):
        assert rows.tolist() == others.tolist()
        np.testing.assert_allclose(cosines, wanted, atol=atol)


def solved(
    users: NDArray[np.float64], weights: NDArray[np.float64], gram: NDArray[np.float64]
) -> NDArray[np.float64]:
    c = np.where(weights != 0, np.maximum(1, CONFIDENCE * np.abs(weights)), 1)
    left = gram + users.T @ ((c - 1)[:, None] * users) + REGULARIZATION * np.eye(users.shape[1])
    return np.linalg.solve(left, users.T @ (c * (weights > 0)))


def dense(artifact: Artifact, libraries: Libraries) -> ItemDeltas:
    """The definition by dense matrices of everything, in double precision."""
    model, linked = artifact.reader_model, links(artifact.sparse("citations"))
    assert model is not None
    known = collective_users(artifact.libraries, linked, model.text).toarray().astype(np.float64)
    y = model.item_factors.astype(np.float64)
    x = np.array([solved(y, row, y.T @ y) for row in known])
    gone = [at for at in range(len(artifact.readers)) if artifact.readers[at] in libraries]
    live = np.zeros((len(libraries), PAPERS))
    for at, library in enumerate(libraries.values()):
        live[at, list(library)] = list(library.values())
    lost = (known[gone] != 0).any(axis=0)
    known[gone] = 0
    users = np.vstack([x, [solved(y, row, y.T @ y) for row in live]])
    weights = np.vstack([known, live])

    everyone = np.vstack([known[: len(artifact.readers)], live])
    liked = np.maximum(everyone, 0)
    common = liked.T @ (liked / np.maximum(liked.sum(axis=1), 1)[:, None])
    np.fill_diagonal(common, 0)
    around = linked.toarray() + np.eye(PAPERS)
    text = artifact.array("signals.latent") / np.sqrt(around.sum(axis=1))[:, None]
    smoothed = (around + common) @ text
    cosines = co_readers(sp.csr_matrix(everyone, dtype=np.float32)).toarray()
    cosines = cosines @ cosines.T
    np.fill_diagonal(cosines, 0)
    best = [
        np.lexsort((np.arange(PAPERS), -row))[: min(CO_READ, (row > 0).sum())] for row in cosines
    ]
    return ItemDeltas(
        changed=lost | (live != 0).any(axis=0),
        item_factors=np.array([solved(users, column, x.T @ x) for column in weights.T]),
        smoothed_text=smoothed / np.linalg.norm(smoothed, axis=1, keepdims=True),
        readers=liked.sum(axis=0),
        co_read=[
            (rows.astype(np.int32), row[rows]) for rows, row in zip(best, cosines, strict=True)
        ],
    )


@pytest.mark.parametrize("seed", range(3))
def test_deltas_are_those_of_the_dense_reference(artifact: Artifact, seed: int) -> None:
    libraries = some_libraries(seed)
    found, wanted = everything(live_on(artifact, libraries)), dense(artifact, libraries)
    np.testing.assert_array_equal(found.changed, wanted.changed)
    for name in ("item_factors", "smoothed_text", "readers"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), atol=1e-4)
    for (rows, cosines), (others, expected) in zip(found.co_read, wanted.co_read, strict=True):
        assert set(rows.tolist()) == set(others.tolist())  # equal cosines may change places
        np.testing.assert_allclose(cosines, expected, atol=1e-4)


def test_papers_alone_learn_from_readers(papers_alone: Artifact) -> None:
    libraries = some_libraries(4)
    found, wanted = everything(live_on(papers_alone, libraries)), dense(papers_alone, libraries)
    np.testing.assert_allclose(found.item_factors, wanted.item_factors, atol=1e-4)
    np.testing.assert_allclose(found.smoothed_text, wanted.smoothed_text, atol=1e-4)


CHANGES = some.lists(
    some.tuples(
        some.sampled_from(["t1", "t2", "a", "b", "c"]),
        some.dictionaries(some.integers(0, 11), some.sampled_from([1.0, 0.2, -1.0]), max_size=6),
    ),
    max_size=12,
)
"""Readers, and the libraries that they have from then on."""


@settings(max_examples=25, deadline=None)
@given(CHANGES)
def test_only_the_present_libraries_count(
    artifact: Artifact, changes: list[tuple[str, dict[int, float]]]
) -> None:
    live = live_on(artifact, {})
    for reader, library in changes:
        live.replace(reader, library)
    present = dict(changes)
    again = live_on(artifact, dict(sorted(present.items(), reverse=True)))
    assert_same(everything(live), everything(again))


@settings(max_examples=25, deadline=None)
@given(CHANGES)
def test_what_was_computed_between_changes_is_right_when_all_is_settled(
    artifact: Artifact, changes: list[tuple[str, dict[int, float]]]
) -> None:
    live = live_on(artifact, {})
    known = everything(live)
    for reader, library in changes:
        live.replace(reader, library)
        take_over(known, live, live.touched())
    take_over(known, live, live.indirect())
    present = everything(live)
    take_over(
        known, live, np.flatnonzero(~present.changed).astype(np.int32)
    )  # the artifact's rows hold
    assert_same(known, present)


def take_over(known: ItemDeltas, live: LiveReaders, rows: NDArray[np.int32]) -> None:
    found = live.deltas(rows)
    for name in ("changed", "item_factors", "smoothed_text", "readers"):
        getattr(known, name)[rows] = getattr(found, name)
    for row, co_read in zip(rows.tolist(), found.co_read, strict=True):
        known.co_read[row] = co_read


def test_without_live_readers_all_is_as_it_was_trained(artifact: Artifact) -> None:
    model, found = artifact.reader_model, everything(LiveReaders(artifact))
    assert model is not None
    assert not found.changed.any()
    np.testing.assert_allclose(found.smoothed_text, model.smoothed_text, atol=1e-5)
    np.testing.assert_allclose(np.log1p(found.readers), model.saves, atol=1e-6)
    # One more half-step of the same alternation: nearly where training stopped.
    trained, again = model.item_factors, found.item_factors
    assert np.linalg.norm(again - trained) < 0.2 * np.linalg.norm(trained)


def test_what_changed_is_told(artifact: Artifact) -> None:
    libraries = some_libraries(6)
    live = live_on(artifact, libraries)
    live.touched(), live.indirect()
    before = everything(live)
    live.replace("r1", {2: 1.0, 3: 0.5})
    live.replace("t0", {5: 1.0})
    after = everything(live)
    direct, indirect = set(live.touched().tolist()), set(live.indirect().tolist())
    at = artifact.libraries.indptr
    assert direct == {
        2,
        3,
        5,
        *libraries["r1"],
        *artifact.libraries.indices[at[0] : at[1]].tolist(),
    }
    for row in set(range(PAPERS)) - direct:
        np.testing.assert_array_equal(before.item_factors[row], after.item_factors[row])
        np.testing.assert_array_equal(before.smoothed_text[row], after.smoothed_text[row])
        if after.changed[row] and row not in indirect:
            assert before.co_read[row][0].tolist() == after.co_read[row][0].tolist()
            np.testing.assert_array_equal(before.co_read[row][1], after.co_read[row][1])
    assert len(live.touched()) == len(live.indirect()) == 0


def test_deleted_readers_were_never_known(artifact: Artifact) -> None:
    without = LiveReaders(artifact, lambda reader: reader == "t4")
    at = artifact.libraries.indptr
    lost = artifact.libraries.indices[at[4] : at[5]]
    assert without.touched().tolist() == sorted(lost.tolist())
    assert_same(everything(without), everything(live_on(artifact, {"t4": {}})))
    assert everything(without).changed.nonzero()[0].tolist() == sorted(lost.tolist())


def test_a_pair_that_readers_begin_to_read_together_rises(papers_alone: Artifact) -> None:
    one, other = 3, 80  # of different fields
    live = live_on(papers_alone, {f"r{reader}": {one: 1.0, other: 1.0} for reader in range(5)})
    found = live.deltas(np.array([one, other], np.int32))
    assert [each[0].tolist() for each in found.co_read] == [[other], [one]]
    assert found.readers.tolist() == [5, 5]
    model = papers_alone.reader_model
    assert model is not None
    for vectors, before in (
        (found.item_factors, model.item_factors),
        (found.smoothed_text, model.smoothed_text),
    ):
        assert vectors[0] @ vectors[1] > before[one] @ before[other]
