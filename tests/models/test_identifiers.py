"""Spellings of one id are one id."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identifiers import canonical


@pytest.mark.parametrize(
    "spelling",
    [
        "10.1145/3292500.3330701",
        "doi:10.1145/3292500.3330701",
        "DOI:10.1145/3292500.3330701",
        "doi: 10.1145/3292500.3330701",
        "https://doi.org/10.1145/3292500.3330701",
        "http://dx.doi.org/10.1145/3292500.3330701",
        "https://www.doi.org/10.1145/3292500.3330701",
        "doi.org/10.1145/3292500.3330701",
        " 10.1145/3292500.3330701 ",
    ],
)
def test_every_spelling_of_a_doi_is_one_id(spelling: str) -> None:
    assert canonical(spelling) == "doi:10.1145/3292500.3330701"


@pytest.mark.parametrize(
    "spelling",
    [
        "1706.03762",
        "1706.03762v5",
        "arXiv:1706.03762v5",
        "arxiv:1706.03762",
        "https://arxiv.org/abs/1706.03762",
        "http://arxiv.org/abs/1706.03762v1",
        "https://www.arxiv.org/abs/1706.03762",
        "https://export.arxiv.org/abs/1706.03762",
        "https://arxiv.org/pdf/1706.03762v5.pdf",
        "https://arxiv.org/pdf/1706.03762",
        "https://arxiv.org/html/1706.03762v7",
        "arxiv.org/abs/1706.03762/",
        "10.48550/arXiv.1706.03762",
        "https://doi.org/10.48550/ARXIV.1706.03762",
    ],
)
def test_every_spelling_of_an_arxiv_id_is_one_id(spelling: str) -> None:
    assert canonical(spelling) == "arxiv:1706.03762"


def test_arxiv_ids_from_before_2007() -> None:
    spellings = ("cs/0112017", "arXiv:cs/0112017v1", "https://arxiv.org/abs/cs/0112017")
    assert {canonical(each) for each in spellings} == {"arxiv:cs/0112017"}
    assert canonical("math.GT/0309136") == canonical("https://arxiv.org/abs/math.GT/0309136")


def test_dois_are_compared_without_case() -> None:
    assert canonical("10.1109/TVCG.2011.185") == canonical("doi:10.1109/tvcg.2011.185")


@pytest.mark.parametrize(
    "other",
    ["", "W2741809807", "page:5f1e", "10.1145", "11.1145/1", "1706.037", "arXiv:hello", "a/b"],
)
def test_other_ids_stay_as_they_are(other: str) -> None:
    assert canonical(other) == other


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1706.03762", "1706.03763"),
        ("10.1145/1", "10.1145/11"),
        ("W1", "w1"),
        ("10.1145/1706.03762", "1706.03762"),
    ],
)
def test_different_papers_stay_different(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@given(st.text() | st.from_regex(r"10\.[0-9]{4,9}/\S{1,20}|[0-9]{4}\.[0-9]{5}(v[0-9])?"))
def test_the_canonical_spelling_is_its_own(paper_id: str) -> None:
    assert canonical(canonical(paper_id)) == canonical(paper_id)
