"""Calibration on lists whose true probabilities are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from models.calibration import DEPTH, Held, fit_calibration, reliability

QUERIES, PAPERS = 500, 600
SLOPE, INTERCEPT = 1.6, -1.0
SEED = np.array([0.8, -0.5], np.float32)


@pytest.fixture(scope="module")
def features() -> NDArray[np.float32]:
    return np.random.default_rng(1).normal(size=(PAPERS, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def held(features: NDArray[np.float32]) -> Held:
    """Lists of a blend whose logit is wrong by a known slope, intercept and share of the query.

    Each tenth list has half as many papers.
    """
    random = np.random.default_rng(2)
    queries = np.sort(random.choice(PAPERS, QUERIES, replace=False))
    rows = np.argsort(random.random((QUERIES, PAPERS)), axis=1)[:, :DEPTH].astype(np.int32)
    rows[::10, DEPTH // 2 :] = -1
    logits = np.where(rows >= 0, random.normal(size=rows.shape), -np.inf)
    truth = SLOPE * logits + (features[queries] @ SEED + INTERCEPT)[:, None]
    with np.errstate(over="ignore"):
        related = random.random(rows.shape) < 1 / (1 + np.exp(-truth))
    return Held(queries, rows, logits.astype(np.float32), related & (rows >= 0))


def test_the_affine_map_is_found(held: Held, features: NDArray[np.float32]) -> None:
    found = fit_calibration(held, features)
    assert found.slope == pytest.approx(SLOPE, abs=0.05)
    assert found.intercept == pytest.approx(INTERCEPT, abs=0.05)
    np.testing.assert_allclose(found.seed, SEED, atol=0.05)


def test_in_each_tenth_the_mean_score_is_the_share_of_related_pairs(
    held: Held, features: NDArray[np.float32]
) -> None:
    table = reliability(held, features, seed=0)
    assert sum(tenth["pairs"] for tenth in table) == (held.rows >= 0).sum()
    assert [tenth["from"] for tenth in table] == [at / 10 for at in range(10)]
    for tenth in table:
        assert tenth["from"] <= tenth["mean_score"] <= tenth["from"] + 0.1
        if tenth["pairs"] >= 500:
            assert tenth["related"] == pytest.approx(tenth["mean_score"], abs=0.05)


def test_a_query_has_no_part_in_its_own_calibration(
    held: Held, features: NDArray[np.float32]
) -> None:
    chosen = np.arange(QUERIES) % 2 == 0
    before = fit_calibration(held, features, chosen)
    turned = held.related.copy()
    turned[~chosen] = ~turned[~chosen]
    after = fit_calibration(Held(held.queries, held.rows, held.logits, turned), features, chosen)
    assert before.slope == after.slope
    assert before.intercept == after.intercept


@pytest.mark.parametrize("related", [True, False])
def test_without_both_kinds_of_pairs_the_logit_stays(
    related: bool, held: Held, features: NDArray[np.float32]
) -> None:
    same = Held(held.queries, held.rows, held.logits, np.full(held.rows.shape, related))
    found = fit_calibration(same, features)
    assert (found.slope, found.intercept) == (1.0, 0.0)
    assert not found.seed.any()


def test_a_blend_that_is_wrong_way_round_is_never_turned(
    held: Held, features: NDArray[np.float32]
) -> None:
    backwards = np.where(held.rows >= 0, -held.logits, held.logits)
    turned = Held(held.queries, held.rows, backwards, held.related)
    assert fit_calibration(turned, features).slope == 0
