"""Maximal marginal relevance against its definition, step by step."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.diversity import maximal_marginal_relevance

SIXTEENTHS = st.integers(0, 16).map(lambda n: n / 16)  # exact in binary: equal ones stay equal


@st.composite
def candidates(draw: st.DrawFn) -> tuple[list[float], list[list[float]]]:
    count = draw(st.integers(0, 8))
    values = st.lists(SIXTEENTHS, min_size=count, max_size=count)
    relevance = sorted(draw(values), reverse=True)
    return relevance, [draw(values) for _ in range(count)]


def definition(
    relevance: list[float], similarity: list[list[float]], weight: float, count: int
) -> list[int]:
    order: list[int] = []
    while len(order) < min(count, len(relevance)):
        left = [each for each in range(len(relevance)) if each not in order]
        order.append(
            max(
                left,
                key=lambda each: (
                    (1 - weight) * relevance[each]
                    - weight * max((similarity[taken][each] for taken in order), default=0.0)
                ),
            )
        )
    return order


@given(both=candidates(), weight=SIXTEENTHS, count=st.integers(0, 10))
def test_order_is_the_definition(
    both: tuple[list[float], list[list[float]]], weight: float, count: int
) -> None:
    relevance, similarity = both
    found = maximal_marginal_relevance(
        np.array(relevance), lambda one: np.array(similarity[one]), weight, count
    )
    assert found.tolist() == definition(relevance, similarity, weight, count)


def test_no_weight_keeps_the_order_and_full_weight_spreads() -> None:
    relevance = np.array([0.9, 0.8, 0.7])
    similarity = np.array([[1.0, 0.9, 0.1], [0.9, 1.0, 0.1], [0.1, 0.1, 1.0]])

    def order(weight: float) -> list[int]:
        found = maximal_marginal_relevance(relevance, lambda one: similarity[one], weight, 3)
        return [int(each) for each in found]

    assert order(0.0) == [0, 1, 2]
    assert order(0.5) == [0, 2, 1]
    assert order(1.0) == [0, 2, 1]
