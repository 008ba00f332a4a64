"""Where the map puts papers and labels."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.artifact import Artifact
from service.web.explorer import labels
from service.web.explorer.neighborhood import (
    FONT,
    LABEL,
    LABEL_LINES,
    LINE,
    RELATED_EACH,
    TOGETHER_EACH,
    WIDE,
    Neighborhood,
    co_citations,
    list_places,
    neighborhood,
)
from service.web.explorer.stress import stress, stress_layout
from tests.support import ROOT

RELATED = 30


def distances(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(positions[:, None] - positions[None], axis=2))


def test_layout_finds_positions_that_have_all_distances_again() -> None:
    wished = distances(np.random.default_rng(3).normal(size=(12, 2)))
    found = stress_layout(wished, np.ones_like(wished))
    assert np.allclose(distances(found), wished, atol=1e-3)


def test_layout_has_less_stress_than_any_of_many_drawn_ones() -> None:
    random = np.random.default_rng(4)
    wished = random.uniform(0.3, 1.0, (31, 31))
    wished = (wished + wished.T) / 2
    np.fill_diagonal(wished, 0)
    importance = np.ones_like(wished)
    ours = stress(stress_layout(wished, importance), wished, importance)
    others = [stress(random.normal(scale=0.4, size=(31, 2)), wished, importance) for _ in range(99)]
    assert ours < min(others)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_layout_of_few_things(count: int) -> None:
    wished = np.ones((count, count)) - np.eye(count)
    found = stress_layout(wished, np.ones_like(wished))
    assert found.shape == (count, 2)
    assert np.allclose(distances(found), wished, atol=1e-3)


def test_layout_of_things_that_are_all_alike_has_no_two_in_one_place() -> None:
    wished = np.full((31, 31), 1.0) - np.eye(31)
    apart = distances(stress_layout(wished, np.ones_like(wished))) + np.eye(31)
    assert apart.min() > 0.05


@given(st.text(max_size=300))
def test_label_is_no_wider_and_no_longer_than_allowed(text: str) -> None:
    found = labels.lines(text, FONT, LABEL, LABEL_LINES)
    assert len(found) <= LABEL_LINES
    assert all(labels.width(line, FONT) <= LABEL for line in found)
    shown = " ".join(found)
    whole = " ".join(text.split())
    assert shown == whole or shown.endswith(labels.ELLIPSIS)


def test_label_is_cut_between_words() -> None:
    found = labels.lines("Neural machine translation of rare words with subword units", 14, 156, 2)
    assert found == ["Neural machine", "translation of rare…"]


boxes = st.integers(1, 31).flatmap(
    lambda count: st.tuples(
        arrays(np.float64, (count, 2), elements=st.floats(-50, 1_050)),
        arrays(np.float64, (count, 2), elements=st.floats(1, 160)),
    )
)


@given(boxes)
def test_boxes_are_parted_wherever_they_began(
    drawn: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> None:
    centres, sizes = drawn
    found = labels.separated(centres, sizes, 1_000, 10)
    for one, other in itertools.combinations(range(len(found)), 2):
        between = np.abs(found[one] - found[other])
        assert (between >= (sizes[one] + sizes[other]) / 2 + 10 - 1e-5).any()
    assert (found[:, 0] - sizes[:, 0] / 2 >= -1e-6).all()
    assert (found[:, 0] + sizes[:, 0] / 2 <= 1_000 + 1e-6).all()


@pytest.fixture(scope="module")
def artifact(sample_model: Path) -> Artifact:
    return Artifact.open(sample_model)


def drawn(artifact: Artifact, row: int) -> tuple[list[int], Neighborhood]:
    rows = [row, *artifact.scorer.stored(row).rows[:RELATED].tolist()]
    titles = [artifact.papers.record(each).title for each in rows]
    citations = artifact.papers.citation_count[rows].tolist()
    return rows, neighborhood(artifact.scorer, rows, titles, citations)


Box = tuple[float, float, float, float]


def labels_and_circles(drawing: Neighborhood) -> list[Box]:
    """The label and the circle of each node as one box: left, top, right, bottom."""
    found = []
    for node in drawing.nodes:
        half = max([node.radius, *(labels.width(line, FONT) / 2 for line in node.lines)])
        bottom = node.y + node.radius + 4 + LINE * len(node.lines)
        found.append((node.x - half, node.y - node.radius, node.x + half, bottom))
    return found


def overlaps(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_no_label_of_thirty_covers_another_or_leaves_the_drawing(artifact: Artifact) -> None:
    for row in range(0, len(artifact.papers), 8):
        rows, drawing = drawn(artifact, row)
        assert len(drawing.nodes) == len(rows) == RELATED + 1
        found = labels_and_circles(drawing)
        pairs = itertools.combinations(range(len(found)), 2)
        covered = [pair for pair in pairs if overlaps(found[pair[0]], found[pair[1]])]
        assert not covered, [drawing.nodes[at].lines for pair in covered for at in pair]
        assert all(left >= 0 and right <= WIDE for left, _, right, _ in found)
        assert all(top >= 0 and bottom <= drawing.height for _, top, _, bottom in found)
        assert drawing.height < 1_000  # one window, not a scroll


def test_equal_arguments_give_equal_drawings(artifact: Artifact) -> None:
    assert drawn(artifact, 5) == drawn(artifact, 5)


def citing() -> dict[str, set[str]]:
    """The papers that cite each one, straight from the corpus file."""
    found: dict[str, set[str]] = {}
    for line in (ROOT / "models/sample/papers.jsonl").read_text(encoding="utf-8").splitlines():
        paper = json.loads(line)
        for reference in paper["references"]:
            found.setdefault(reference, set()).add(paper["id"])
    return found


def test_counts_of_papers_that_cite_both_are_those_of_the_corpus(artifact: Artifact) -> None:
    rows, drawing = drawn(artifact, 2)
    by = citing()
    ids = [artifact.papers.id(row) for row in rows]
    counts = co_citations(artifact.scorer, rows)
    for one, other in itertools.product(range(len(ids)), repeat=2):
        assert counts[one, other] == len(by.get(ids[one], set()) & by.get(ids[other], set()))
    assert drawing.most_together == max(edge.together for edge in drawing.edges) > 0
    for edge in drawing.edges:
        assert edge.together == counts[edge.one, edge.other]


def test_each_paper_brings_its_strongest_edges_and_its_nearest_ones(artifact: Artifact) -> None:
    rows, drawing = drawn(artifact, 2)
    joined = {(edge.one, edge.other) for edge in drawing.edges}
    assert len(joined) == len(drawing.edges)
    counts, places = co_citations(artifact.scorer, rows), list_places(artifact.scorer, rows)
    for at in range(len(rows)):
        others = [other for other in range(len(rows)) if other != at]
        cited = sorted((-counts[at, other], other) for other in others if counts[at, other])
        near = sorted((places[at, other], other) for other in others if places[at, other] < 100)
        wanted = [other for _, other in (*cited[:TOGETHER_EACH], *near[:RELATED_EACH])]
        assert all((min(at, other), max(at, other)) in joined for other in wanted)


def spread_of(drawing: Neighborhood) -> list[float]:
    middle = drawing.nodes[0]
    return [float(np.hypot(node.x - middle.x, node.y - middle.y)) for node in drawing.nodes[1:]]


def test_the_nearest_papers_are_nearest_to_the_middle(artifact: Artifact) -> None:
    near, far = [], []
    for row in range(0, len(artifact.papers), 16):
        apart = spread_of(drawn(artifact, row)[1])
        near.append(np.mean(apart[:10]))
        far.append(np.mean(apart[20:]))
    assert np.mean(near) < 0.8 * np.mean(far)


def test_links_without_direction_are_never_called_co_citations(
    artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = artifact.scorer
    monkeypatch.setitem(scorer.__dict__, "undirected", True)
    rows = [2, *scorer.stored(2).rows[:RELATED].tolist()]
    assert not co_citations(scorer, rows).any()
