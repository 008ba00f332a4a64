"""Libraries as matrices: what is wanted, how much, and what a draw leaves."""

import numpy as np
import scipy.sparse as sp

from models.libraries import hold_out, library_sizes, wanted, wanted_count
from models.readers import co_readers
from models.smoothing import spread_text

LIBRARIES = sp.csr_matrix(
    np.array([[1, 0.5, 0, -1], [0, 0.2, 0, 0], [0, 0, 0, -1], [1, 1, 1, 1]], np.float32)
)


def test_what_is_not_wanted_is_not_counted() -> None:
    assert wanted(LIBRARIES).nnz == 7
    np.testing.assert_allclose(wanted_count(LIBRARIES), [2, 1.7, 1, 1], rtol=1e-6)
    np.testing.assert_allclose(library_sizes(LIBRARIES), [1.5, 1, 1, 4], rtol=1e-6)
    assert not co_readers(LIBRARIES)[3, 2]


def test_a_draw_leaves_what_it_does_not_take_and_all_that_is_unwanted() -> None:
    left, out = hold_out(LIBRARIES, np.array([1, 1, 1, 2]), np.random.default_rng(0))
    assert np.diff(out.indptr).tolist() == [1, 1, 0, 2]
    assert (out.data > 0).all()
    assert (left + out).toarray().tolist() == LIBRARIES.toarray().tolist()


def test_text_is_spread_as_the_dense_definition_says() -> None:
    latent = np.eye(4, dtype=np.float32)
    linked = sp.csr_matrix(
        np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 0], [0] * 4], np.float32)
    )
    liked = wanted(LIBRARIES).toarray()
    common = liked.T @ (liked / library_sizes(LIBRARIES)[:, None])
    np.fill_diagonal(common, 0)
    graph = linked.toarray() + common + np.eye(4)
    expected = graph / np.sqrt([2, 3, 2, 1])
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(spread_text(latent, linked, LIBRARIES), expected, atol=1e-6)
