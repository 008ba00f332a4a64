"""The blend: the sum is the score, and every promise about its terms."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from models.blend import Blend, logistic

SIGNALS, PAPER_TERMS = ("text", "latent"), ("citations", "age", "rate")


def weights(size: int, least: float) -> st.SearchStrategy[NDArray[np.float32]]:
    numbers = st.floats(least, 4, width=32)
    return arrays(np.float32, size, elements=numbers)


blends = st.builds(
    Blend,
    st.floats(-8, 8, width=32),
    st.just(SIGNALS),
    weights(2, 0),
    weights(2, 0),
    st.just(PAPER_TERMS),
    weights(3, -4),
    weights(3, -4),
)
similarities = arrays(np.float32, (5, 2), elements=st.floats(-1, 1, width=32))
features = arrays(np.float32, (5, 3), elements=st.floats(0, 8, width=32))
of_seed = arrays(np.float32, 3, elements=st.floats(0, 8, width=32))
Array = NDArray[np.float32]


def vector(*values: float) -> Array:
    return np.array(values, np.float32)


@given(blends, similarities, features, of_seed)
def test_the_logit_is_bias_plus_the_sum_of_contributions(
    blend: Blend, similar: Array, papers: Array, seed: Array
) -> None:
    parts = blend.contributions(similar, papers, seed)
    assert parts.shape == (5, len(blend.term_names))
    assert parts.dtype == np.float32
    expected = blend.bias + parts.sum(axis=1, dtype=np.float64)
    # What float32 may round, by the size of what is summed
    rounding = 1e-6 * (1 + abs(blend.bias) + np.abs(parts).sum(axis=1, dtype=np.float64))
    assert np.all(np.abs(blend.logits(parts) - expected) <= rounding)


def test_a_computation_by_hand() -> None:
    blend = Blend(
        bias=-3.0,
        signals=("text",),
        paper_terms=("citations", "age"),
        paper=vector(0.5, -1),
        seed=vector(0.25, 0),
        log=vector(0),
        root=vector(2),
    )
    (parts,) = blend.contributions(vector(0.2499)[None], vector(4, 1)[None], vector(8, 9))
    # 2 (sqrt(.2499 + .0001) - sqrt(.0001)); .5 x 4; -1 x 1; .25 x 8
    assert dict(zip(blend.term_names, parts.tolist(), strict=True)) == pytest.approx(
        {"text": 0.98, "citations": 2.0, "age": -1.0, "seed": 2.0}
    )
    assert blend.logits(parts) == pytest.approx(0.98)
    assert blend.logits(parts, popularity=0.5) == pytest.approx(0.48)
    assert blend.logits(parts, popularity=0) == pytest.approx(-0.02, abs=1e-6)


def test_terms_are_named_and_told_apart() -> None:
    pairs, ones = vector(1, 1), vector(1, 1, 1)
    blend = Blend(0, SIGNALS, pairs, pairs, PAPER_TERMS, ones, ones)
    assert blend.term_names == (*SIGNALS, *PAPER_TERMS, "seed")
    assert blend.term_kinds == (*["pair"] * 2, *["popularity"] * 3, "seed")
    assert blend.term_is_popularity.tolist() == [False] * 2 + [True] * 3 + [False]


@given(blends, similarities, features, of_seed, st.integers(0, 1), st.floats(0, 1, width=32))
def test_more_similar_is_never_less_related(
    blend: Blend, similar: Array, papers: Array, seed: Array, signal: int, more: float
) -> None:
    closer = similar.copy()
    closer[:, signal] += np.float32(more)
    before = blend.contributions(similar, papers, seed)
    after = blend.contributions(closer, papers, seed)
    assert (after[:, signal] >= before[:, signal]).all()
    others = np.arange(before.shape[1]) != signal
    np.testing.assert_array_equal(after[:, others], before[:, others])


@given(blends, similarities, features, of_seed)
def test_no_similarity_contributes_nothing(
    blend: Blend, similar: Array, papers: Array, seed: Array
) -> None:
    parts = blend.contributions(np.minimum(similar, 0), papers, seed)
    assert not parts[:, : len(SIGNALS)].any()


@given(blends, similarities, features, of_seed, st.floats(0, 1, width=32))
def test_popularity_weighs_the_popularity_terms_alone(
    blend: Blend, similar: Array, papers: Array, seed: Array, weight: float
) -> None:
    parts = blend.contributions(similar, papers, seed)
    fame = parts[:, blend.term_is_popularity].sum(axis=1, dtype=np.float64)
    rest = blend.bias + parts[:, ~blend.term_is_popularity].sum(axis=1, dtype=np.float64)
    expected = rest + weight * fame
    np.testing.assert_allclose(blend.logits(parts, weight), expected, rtol=1e-5, atol=1e-4)


@given(blends, similarities, features, of_seed, st.floats(0.125, 2, width=32), weights(3, -2))
def test_calibration_is_folded_into_bias_and_contributions(
    blend: Blend, similar: Array, papers: Array, seed: Array, slope: float, shift: Array
) -> None:
    calibrated = blend.calibrated(slope, shift, -0.5)
    plain = blend.logits(blend.contributions(similar, papers, seed)).astype(np.float64)
    found = calibrated.logits(calibrated.contributions(similar, papers, seed))
    expected = slope * plain + seed @ shift - 0.5
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-3)


@given(blends)
def test_json_keeps_every_bit(blend: Blend) -> None:
    again = Blend.from_json(blend.to_json())
    assert again.to_json() == blend.to_json()
    assert again.term_names == blend.term_names
    np.testing.assert_array_equal(again.paper, blend.paper)


def test_the_logistic_function() -> None:
    logits = vector(0, np.log(3), -np.log(3), 200, -200, -np.inf)
    np.testing.assert_allclose(logistic(logits), [0.5, 0.75, 0.25, 1, 0, 0], atol=1e-7)


@given(arrays(np.float32, 6, elements=st.floats(-100, 100, width=32)))
def test_the_logistic_function_of_any_logits(logits: Array) -> None:
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(logistic(logits), expected, atol=1e-6)
