"""Sorted strings and the index of paper ids, against plain Python."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.identifiers import canonical
from models.papers import PaperIndex
from models.strings import SortedStrings

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.lists(text), st.lists(text))
def test_it_is_a_sorted_list_of_distinct_strings(strings: list[str], others: list[str]) -> None:
    expected = sorted(set(strings), key=str.encode)
    found = SortedStrings.build(strings)

    assert [found[at] for at in range(len(found))] == expected
    for each in strings + others:
        assert found.find(each) == (expected.index(each) if each in expected else -1)
    wanted = strings + others
    assert found.positions(wanted).tolist() == [found.find(each) for each in wanted]


@given(st.lists(text, min_size=1))
def test_many_positions_at_once(strings: list[str]) -> None:
    wanted = [*strings, "absent", "\ud800"] * 300
    found = SortedStrings.build(strings)
    assert found.positions(wanted).tolist() == [found.find(each) for each in wanted]


def test_each_of_many_is_found_and_nothing_between_them() -> None:
    found = SortedStrings.build(f"{number:03}" for number in range(100))
    assert [found.find(f"{number:03}") for number in range(100)] == list(range(100))
    assert {found.find(f"{number:03}x") for number in range(100)} == {-1}
    assert found.find("") == -1


def test_nothing_is_found_among_no_strings() -> None:
    nothing = SortedStrings.build([])
    assert len(nothing) == 0
    assert nothing.find("") == -1
    assert nothing.positions(["a"]).tolist() == [-1]


def test_a_lone_surrogate_is_unknown() -> None:
    assert SortedStrings.build(["a", "b"]).find("\udc00") == -1


@pytest.mark.parametrize(
    ("spelling", "row"),
    [
        ("10.1145/1", 0),
        ("https://doi.org/10.1145/1", 0),
        ("arXiv:1706.03762", 1),
        ("1706.03762v5", 1),
        ("https://arxiv.org/abs/1706.03762", 1),
        ("graphs/2001-0", 2),
        ("unknown", None),
        ("", None),
        ("\ud800", None),
    ],
)
def test_a_paper_is_found_by_every_spelling(spelling: str, row: int | None) -> None:
    index = PaperIndex.build(["10.1145/1", "arXiv:1706.03762v1", "graphs/2001-0"])
    assert index.row(spelling) == row


def test_an_id_as_it_stands_goes_before_another_papers_spelling() -> None:
    index = PaperIndex.build(["1706.03762v1", "1706.03762v2", "arxiv:1706.03762"])
    assert [index.row(each) for each in ("1706.03762v1", "1706.03762v2")] == [0, 1]
    assert index.row("arxiv:1706.03762") == 2
    assert index.row("1706.03762v3") == 2


ids = text.filter(bool) | st.sampled_from(
    ["10.1145/1", "doi:10.1145/1", "1706.03762", "2001.00001"]
)


@given(st.lists(ids, unique=True))
def test_every_paper_is_found_by_its_own_id(paper_ids: list[str]) -> None:
    index = PaperIndex.build(paper_ids)
    for row, paper_id in enumerate(paper_ids):
        assert index.row(paper_id) == row
        found = index.row(canonical(paper_id))
        assert found is not None
        assert canonical(paper_ids[found]) == canonical(paper_id)
