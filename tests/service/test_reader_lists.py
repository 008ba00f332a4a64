"""Lists for readers against a slow reference, on the toy corpus and its readers."""

import gc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.artifact import Artifact
from models.readers import CONFIDENCE, REGULARIZATION, ReaderModel
from service import reader_lists, reader_scores
from service.feedback_state import History
from service.filters import EVERYTHING, Filter
from service.lists import Source
from service.live_items import CoRead, ItemState, LiveItems, LiveRows
from service.reader_lists import ReaderLists, Standing
from service.readers import KeptReader, Reader
from service.saved import Saved
from tests.service import toy
from tests.service.toy import rows

NOTHING: frozenset[int] = frozenset()


@pytest.fixture(scope="module")
def artifact(toy_reader_model: Path) -> Artifact:
    """The toy model, with weights at which every signal tells."""
    found = Artifact.open(toy_reader_model)
    assert found.reader_model is not None
    weights = np.array([0.3, 1.0, 0.8, 0.1], np.float32)
    found.reader_model = replace(found.reader_model, weights=weights)
    return found


@pytest.fixture(scope="module")
def model(artifact: Artifact) -> ReaderModel:
    assert artifact.reader_model is not None
    return artifact.reader_model


@pytest.fixture(scope="module")
def lists(artifact: Artifact) -> ReaderLists:
    return ReaderLists(artifact)


def state(model: ReaderModel, row: int, seed: int) -> ItemState:
    """A paper's state with other numbers than before."""
    draw = np.random.default_rng(seed)
    factors = draw.standard_normal(model.item_factors.shape[1:], np.float32)
    text = np.asarray(model.smoothed_text[row] * 0.5, np.float32)
    none = np.zeros(0, np.int32)
    return ItemState(factors, text, 77.0, CoRead(none, none.astype(np.float32)))


def reference(
    model: ReaderModel, live: LiveItems, library: dict[int, float]
) -> NDArray[np.float64]:
    """The score of every paper, all dense and in double precision."""
    factors, smoothed = (
        np.array(each.base, np.float64) for each in (live.factors, live.smoothed_text)
    )
    for dense, overlay in ((factors, live.factors), (smoothed, live.smoothed_text)):
        everyone = np.arange(len(dense), dtype=np.int32)
        dense[:] = overlay[everyone]
    weights = np.zeros(len(factors))
    weights[list(library)] = list(library.values())
    confidence = np.maximum(1, CONFIDENCE * np.abs(weights))
    left = (factors.T * confidence) @ factors + REGULARIZATION * np.eye(factors.shape[1])
    vector = np.linalg.solve(left, factors.T @ (confidence * (weights > 0)))
    profile = np.where(weights < 0, 0.2 * weights, weights)
    text = model.text.toarray().astype(np.float64)
    signals = [text @ (profile @ text), smoothed @ (profile @ smoothed), factors @ vector]
    standardised = [(each - each.mean()) / max(each.std(), 1e-9) for each in signals]
    return np.asarray(model.weights @ np.stack([*standardised, live.saves]))


@pytest.mark.parametrize("library", [{3: 1.0}, {3: 1.0, 5: 0.2, 20: -1.0}, {1: -1.0, 2: 0.5}])
@pytest.mark.parametrize("changed", [0, 9])
def test_scores_are_those_of_a_dense_reference(
    lists: ReaderLists, model: ReaderModel, library: dict[int, float], changed: int
) -> None:
    live = LiveItems.over(model)
    live = live.changed(4, {row: state(model, row, row) for row in range(2, 2 + changed)})
    expected = reference(model, live, library)
    standing = lists.scanned(library, live)
    scores = standing.taste.bias + standing.contributions.sum(axis=1, dtype=np.float64)
    assert scores == pytest.approx(expected[standing.rows], abs=1e-4)
    assert sorted([*standing.rows.tolist(), *library]) == list(range(len(expected)))
    assert np.all(np.diff(scores) <= 1e-6)
    # And a standing that goes on from another library is the same
    before = lists.scanned({3: 1.0}, LiveItems.over(model))
    later = lists.refreshed(library, live, before)
    assert later is not None
    page, other = (lists.page(each, EVERYTHING, NOTHING, 30) for each in (standing, later))
    assert page is not None
    assert other is not None
    assert page.rows == other.rows
    assert np.array(page.contributions) == pytest.approx(np.array(other.contributions), abs=1e-4)


def test_sums_that_follow_a_large_library_are_those_of_all_its_papers(
    lists: ReaderLists, model: ReaderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_scores, "MANY", 1)
    draw = np.random.default_rng(0)
    live = LiveItems.over(model)
    library = dict.fromkeys(range(30), 1.0)
    standing = lists.scanned(library, live)
    followed = 0
    for version in range(1, 40):
        row = int(draw.integers(0, 40))
        if row in library and version % 3:
            library = {each: weight for each, weight in library.items() if each != row}
        else:
            library = {**library, row: float(draw.choice([1.0, 0.2, -1.0]))}
        if version % 2:
            rows = draw.choice(40, 2, replace=False).tolist()
            live = live.changed(version, {each: state(model, each, version) for each in rows})
        later = lists.refreshed(library, live, standing)
        assert later is not None
        standing = later
        assert standing.taste.sums is not None
        followed += standing.taste.sums.moves > 0
        exact = lists.scanned(library, live)
        for name in ("factors", "smoothed_text", "scale"):
            found, expected = (getattr(each.taste, name) for each in (standing, exact))
            assert found == pytest.approx(expected, abs=1e-4)
        assert standing.works == exact.works
    assert 20 < followed < 39, "and now and then they are summed anew"


