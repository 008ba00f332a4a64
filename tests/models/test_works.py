"""Which papers are versions of one work."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.works import group_works, surname


def paper(paper_id: str, title: str = "", *authors: str) -> dict[str, Any]:
    return {"id": paper_id, "title": title, "authors": list(authors)}


def same_work(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(np.array_equal(group_works([one, other]), [0, 0]))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10.1145/3292500", "https://doi.org/10.1145/3292500"),
        ("10.1109/TVCG.1", "doi:10.1109/tvcg.1"),
        ("arXiv:1706.03762v1", "1706.03762v5"),
        ("arXiv:1706.03762", "10.48550/arXiv.1706.03762"),
    ],
)
def test_equal_dois_or_arxiv_ids_in_any_spelling(one: str, other: str) -> None:
    assert same_work(paper(one, "First title", "A"), paper(other, "Another title", "B"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Attention Is All You Need",), ("attention is all you need!",)),
        (("Schrödinger's Cat",), ("Schrodingers cat",)),
        (("The B-Tree: a survey",), ("The B-tree — A Survey",)),
    ],
)
def test_titles_are_compared_without_case_accents_and_punctuation(
    one: tuple[str], other: tuple[str]
) -> None:
    assert same_work(paper("a", *one, "Ada Lovelace"), paper("b", *other, "Ada Lovelace"))


@pytest.mark.parametrize(
    "spelling", ["Ada Lovelace", "A. Lovelace", "Lovelace, Ada", "LOVELACE", "Ada  Lovelacé"]
)
def test_an_author_is_known_by_the_family_name(spelling: str) -> None:
    assert surname(spelling) == "lovelace"
    assert same_work(
        paper("a", "One title", "Someone Else", spelling), paper("b", "One title", "Ada Lovelace")
    )


def test_the_same_title_by_others_is_another_work() -> None:
    assert not same_work(paper("a", "Introduction", "A One"), paper("b", "Introduction", "B Two"))


@pytest.mark.parametrize("nobody", [[], [""], [" "], ["-"]])
def test_the_same_title_without_known_authors_is_another_work(nobody: list[str]) -> None:
    assert not same_work(paper("a", "Editorial", *nobody), paper("b", "Editorial", *nobody))


def test_no_title_and_a_shared_author_is_another_work() -> None:
    assert not same_work(paper("a", "", "Ada Lovelace"), paper("b", "", "Ada Lovelace"))
    assert not same_work(paper("a", "?!", "Ada Lovelace"), paper("b", "...", "Ada Lovelace"))


def test_versions_are_followed_through_a_third() -> None:
    papers = [
        paper("10.1/other", "Else", "C Three"),
        paper("arXiv:2001.00001v1", "Preprint title", "A One"),
        paper("10.1145/1", "Published title", "A One"),
        paper("2001.00001v2", "Published title", "A One", "B Two"),
    ]
    assert group_works(papers).tolist() == [0, 1, 1, 1]


titles, authors = st.sampled_from(["", "Alpha", "alpha!", "Beta"]), st.sampled_from(["X Y", "Z"])
ids = st.sampled_from(["a", "b", "c", "10.1145/1", "doi:10.1145/1", "1706.03762", "1706.03762v2"])
papers_strategy = st.lists(st.builds(paper, ids, titles, authors), max_size=8)


@given(papers_strategy)
def test_works_are_named_by_their_first_row(papers: list[dict[str, Any]]) -> None:
    work = group_works(papers)
    for row, first in enumerate(work):
        assert first <= row
        assert work[first] == first
