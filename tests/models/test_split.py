"""The inner split of a toy corpus, by hand; and nothing later leaks into it."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from models import split as splitting
from models.corpus import Corpus
from models.signals import DenseSignal, SparseSignal
from models.split import Split, cut_year, library_split
from tests.models.corpora import (
    Paper,
    cited_pairs,
    corpus_of,
    external_pairs,
    features_of,
    nobody,
    two_fields,
)


def inner_splits(corpus: Corpus, seed: int, shares: tuple[float, ...]) -> list[Split]:
    return splitting.inner_splits(corpus, nobody(corpus), seed, shares)


def time_split(corpus: Corpus, cut: int) -> Split:
    return splitting.time_split(corpus, nobody(corpus), cut)


def draw_split(corpus: Corpus, seed: int) -> Split:
    return splitting.draw_split(corpus, nobody(corpus), seed)


PAPERS: list[Paper] = [
    {"id": "a", "year": 2000},
    {"id": "b", "year": 2001, "references": ["a"]},
    {"id": "c", "year": 2001},  # cited by later papers alone
    {"id": "d", "year": 2002, "external_references": ["x"]},
    {"id": "e", "year": 2002},  # neither cites nor is cited
    {"id": "f", "references": ["a", "b"]},  # of unknown year
    {"id": "p", "year": 2005, "references": ["a", "b", "c", "d"]},
    {"id": "q", "year": 2006, "references": ["a", "b", "d"]},
    {"id": "r", "year": 2007, "references": ["a", "d", "p"], "external_references": ["y"]},
]


def together(split: Split) -> dict[tuple[str, str], int]:
    """How many later papers cite both, by pairs of ids."""
    ids, pairs = split.corpus.ids, split.together.tocoo()
    return {
        (ids[row], ids[column]): int(count)
        for row, column, count in zip(pairs.row, pairs.col, pairs.data, strict=True)
    }


def both_ways(pairs: dict[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    return pairs | {(other, one): count for (one, other), count in pairs.items()}


def test_the_corpus_as_it_was_known_at_the_end_of_a_year() -> None:
    split = time_split(corpus_of(PAPERS), 2004)
    assert split.corpus.ids == ["a", "b", "d"]
    assert cited_pairs(split.corpus) == {("b", "a")}
    assert external_pairs(split.corpus) == {("d", "x")}
    # p, q and r cite a and d; p and q also b; f, of unknown year, counts nowhere.
    expected = {("a", "b"): 2, ("a", "d"): 3, ("b", "d"): 2}
    assert together(split) == both_ways(expected)
    assert split.queries.tolist() == [0, 1, 2]
    assert split.window == "references of papers from 2005 to 2007"


def test_a_later_cut() -> None:
    split = time_split(corpus_of(PAPERS), 2005)
    assert split.corpus.ids == ["a", "b", "c", "d", "p"]  # p cites c
    assert together(split) == both_ways({("a", "d"): 2})
    assert split.queries.tolist() == [0, 3]


@pytest.mark.parametrize(
    ("share", "cut"), [(0.1, 2006), (0.2, 2006), (0.25, 2005), (0.4, 2005), (0.41, 2004)]
)
def test_the_cut_is_the_latest_year_that_leaves_enough_lists(share: float, cut: int) -> None:
    # Five lists inside the corpus: of 2001, 2005, 2006, 2007 and of an unknown year.
    assert cut_year(corpus_of(PAPERS), share) == cut


def test_a_corpus_without_citations_or_positives_has_no_split() -> None:
    assert inner_splits(corpus_of([{"id": "a"}, {"id": "b"}]), 0, (0.2,)) == []
    chain = [{"id": f"p{at}", "year": 2000 + at, "references": [f"p{at - 1}"]} for at in range(9)]
    assert inner_splits(corpus_of(chain), 0, (0.2, 0.3)) == []


def test_equal_cuts_are_one_split() -> None:
    corpus = corpus_of(two_fields())
    assert len(inner_splits(corpus, 0, (0.2, 0.2))) == 1
    assert len(inner_splits(corpus, 0, (0.2, 0.5))) == 2


def test_a_corpus_without_dates_leaves_out_a_seeded_draw_of_citing_papers() -> None:
    papers = [{key: paper[key] for key in paper if key != "year"} for paper in two_fields()]
    corpus = corpus_of(papers)
    (split,) = inner_splits(corpus, 0, (0.2,))
    left_out = set(corpus.ids) - set(split.corpus.ids)
    citing = {one for one, _ in cited_pairs(corpus)}
    assert left_out <= citing
    assert len(left_out) == round(0.2 * len(citing))
    assert split.corpus.ids == draw_split(corpus, 0).corpus.ids
    assert split.corpus.ids != draw_split(corpus, 1).corpus.ids
    for (one, other), count in together(split).items():
        both = {name for name in left_out if {(name, one), (name, other)} <= cited_pairs(corpus)}
        assert count == len(both) >= 2


def without_trace(papers: list[Paper], cut: int) -> list[Paper]:
    """The same papers with other texts, lists and names of everything later."""
    changed: list[Paper] = []
    for paper in papers:
        if paper["year"] <= cut:
            changed.append(paper)
        else:
            other: dict[str, Any] = {"title": "changed words", "abstract": "", "keywords": []}
            lists = {"references": paper["references"][:1], "external_references": ["new", "work"]}
            changed.append(paper | other | lists | {"authors": ["Some One"], "venue": "Else"})
    return changed


def matrices(corpus: Corpus) -> dict[str, Any]:
    features = features_of(corpus)
    found: dict[str, Any] = {"popularity": features.papers, "idf": features.encoder.idf}
    for name, signal in features.signals.items():
        if isinstance(signal, DenseSignal):
            found[name] = signal.vectors
        elif isinstance(signal, SparseSignal):
            found[name] = (signal.matrix @ signal.matrix.T).toarray()
    return found


def test_nothing_later_leaks_into_the_split() -> None:
    papers, cut = two_fields(), 2010
    split = time_split(corpus_of(papers), cut)
    other = time_split(corpus_of(without_trace(papers, cut)), cut)
    assert (split.together != other.together).nnz > 0  # what is asked did change
    assert split.corpus.table.equals(other.corpus.table)
    assert cited_pairs(split.corpus) == cited_pairs(other.corpus)
    assert external_pairs(split.corpus) == external_pairs(other.corpus)
    before, after = matrices(split.corpus), matrices(other.corpus)
    assert before.keys() == after.keys()
    for name, values in before.items():
        np.testing.assert_array_equal(values, after[name], err_msg=name)


def test_without_citations_a_part_of_each_library_is_left_out() -> None:
    corpus = corpus_of([{"id": paper} for paper in "abcdef"])
    libraries = sp.csr_matrix(np.array([[1, 1, 1, 1, 0, 0]] * 8 + [[0, 0, 0, 1, 1, 1]], bool))
    split = library_split(corpus, libraries, 0)
    assert split.corpus.ids == corpus.ids
    # Two of each library of four are held out; the library of three is whole
    assert np.diff(split.libraries.indptr).tolist() == [2] * 8 + [3]
    held = (libraries.astype(int) - split.libraries.astype(int)).toarray()
    assert held.min() == 0
    together = held.T @ held
    np.fill_diagonal(together, 0)
    together[together < 2] = 0
    assert split.together.toarray().tolist() == together.tolist()
    assert split.queries.tolist() == np.flatnonzero(together.any(axis=1)).tolist()