libraries = st.dictionaries(st.integers(0, 12), st.sampled_from([1.0, 0.2, -1.0, 1e-60]))


@given(libraries, libraries, st.lists(st.integers(0, 14), max_size=5, unique=True).map(sorted))
def test_what_changed_between_libraries(
    one: dict[int, float], other: dict[int, float], some: list[int]
) -> None:
    before, after = Saved.of(one), Saved.of(other)
    changed = {row for row in range(13) if one.get(row) != other.get(row)}
    found = after.since(before)
    assert sorted(found.rows.tolist()) == sorted(changed)
    for row, then, now in zip(*(each.tolist() for each in found), strict=True):
        assert then == np.float32(one.get(row, 0.0))
        assert now == np.float32(other.get(row, 0.0))
    rows = np.array(some, np.int32)
    assert before.holds(rows).tolist() == [row in one for row in some]


def test_replaced_rows_are_as_if_the_matrix_had_them(model: ReaderModel) -> None:
    draw = np.random.default_rng(0)
    dense = np.array(model.item_factors)
    live = first = LiveRows.over(model.item_factors)
    vector = draw.standard_normal(dense.shape[1:], np.float32)
    for _ in range(40):
        some = draw.choice(len(dense), 20, replace=False).astype(np.int32)
        values = draw.normal(size=(20, dense.shape[1])).astype(np.float32)
        dense[some] = values
        live = live.replaced(some, values)
    everyone = np.arange(len(dense), dtype=np.int32)
    assert np.array_equal(live[everyone], dense)
    assert live.products(vector) == pytest.approx(dense @ vector, abs=1e-4)
    assert live.gram == pytest.approx(dense.T @ dense, abs=1e-3)
    mean, deviation = live.mean_and_deviation(vector)
    assert (mean, deviation) == pytest.approx(((dense @ vector).mean(), (dense @ vector).std()))
    # A state that others went on from stays as it is, and another may go on from it
    assert np.array_equal(first[everyone], model.item_factors)
    branch = first.replaced(everyone[:3], dense[:3])
    assert np.array_equal(branch[everyone[:3]], dense[:3])
    assert np.array_equal(live[everyone], dense)


def test_a_state_that_is_taken_back_is_as_it_was_trained(model: ReaderModel) -> None:
    live = LiveItems.over(model)
    changed = live.changed(1, {row: state(model, row, row) for row in (4, 5)})
    again = changed.changed(2, {4: None})
    row = np.array([4, 5], np.int32)
    assert np.array_equal(again.factors[row[:1]], live.factors[row[:1]])
    assert np.array_equal(again.factors[row[1:]], changed.factors[row[1:]])
    assert again.saves[4] == live.saves[4]
    assert set(again.co_read) == {5}
    assert changed.saves[4] != live.saves[4], "the state before did not change"


def test_a_reader_gets_papers_of_the_subject(
    artifact: Artifact, lists: ReaderLists, model: ReaderModel
) -> None:
    library = dict.fromkeys(rows(artifact, "graph-05", "graph-07"), 1.0)
    page = lists.page(lists.scanned(library, LiveItems.over(model)), EVERYTHING, NOTHING, 10)
    assert page is not None
    assert page.source is Source.MODEL
    assert {toy.subject(artifact.papers.id(row)) for row in page.rows} == {"graph"}


def all_pages(
    lists: ReaderLists, standing: Standing, live: LiveItems, wanted: Filter, size: int
) -> tuple[list[int], list[int]]:
    """All rows of a list, and the sizes of its pages."""
    shown: list[int] = []
    sizes = []
    more = True
    while more:
        page = lists.page(standing, wanted, shown, size)
        page = page or lists.deep_page(standing, live, wanted, shown, size)
        shown += page.rows
        sizes.append(len(page.rows))
        more = page.more
    return shown, sizes


