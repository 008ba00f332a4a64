"""Shared nearest neighbours, worked out by hand, and for papers that nobody has linked yet."""

import numpy as np
import pytest
import scipy.sparse as sp

from models.drafts import Draft
from models.features import nearest
from models.shared_neighbors import BY, ITSELF, shared_neighbors
from models.signals import DenseSignal, SparseRow, SparseSignal
from tests.models.corpora import Paper, corpus_of, features_of, two_fields


def lists(*rows: dict[int, float]) -> sp.csr_matrix:
    """papers x papers: the share of each paper in each list."""
    return sp.csr_matrix(
        [[row.get(paper, 0.0) for paper in range(len(rows))] for row in rows], dtype=np.float32
    )


def test_papers_of_the_same_company_are_alike() -> None:
    """0 and 1 list the same two papers, 2 lists one of these, 3 lists nobody."""
    near = lists({2: 0.5, 3: 0.5}, {2: 0.5, 3: 0.5}, {3: 1.0}, {})
    rows = shared_neighbors([near]).toarray()
    alike = rows @ rows.T
    length = 0.5 + ITSELF**2
    assert alike[0, 1] == pytest.approx(0.5 / length)
    assert alike[0, 2] == pytest.approx((0.5 * ITSELF + 0.5) / np.sqrt(length * (1 + ITSELF**2)))
    assert alike[0, 3] == pytest.approx(0.5 / np.sqrt(length))
    np.testing.assert_allclose(np.diag(alike), 1, rtol=1e-6)


def test_the_lists_of_all_signals_count() -> None:
    """What one list says of 0 and 1 alone, the other says of 0 and 2."""
    by_text, by_links = lists({3: 1.0}, {3: 1.0}, {}, {}), lists({1: 1.0}, {}, {1: 1.0}, {})
    rows = shared_neighbors([by_text, by_links]).toarray()
    alike = rows @ rows.T
    assert alike[0, 1] > 0.5
    assert alike[0, 2] > 0.5


def test_the_nearest_are_linked_papers_each_by_its_share() -> None:
    vectors = np.array([[4, 0], [2, 0], [1, 0], [8, 0], [0, 5]], np.float32)
    linked = sp.csr_matrix([[0, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0], [0] * 5, [0] * 5])
    found = nearest(DenseSignal(vectors), linked, 2, 1).toarray()
    fifteenths = [
        [0, 10, 5, 0, 0],
        [12, 0, 3, 0, 0],
        [10, 5, 0, 0, 0],
        [10, 5, 0, 0, 0],  # it may ask, but is in no list: nothing links it yet
        [0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(found, np.array(fifteenths) / 15, rtol=1e-6)


def unlinked() -> Paper:
    return {
        "id": "new",
        "title": "Planar matching graphs",
        "abstract": "clique edge path path flow cycle tree",
        "year": 2014,
    }


def test_a_draft_has_the_neighbours_of_the_indexed_paper() -> None:
    features = features_of(corpus_of([*two_fields(), unlinked()]))
    row = len(features.papers) - 1
    paper = Draft(title=unlinked()["title"], abstract=unlinked()["abstract"])
    drafted = features.encoder.encode(paper, features.signals, paper=row)["shared_neighbors"]
    indexed = features.signals["shared_neighbors"].row(row)
    assert isinstance(drafted, SparseRow)
    assert isinstance(indexed, SparseRow)
    # No column stands for a draft itself.
    assert drafted.columns.tolist() == [each for each in indexed.columns.tolist() if each != row]
    np.testing.assert_allclose(
        drafted.values, indexed.values[indexed.columns != row], rtol=1e-4, atol=1e-6
    )


def test_an_unlinked_paper_is_near_nobody() -> None:
    features = features_of(corpus_of([*two_fields(), unlinked()]))
    signal = features.signals["shared_neighbors"]
    assert isinstance(signal, SparseSignal)
    row = signal.papers - 1
    assert signal.transposed[row].indices.tolist() == [row]


def test_papers_without_text_have_no_such_lists() -> None:
    papers = [{"id": each["id"], "references": each["references"]} for each in two_fields()]
    assert not {*BY, "shared_neighbors"} & set(features_of(corpus_of(papers)).signals)
