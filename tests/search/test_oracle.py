"""What matches and in which order, beside a plain implementation over drawn corpora and queries."""

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.search_query import parse
from models.searcher import NO_RESTRICTION, Restriction
from tests.search.corpora import Paper, searcher_of
from tests.search.oracle import Oracle

WORDS = st.sampled_from(
    "graph graphs grape neural networks network study studies the of who Étude 深度 it's".split()
)
TEXT = st.lists(WORDS, max_size=8).map(" ".join)
PAPERS = st.lists(
    st.fixed_dictionaries(
        {
            "title": TEXT,
            "abstract": TEXT,
            "authors": st.lists(
                st.sampled_from(["Ada Graph", "Bo Li", "Étude Neural"]), max_size=2
            ),
            "venue": st.sampled_from(["", "Graph Letters", "Deep Notes"]),
            "year": st.sampled_from([0, 1999, 2010, 2011]),
            "citation_count": st.integers(0, 3),
        }
    ),
    min_size=1,
    max_size=7,
)
PARTS = st.one_of(
    WORDS,
    TEXT.map('"{}"'.format),
    WORDS.map("author:{}".format),
    WORDS.map("venue:{}".format),
    WORDS.map("title:{}".format),
    st.sampled_from(["year:2010", "year:..2010", "year:2010..", "year:1999..2010", "absent", "gr"]),
)
QUERIES = st.lists(PARTS, max_size=4).map(" ".join)
RESTRICTIONS = st.one_of(
    st.just(NO_RESTRICTION),
    st.builds(
        Restriction,
        first_year=st.none() | st.just(2010),
        last_year=st.none() | st.just(2010),
        excluded_works=st.lists(st.integers(0, 6), max_size=2),
    ),
)


def own_works(papers: list[Paper]) -> list[Paper]:
    return [paper | {"work": row} for row, paper in enumerate(papers)]


@settings(max_examples=60)
@given(PAPERS.map(own_works), st.lists(st.tuples(QUERIES, st.booleans(), RESTRICTIONS), min_size=4))
def test_the_index_finds_and_orders_what_the_oracle_does(
    papers: list[Paper], asked: list[tuple[str, bool, Restriction]]
) -> None:
    oracle = Oracle(papers)
    with tempfile.TemporaryDirectory() as folder:
        searcher = searcher_of(Path(folder), papers)
        for text, prefix, only in asked:
            query = parse(text, prefix=prefix)
            expected = oracle.scores(query, only)
            found = searcher.find(query, only)
            assert found.relaxed == (not expected and bool(oracle.relaxed_scores(query, only)))
            if found.relaxed:
                expected = oracle.relaxed_scores(query, only)
            assert sorted(found.rows) == sorted(expected), text
            assert found.total == len(expected)
            assert found.scores == sorted(found.scores, reverse=True)
            assert found.scores == pytest.approx([expected[row] for row in found.rows], rel=1e-4)
            assert ties_in_order(found.rows, found.scores, papers)


def ties_in_order(rows: list[int], scores: list[float], papers: list[Paper]) -> bool:
    """Equal scores by citations, then by row; as far as no rounding made them equal."""

    def key(row: int) -> Any:
        return -papers[row]["citation_count"], row

    neighbors = zip(rows, rows[1:], scores, scores[1:], strict=False)
    return all(key(one) < key(other) for one, other, high, low in neighbors if high == low)
