"""TF-IDF against scikit-learn's own, and drafts against the rows of the same text."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from models.drafts import Draft
from models.features import Features
from models.signals import SparseRow
from models.text import TITLE_WEIGHT, terms, words
from models.tfidf import count_terms, fit_tfidf
from tests.models.corpora import Paper, corpus_of, features_of, two_fields

WORDS = "graph graphs tree latent factor model of the Drawing naïve über x 3d 図 it's".split()
text = st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join)
documents = st.lists(
    st.fixed_dictionaries(
        {"title": text, "abstract": text, "keywords": st.lists(text, max_size=2)}
    ),
    min_size=1,
    max_size=8,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Drawing of Graphs", ["drawing", "graphs"]),
        ("it's a b-tree, a B-tree!", ["it's", "tree", "tree"]),
        ("naïve ÜBER", ["naïve", "über"]),
        ("ﬁne \N{FULLWIDTH DIGIT TWO}nd", ["fine", "2nd"]),
        ("snake_case x+y", ["snake", "case"]),
        ("مقدمة في", ["مقدمة", "في"]),
        ("", []),
        ("the of and", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_terms_are_words_and_neighbours_within_one_field() -> None:
    found = list(terms("Latent factor", "a factor model", ["matrix"]))
    assert sorted(found) == sorted(
        ["latent", "factor", "latent factor"] * TITLE_WEIGHT
        + ["factor", "model", "factor model"]
        + ["matrix"]
    )


def numbered(papers: list[Paper]) -> list[Paper]:
    return [{"id": str(at), **paper} for at, paper in enumerate(papers)]


@given(documents)
def test_it_is_the_tfidf_of_scikit_learn(papers: list[Paper]) -> None:
    fitted = fit_tfidf(count_terms(corpus_of(numbered(papers)).table))
    oracle = TfidfVectorizer(
        analyzer=lambda paper: list(terms(paper["title"], paper["abstract"], paper["keywords"])),
        sublinear_tf=True,
        min_df=min(2, len(papers)),
    )
    try:
        expected = oracle.fit_transform(papers)
    except ValueError:  # its way to say that no term is left
        assert len(fitted.vocabulary) == fitted.matrix.nnz == 0
        return
    vocabulary = [fitted.vocabulary[at] for at in range(len(fitted.vocabulary))]
    assert vocabulary == oracle.get_feature_names_out().tolist()
    assert fitted.matrix.dtype == np.float32
    np.testing.assert_allclose(fitted.matrix.toarray(), expected.toarray(), atol=1e-6)
    np.testing.assert_allclose(fitted.idf, oracle.idf_, rtol=1e-6)


def test_the_order_of_papers_changes_no_column() -> None:
    papers = two_fields()[:20]
    one, other = (fit_tfidf(count_terms(corpus_of(each).table)) for each in (papers, papers[::-1]))
    np.testing.assert_array_equal(one.vocabulary.data, other.vocabulary.data)
    assert (one.matrix != other.matrix[::-1]).nnz == 0


@pytest.fixture(scope="module")
def papers() -> list[Paper]:
    return two_fields()


@pytest.fixture(scope="module")
def features(papers: list[Paper]) -> Features:
    return features_of(corpus_of(papers))


def test_a_draft_has_the_rows_that_its_text_has_in_the_corpus(
    papers: list[Paper], features: Features
) -> None:
    for row, paper in enumerate(papers):
        draft = Draft(paper["title"], paper["abstract"], tuple(paper["keywords"]))
        encoded = features.encoder.encode(draft, features.signals)
        for name in ("text", "latent"):
            drafted, indexed = encoded[name], features.signals[name].row(row)
            if isinstance(drafted, SparseRow):
                assert isinstance(indexed, SparseRow)
                np.testing.assert_array_equal(drafted.columns, indexed.columns)
                np.testing.assert_allclose(drafted.values, indexed.values, atol=1e-6)
            else:
                assert not isinstance(indexed, SparseRow)
                np.testing.assert_allclose(drafted, indexed, atol=1e-5)


@given(st.text(max_size=30), st.text(max_size=30), st.lists(st.text(max_size=9), max_size=3))
def test_any_text_can_be_a_draft(title: str, abstract: str, references: list[str]) -> None:
    features = features_of(corpus_of(two_fields()[:9]))
    draft = Draft(title, abstract, (abstract,), references=tuple(references))
    encoded = features.encoder.encode(draft, features.signals)
    assert set(encoded) == set(features.signals)
    for row in encoded.values():
        values = row.values if isinstance(row, SparseRow) else row
        assert np.isfinite(values).all()
        assert np.linalg.norm(values) <= 1 + 1e-5