@pytest.mark.parametrize("pool", [5, 2_000])
@pytest.mark.parametrize(
    "wanted", [EVERYTHING, Filter(first_year=2004, last_year=2012, excluded=(4,))]
)
def test_pages_are_full_and_hold_every_work_once(
    artifact: Artifact,
    lists: ReaderLists,
    model: ReaderModel,
    wanted: Filter,
    pool: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a pool that holds every paper, or one that is far too small
    monkeypatch.setattr(reader_lists, "POOL", pool)
    library = {rows(artifact, "graph-05")[0]: 1.0, rows(artifact, "graph-06")[0]: -1.0}
    live = LiveItems.over(model)
    standing = lists.scanned(library, live)
    found, sizes = all_pages(lists, standing, live, wanted, 7)
    # Then both list the same: every work that passes, but those that the reader has or hid
    works, year = artifact.papers.work, artifact.papers.year
    passes = range(len(works))
    if wanted is not EVERYTHING:
        passes = [row for row in passes if 2004 <= year[row] <= 2012]  # type: ignore[assignment]
    named = {works[row] for row in (*library, *wanted.excluded)}
    assert sorted(works[row] for row in found) == sorted({works[row] for row in passes} - named)
    assert sizes[:-1] == [7] * (len(sizes) - 1)
    expected = reference(model, live, library)
    falling = [expected[row] for row in found]
    assert falling == pytest.approx(sorted(falling, reverse=True), abs=1e-4)


def test_a_list_ends_at_its_bound(
    lists: ReaderLists, model: ReaderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_lists, "MAX_SHOWN", 12)
    live = LiveItems.over(model)
    found, sizes = all_pages(lists, lists.scanned({3: 1.0}, live), live, EVERYTHING, 5)
    assert sizes == [5, 5, 2]
    assert len(set(found)) == 12


@pytest.mark.parametrize(("readers", "source"), [(1.0, Source.TEXT), (1.2, Source.MODEL)])
def test_a_reader_of_papers_that_nobody_else_has_gets_content(
    artifact: Artifact, lists: ReaderLists, model: ReaderModel, readers: float, source: Source
) -> None:
    # Given a paper without factors, which the reader has, and perhaps somebody clicked
    [row] = rows(artifact, "market-09")
    changed = state(model, row, 1)._replace(
        factors=np.zeros(model.item_factors.shape[1], np.float32),
        smoothed_text=model.smoothed_text[row],
        readers=readers,
    )
    live = LiveItems.over(model).changed(1, {row: changed})
    page = lists.page(lists.scanned({row: 1.0}, live), EVERYTHING, NOTHING, 8)
    assert page is not None
    assert page.source is source
    assert all(each[2] == 0 for each in page.contributions)
    assert {toy.subject(artifact.papers.id(each)) for each in page.rows} == {"market"}


def test_popular_papers_are_those_that_most_have(
    artifact: Artifact, lists: ReaderLists, model: ReaderModel
) -> None:
    hidden = int(np.argmax(model.saves))
    page = lists.popular_page({hidden: -1.0}, LiveItems.over(model), EVERYTHING, NOTHING, 10)
    saves = [float(model.saves[row]) for row in page.rows]
    assert saves == sorted(saves, reverse=True)
    assert page.source is Source.POPULAR
    assert hidden not in page.rows
    live = LiveItems.over(model).changed(1, {6: state(model, 6, 1)._replace(readers=1e6)})
    assert lists.popular_page({}, live, EVERYTHING, NOTHING, 1).rows == [6]
    none: LiveItems | None = None
    assert lists.popular_page({}, none, EVERYTHING, NOTHING, 3).more
    assert len(artifact.papers) > 3


def test_a_small_pool_is_scanned_again_after_a_third_of_the_library_changed(
    lists: ReaderLists, model: ReaderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_lists, "POOL", 5)
    live = LiveItems.over(model)
    library = dict.fromkeys(range(7), 1.0)
    before = lists.scanned(library, live)
    step = lists.refreshed({**library, 7: 1.0, 8: 1.0}, live, before)
    assert step is not None
    assert lists.refreshed({**library, 7: 1.0, 8: 1.0, 9: -1.0}, live, before) is None
    # Many small steps count from the last scan
    assert lists.refreshed({**library, 7: 1.0, 8: 1.0, 9: 1.0}, live, step) is None
    # And so do the changes of the papers
    some = {row: state(model, row, row) for row in range(10)}
    assert lists.refreshed(library, live.changed(1, some), before) is None


def test_a_reader_who_is_kept_holds_no_state_of_the_papers(
    lists: ReaderLists, model: ReaderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_scores, "MANY", 1)
    live = LiveItems.over(model).changed(1, {2: state(model, 2, 2)})
    library = {2: 1.0, 3: 1.0}
    standing = lists.scanned(library, live)
    events = np.array([2, 3], np.int32)
    kept = KeptReader.of(Reader(History("", []), events, {}, live, library, standing))
    assert kept.reader.standing is standing
    assert kept.live() is live
    del live
    gc.collect()
    assert kept.live() is None


def test_nothing_is_left_of_texts_that_went(
    lists: ReaderLists, artifact: Artifact, model: ReaderModel
) -> None:
    live, [silent] = LiveItems.over(model), rows(artifact, "lonely")
    assert model.text[silent].nnz == 0
    library = {silent: 1.0}
    standing = lists.scanned(library, live)
    for row in range(6):
        later = lists.refreshed({**library, row: 0.2}, live, standing)
        assert later is not None
        standing, library = later, {**library, row: 0.2}
    for row in range(6):
        library = {each: weight for each, weight in library.items() if each != row}
        standing = lists.refreshed(library, live, standing) or lists.scanned(library, live)
    assert not standing.contributions[:, 0].any()
