"""The recommender against a slow oracle that ranks everything, one paper at a time."""

import math
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.drafts import Draft
from models.neighbors import Query
from models.signals import all_similarities
from service.filters import Filter, fold
from service.lists import Source, Wanted
from service.recommender import Recommender
from tests.service import toy

ROWS = st.integers(0, 56)
FRACTIONS = st.floats(0, 1, width=32)
FILTERS = st.builds(
    Filter,
    first_year=st.none() | st.integers(1999, 2018),
    last_year=st.none() | st.integers(1999, 2018),
    venues=st.frozensets(st.sampled_from([fold(venue) for venue in toy.VENUES]), max_size=1),
    excluded=st.lists(ROWS, max_size=4).map(tuple),
)
WANTED = st.builds(
    Wanted,
    seeds=st.lists(ROWS, min_size=1, max_size=3, unique=True).map(tuple),
    negatives=st.lists(ROWS, max_size=2, unique=True).map(tuple),
    draft=st.none() | st.just(Draft(title="Planar graph matching", references=("graph-01",))),
    filter=FILTERS,
    negative_weight=FRACTIONS,
    popularity=FRACTIONS,
)


def passes(recommender: Recommender, wanted: Filter, row: int) -> bool:
    record = recommender.artifact.papers.record(row)
    if wanted.first_year and (record.year is None or record.year < wanted.first_year):
        return False
    if wanted.last_year and (record.year is None or record.year > wanted.last_year):
        return False
    return not wanted.venues or fold(record.venue) in wanted.venues


def slow_logits(recommender: Recommender, wanted: Wanted) -> list[float]:
    """The logit of every paper of the corpus, as the documentation of the API defines it."""
    scorer, blend = recommender.artifact.scorer, recommender.artifact.blend
    everyone = np.arange(len(recommender.artifact.papers), dtype=np.int32)

    def logits_of(query: Query) -> list[float]:
        weights = [wanted.popularity if popular else 1.0 for popular in blend.term_is_popularity]
        return [
            blend.bias + sum(value * weight for value, weight in zip(row, weights, strict=True))
            for row in scorer.score(query, everyone).contributions.tolist()
        ]

    positive = [logits_of(query) for query in recommender.queries(wanted)]
    negative = [logits_of(scorer.seed(row)) for row in wanted.negatives]
    means = [fmean(column) for column in zip(*positive, strict=True)]
    if negative:
        against = [fmean(column) for column in zip(*negative, strict=True)]
        return [
            mean - wanted.negative_weight * other
            for mean, other in zip(means, against, strict=True)
        ]
    return means


def surely_related(recommender: Recommender, wanted: Wanted) -> set[int]:
    """Rows that some signal relates to a seed, by more than rounding."""
    signals = recommender.artifact.scorer.signals
    similar = [
        all_similarities(signal, query.rows[name])
        for query in recommender.queries(wanted)
        for name, signal in signals.items()
    ]
    rows: list[int] = np.flatnonzero(np.max(similar, axis=0) > 1e-6).tolist()
    return set(rows)


@settings(max_examples=60, deadline=None)
@given(wanted=WANTED)
def test_list_is_what_the_oracle_ranks(recommender: Recommender, wanted: Wanted) -> None:
    papers = recommender.artifact.papers
    results = recommender.related(wanted, 0, 100)
    rows, scores = results.rows, results.scores
    scored, rest = rows[: len(scores)], rows[len(scores) :]

    # One version of each work that passes, except those that the request names
    works = papers.work.tolist()
    named = {works[row] for row in wanted.seeds + wanted.negatives + wanted.filter.excluded}
    passing = {works[row] for row in range(len(papers)) if passes(recommender, wanted.filter, row)}
    assert sorted(works[row] for row in rows) == sorted(passing - named)
    assert all(passes(recommender, wanted.filter, row) for row in rows)
    assert not results.more

    # First what is related, best first, each with its exact score; then what is popular
    logits = slow_logits(recommender, wanted)
    assert scores == pytest.approx([1 / (1 + math.exp(-logits[row])) for row in scored], abs=1e-5)
    assert scores == sorted(scores, reverse=True)
    assert not surely_related(recommender, wanted) & {*rest}
    popular = recommender.artifact.scorer.popular().tolist()
    assert rest == sorted(rest, key=popular.index)
    expected = [Source.MODEL] * len(scored) + [Source.POPULAR] * len(rest)
    assert results.sources == expected


@settings(max_examples=40, deadline=None)
@given(wanted=WANTED, size=st.integers(1, 20), diversity=st.sampled_from([0.0, 0.4, 1.0]))
def test_pages_together_are_the_list(
    recommender: Recommender, wanted: Wanted, size: int, diversity: float
) -> None:
    wanted = replace(wanted, diversity=diversity)
    whole = recommender.related(wanted, 0, 100)
    rows: list[int] = []
    sources: list[Source] = []
    more = True
    while more:
        page = recommender.related(wanted, len(rows), size)
        assert len(page.rows) == size or not page.more
        rows += page.rows
        sources += page.sources
        more = page.more
    assert rows == whole.rows
    assert sources == whole.sources


@settings(max_examples=40, deadline=None)
@given(wanted=WANTED, diversity=FRACTIONS)
def test_diversity_changes_the_order_and_no_score(
    recommender: Recommender, wanted: Wanted, diversity: float
) -> None:
    plain = recommender.related(wanted, 0, 100)
    diverse = recommender.related(replace(wanted, diversity=diversity), 0, 100)
    scored = len(plain.contributions)
    expected = dict(zip(plain.rows[:scored], plain.scores, strict=True))
    assert dict(zip(diverse.rows[:scored], diverse.scores, strict=True)) == expected
    assert diverse.rows[scored:] == plain.rows[scored:]


def test_related_papers_share_the_subject(recommender: Recommender) -> None:
    papers = recommender.artifact.papers
    for paper in toy.papers()[:-1]:
        row = papers.row(paper["id"])
        assert row is not None
        results = recommender.related(Wanted(seeds=(row,)), 0, 8)
        assert {toy.subject(papers.id(each)) for each in results.rows} == {toy.subject(paper["id"])}


def test_a_paper_without_anything_is_filled_with_popular_papers(recommender: Recommender) -> None:
    row = recommender.artifact.papers.row(toy.LONELY)
    assert row is not None
    results = recommender.related(Wanted(seeds=(row,)), 0, 10)
    assert results.sources == [Source.POPULAR] * 10
    assert len(results.scores) == 0


def test_when_the_model_has_no_more_text_fills_up(
    recommender: Recommender, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a model that ranks no deeper than the nearest three
    monkeypatch.setattr("service.recommender.NEAREST", 3)
    monkeypatch.setattr("service.recommender.DEEPER", ())
    draft = Draft(title="Planar graph coloring")
    results = recommender.related(Wanted(draft=draft), 0, 40)
    # Then the papers with the most similar text follow, and popular ones come last
    assert results.sources == sorted(results.sources)
    assert set(results.sources) == {Source.MODEL, Source.TEXT, Source.POPULAR}
    text = [row for row, source in zip(results.rows, results.sources, strict=True) if source == 2]
    titles = [recommender.artifact.papers.record(int(row)).title for row in text]
    assert titles
    assert all("graph" in title.lower() for title in titles)
