"""From lines to a corpus: what is refused, what is mended and counted, who cites whom."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.corpus import Corpus, read_corpus
from models.formats import InputError, Line
from tests.models.corpora import Paper, cited_pairs, corpus_of, external_pairs


def problem(*papers: Any) -> str:
    with pytest.raises(InputError) as caught:
        corpus_of(papers)
    return str(caught.value)


def texts(corpus: Corpus, column: str) -> list[Any]:
    return list(corpus.table[column].to_pylist())


@pytest.mark.parametrize(
    "paper",
    [{}, {"title": "T"}, {"id": None}, {"id": ""}, {"id": ["a"]}, {"id": 1.5}, {"id": True}],
)
def test_a_missing_id_is_refused(paper: Paper) -> None:
    assert problem({"id": "a"}, paper) == (
        'papers.jsonl:2: no "id"; expected a string that is not empty'
    )


@pytest.mark.parametrize(
    "paper_id", ["two words", " a", "a ", "a\tb", "a\nb", "a\u00a0b", "a\u2028b", "a\x00b", "\x85a"]
)
def test_an_id_with_white_space_or_control_characters_is_refused(paper_id: str) -> None:
    message = problem({"id": paper_id})
    assert message.startswith(f'papers.jsonl:1: "id" {paper_id!r} holds white space')


def test_an_id_with_a_lone_surrogate_is_refused() -> None:
    assert problem({"id": "a\ud800"}).startswith("papers.jsonl:1: ")


def test_an_id_longer_than_a_request_may_hold_is_refused() -> None:
    assert "1,025 characters; expected at most 1,024" in problem({"id": "x" * 1_025})
    assert corpus_of([{"id": "x" * 1_024}]).ids == ["x" * 1_024]


def test_a_number_is_an_id() -> None:
    assert corpus_of([{"id": 0}, {"id": 17, "references": ["0"]}]).ids == ["0", "17"]


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("title", 5, '"title" is a int; expected a string'),
        ("abstract", ["x"], '"abstract" is a list; expected a string'),
        ("authors", "Ada", '"authors" is not a list of strings; expected one'),
        ("keywords", [1], '"keywords" is not a list of strings; expected one'),
        ("references", {"a": 1}, '"references" is not a list of strings; expected one'),
        ("year", "MMXX", "\"year\" is 'MMXX'; expected a whole number"),
        ("year", float("nan"), '"year" is nan; expected a whole number'),
        ("year", float("inf"), '"year" is inf; expected a whole number'),
        ("year", [2014], '"year" is [2014]; expected a whole number'),
    ],
)
def test_a_field_of_the_wrong_type_is_refused(field: str, value: object, expected: str) -> None:
    assert problem({"id": "a", field: value}) == f"papers.jsonl:1: {expected}"


def test_no_papers_at_all_are_refused() -> None:
    assert problem() == "no papers: the files hold no record; expected one paper a line"


def test_of_papers_with_one_id_the_last_line_wins_and_is_counted() -> None:
    corpus = corpus_of(
        [
            {"id": "a", "title": "Old", "references": ["b"]},
            {"id": "b"},
            {"id": "a", "title": "New", "references": ["c"]},
            {"id": "c"},
        ]
    )
    assert corpus.ids == ["a", "b", "c"]
    assert texts(corpus, "title") == ["New", "", ""]
    assert cited_pairs(corpus) == {("a", "c")}
    assert corpus.notes == {"papers whose id came again (the last line won)": 1}


def test_references_to_oneself_are_dropped_and_counted() -> None:
    corpus = corpus_of(
        [
            {"id": "10.1145/1", "references": ["10.1145/1", "doi:10.1145/1", "b"]},
            {"id": "b"},
        ]
    )
    assert cited_pairs(corpus) == {("10.1145/1", "b")}
    assert corpus.notes == {"references of a paper to itself (dropped)": 2}


def test_references_to_unknown_papers_count_as_external_ones() -> None:
    corpus = corpus_of(
        [
            {"id": "a", "references": ["unknown", "b"], "external_references": ["10.1000/X"]},
            {"id": "b", "external_references": ["https://doi.org/10.1000/x", "a", "unknown"]},
        ]
    )
    # An "external" reference that is in the corpus after all is an inside one.
    assert cited_pairs(corpus) == {("a", "b"), ("b", "a")}
    assert external_pairs(corpus) == {
        ("a", "unknown"),
        ("a", "doi:10.1000/x"),
        ("b", "unknown"),
        ("b", "doi:10.1000/x"),
    }
    assert corpus.notes == {"references to papers outside the corpus": 4}


def test_a_reference_in_another_spelling_is_the_same_paper() -> None:
    corpus = corpus_of(
        [
            {"id": "a", "references": ["https://arxiv.org/abs/1706.03762v5", "doi:10.1145/ABC"]},
            {"id": "arXiv:1706.03762"},
            {"id": "10.1145/abc"},
        ]
    )
    assert cited_pairs(corpus) == {("a", "arXiv:1706.03762"), ("a", "10.1145/abc")}


def test_repeated_references_count_once() -> None:
    corpus = corpus_of([{"id": "a", "references": ["b", "b", "x", "x"]}, {"id": "b"}])
    assert corpus.citations.nnz == 1
    assert corpus.external.nnz == 1


def test_references_that_name_nothing_are_passed_over() -> None:
    corpus = corpus_of([{"id": "a", "references": ["", "  ", "\ud800"]}])
    assert corpus.citations.nnz == corpus.external.nnz == 0


def test_a_paper_needs_an_id_alone() -> None:
    corpus = corpus_of([{"id": "a"}, {"id": "b", "title": None, "authors": None, "year": None}])
    for row in corpus.table.to_pylist():
        texts_of = {"id": row["id"], "title": "", "abstract": "", "venue": ""}
        assert row == texts_of | {"authors": [], "keywords": [], "year": 0}
    assert corpus.notes == {}


@pytest.mark.parametrize(
    ("value", "year"), [(2014, 2014), ("1998", 1998), ("", 0), (1000, 1000), (2100, 2100)]
)
def test_years(value: object, year: int) -> None:
    corpus = corpus_of([{"id": "a", "year": value}])
    assert corpus.year.tolist() == [year]
    assert corpus.notes == {}


@pytest.mark.parametrize("value", [0, -5, 999, 2101, 20140])
def test_impossible_years_are_unknown_and_counted(value: int) -> None:
    corpus = corpus_of([{"id": "a", "year": value}])
    assert corpus.year.tolist() == [0]
    assert corpus.notes == {"years before 1000 or after 2100 (taken as unknown)": 1}


def test_lone_surrogates_and_control_characters_are_replaced_and_counted() -> None:
    corpus = corpus_of(
        [
            {"id": "a", "title": "bad\ud800text", "abstract": "a\x00b\x1bc"},
            {"id": "b", "title": "two\nlines\tof text", "keywords": ["\udfff"]},
        ]
    )
    assert texts(corpus, "title") == ["bad\N{REPLACEMENT CHARACTER}text", "two lines of text"]
    assert texts(corpus, "abstract") == ["a b c", ""]
    assert texts(corpus, "keywords") == [[], ["\N{REPLACEMENT CHARACTER}"]]
    assert corpus.notes == {
        "texts with lone surrogates (replaced by U+FFFD)": 2,
        "texts with control characters (replaced by a space)": 1,
    }


def test_right_to_left_text_and_emoji_stay() -> None:
    title = "مقدمة في الرسوم البيانية \N{RIGHT-TO-LEFT MARK}(שלום) 🧬"
    assert texts(corpus_of([{"id": "a", "title": title}]), "title") == [title]


@given(st.text(), st.text(), st.lists(st.text(), max_size=3))
def test_any_text_becomes_text_that_can_be_stored(
    title: str, abstract: str, keywords: list[str]
) -> None:
    corpus = corpus_of([{"id": "a", "title": title, "abstract": abstract, "keywords": keywords}])
    (row,) = corpus.table.to_pylist()
    for each in (row["title"], row["abstract"], *row["keywords"]):
        assert each.encode().decode() == each
        assert each == each.strip()
        assert not any(ord(character) < 32 for character in each)


def mutual_links(one_way: int) -> list[Paper]:
    """18 links that stand in both lists, and some that stand in one."""
    names = [str(number) for number in range(11)]
    ring = [[names[(at + 1) % 9], names[(at - 1) % 9]] for at in range(9)]
    papers: list[Paper] = [
        {"id": name, "references": references}
        for name, references in zip(names, ring, strict=False)
    ]
    papers += [{"id": "9", "references": names[:one_way]}, {"id": "10"}]
    return papers


def test_a_corpus_of_mutual_links_is_undirected() -> None:
    corpus = corpus_of(mutual_links(one_way=1))  # 18 of 19: over 90 %
    assert corpus.undirected
    assert (corpus.citations != corpus.citations.T).nnz == 0
    assert ("0", "9") in cited_pairs(corpus)


def test_a_corpus_with_enough_one_way_links_is_directed() -> None:
    corpus = corpus_of(mutual_links(one_way=2))  # 18 of 20: just 90 %
    assert not corpus.undirected
    assert ("0", "9") not in cited_pairs(corpus)
    assert not corpus_of([{"id": "a"}]).undirected


def seven_papers(pairs: list[tuple[int, int]]) -> list[Paper]:
    """Papers p0 to p6 with these pairs as references; p7 and p8 are outside."""
    return [
        {"id": f"p{at}", "references": [f"p{b}" for a, b in pairs if a == at]} for at in range(7)
    ]


links = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 8)), max_size=30)


@given(links)
def test_citations_are_exactly_the_references(pairs: list[tuple[int, int]]) -> None:
    papers = [
        {"id": f"p{at}", "references": [f"p{b}" for a, b in pairs if a == at]} for at in range(7)
    ]
    corpus = corpus_of(papers)
    inside = {(f"p{a}", f"p{b}") for a, b in pairs if a != b and b < 7}
    mutual = {(a, b) for a, b in inside if (b, a) in inside}
    if inside and len(mutual) > 0.9 * len(inside):
        inside |= {(b, a) for a, b in inside}
    assert cited_pairs(corpus) == inside
    assert external_pairs(corpus) == {(f"p{a}", f"p{b}") for a, b in pairs if b >= 7}


@given(links, st.lists(st.integers(0, 6), unique=True, min_size=1))
def test_a_part_of_a_corpus_keeps_the_links_within_it(
    pairs: list[tuple[int, int]], rows: list[int]
) -> None:
    papers = [
        {"id": f"p{at}", "references": [f"p{b}" for a, b in pairs if a == at]} for at in range(7)
    ]
    whole = corpus_of(papers)
    part = whole.take(np.array(rows))
    kept = {f"p{row}" for row in rows}
    assert part.ids == [f"p{row}" for row in rows]
    assert cited_pairs(part) == {(a, b) for a, b in cited_pairs(whole) if {a, b} <= kept}
    assert external_pairs(part) == {(a, b) for a, b in external_pairs(whole) if a in kept}


def test_the_digest_tells_corpora_apart() -> None:
    papers: list[Paper] = [{"id": "a", "title": "T", "references": ["b", "x"]}, {"id": "b"}]
    digest = corpus_of(papers).digest()
    assert corpus_of(papers).digest() == digest
    for change in ({"title": "U"}, {"references": ["b"]}, {"references": ["x"]}, {"year": 2000}):
        assert corpus_of([papers[0] | change, papers[1]]).digest() != digest


def test_an_error_names_the_file_of_the_line() -> None:
    line = Line(Path("other.jsonl.gz"), 712, {"id": "a b"})
    with pytest.raises(InputError, match=r"^other\.jsonl\.gz:712: "):
        read_corpus([line])
