"""What is found and in which order, on papers whose right answers are known by hand."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from models.search_index import fame
from tests.search.corpora import Asking, Paper, searcher_of
from tests.search.hostile import HOSTILE

PAPERS: list[Paper] = [
    {
        "id": "10.1000/attention",
        "title": "Attention Is All You Need",
        "abstract": "The dominant sequence models use recurrent networks.",
        "authors": ["Ashish Vaswani", "Noam Shazeer"],
        "year": 2017,
        "venue": "NeurIPS",
        "citation_count": 90,
    },
    {
        "id": "arXiv:1412.0001",
        "title": "Étude of Recurrent Neural Networks",
        "abstract": "We study what attention is, in the state of the art.",
        "authors": ["Geoffrey E. Hinton", "Müller, Jürgen"],
        "year": 2014,
        "venue": "Neural Computation",
        "citation_count": 5,
    },
    {
        "id": "page:1",
        "title": "Recurrent neural networks, recurrent networks",
        "abstract": "State art of the who",
        "authors": ["Yann LeCun", "Geoffrey Smith", "Ada Hinton"],
        "year": 2014,
        "venue": "Nature",
    },
    {
        "title": "You need less: attention is not all",
        "keywords": ["深度学习", "graph theory"],
        "citation_count": 5,
    },
    {
        "id": "10.1000/twin",
        "title": "Twins of one work",
        "authors": ["Tilda Twin"],
        "year": 2020,
        "work": 4,
    },
    {
        "id": "arXiv:2001.00001",
        "title": "Twins of one work",
        "authors": ["Tilda Twin"],
        "year": 2019,
        "citation_count": 3,
        "work": 4,
    },
]


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    return Asking(searcher_of(tmp_path_factory.mktemp("index"), PAPERS))


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("attention", [0, 3, 1]),
        ("ATTENTION networks", [0, 1]),
        ("recurrent network", [1, 2, 0]),
        ("etude", [1]),
        ("Étude", [1]),
        ("what is the étude", [1]),
        ("the who", [2]),
        ('"the who"', [2]),
        ('"state of the art"', [1]),
        ("state-of-the-art", [1]),
        ("author:hinton", [1, 2]),
        ('author:"geoffrey hinton"', [1]),
        ('author:"hinton geoffrey"', [1]),
        ('author:"jurgen muller"', [1]),
        ("hinton", [1, 2]),
        ("venue:neural", [1]),
        ('venue:"neural computation"', [1]),
        ("title:attention", [0, 3]),
        ("year:2014", [1, 2]),
        ("attention year:2014..2016", [1]),
        ("attention year:..2014", [1]),
        ("attention year:2015..", [0]),
        ("year:2020..2014", []),
        ("深度学习", [3]),
        ("graph-theory", [3]),
        ("author:nobody attention", []),
        ("attention year:1990", []),
        ("nothingofthekind", []),
        ("!!!", []),
        ("title:", []),
    ],
)
def test_what_a_query_finds(asking: Asking, query: str, rows: Sequence[int]) -> None:
    assert sorted(asking.rows(query)) == sorted(rows)


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("attention is all you need", 0),
        ("You need less: attention is not all", 3),
        ('"recurrent" neural networks, recurrent networks', 2),
        ("10.1000/attention", 0),
        ("https://doi.org/10.1000/ATTENTION", 0),
        (" arxiv.org/abs/1412.0001v3 ", 1),
        ("page:1", 2),
        ("10.1000/twin", 4),
        ("arXiv:2001.00001", 5),
    ],
)
def test_a_title_or_an_id_finds_its_paper_first(asking: Asking, query: str, first: int) -> None:
    found = asking.found(query)
    assert found.rows[0] == first
    assert found.scores[0] >= 1_000


def test_of_two_versions_only_one_appears(asking: Asking) -> None:
    found = asking.found("twins")
    assert found.rows == [5]  # it is cited more
    assert found.total == 2
    assert asking.rows("twins year:2020") == [4]
    assert asking.rows("twins", excluded_works=[4]) == []


def test_citations_raise_the_score_by_their_factor(tmp_path: Path) -> None:
    alike = [{"title": "graph", "citation_count": count} for count in (0, 1, 3, 1023)]
    found = Asking(searcher_of(tmp_path, alike)).found("graph")
    assert found.rows == [3, 2, 1, 0]
    assert [score / found.scores[-1] for score in found.scores] == pytest.approx(
        [3.0, 1.4, 1.2, 1.0]
    )
    assert [fame(count) for count in (0, 1, 3, 1023)] == pytest.approx([1.0, 1.2, 1.4, 3.0])


def test_equal_scores_are_in_the_order_of_the_papers(tmp_path: Path) -> None:
    asking = Asking(searcher_of(tmp_path, [{"title": "graph"}] * 30, block_bytes=25))
    assert asking.rows("graph") == list(range(30))


def test_a_title_weighs_more_than_an_abstract(tmp_path: Path) -> None:
    papers = [
        {"title": "other words", "abstract": "graph theory"},
        {"title": "graph theory", "abstract": "other words"},
    ]
    assert Asking(searcher_of(tmp_path, papers)).rows("graph") == [1, 0]


@pytest.mark.parametrize(
    ("typed", "rows"),
    [
        ("a", [0, 2, 3]),
        ("atte", [0, 1, 3]),
        ("shaz", [0]),
        ("sta", []),
        ("stat", [1, 2]),
        ("étu", [1]),
        ("studie", [1]),
        ("recurrent neu", [1, 2]),
        ("author:hin", [1, 2]),
        ("author:h", [1, 2]),
        ("venue:n", [0, 1, 2]),
        ("深", [3]),
        ("recurrent ", [0, 1, 2]),
        ("x" * 10_000, []),
    ],
)
def test_the_word_that_is_typed_is_completed(
    asking: Asking, typed: str, rows: Sequence[int]
) -> None:
    assert sorted(asking.rows(typed, prefix=True)) == sorted(rows)


def test_what_begins_a_title_goes_first(asking: Asking) -> None:
    assert asking.rows("atten", prefix=True) == [0, 3, 1]


def test_without_a_match_of_all_words_some_will_do(asking: Asking) -> None:
    found = asking.found("recurrent unheardof")
    assert found.relaxed
    assert sorted(found.rows) == [0, 1, 2]
    assert asking.found('"need attention"').relaxed
    assert asking.found('"vaswani noam"').relaxed  # no phrase goes from one author to the next
    assert not asking.found("recurrent").relaxed


def test_fields_hold_also_when_words_are_left_out(asking: Asking) -> None:
    found = asking.found("recurrent unheardof author:lecun year:2014")
    assert found.relaxed
    assert found.rows == [2]
    nothing = asking.found("recurrent unheardof author:nobody")
    assert (nothing.rows, nothing.total, nothing.relaxed) == ([], 0, False)


def test_a_name_may_be_spelled_as_catalogues_do(tmp_path: Path) -> None:
    names = [["Hinton, Geoffrey E."], ["Geoffrey Everest Hinton"], ["Yann Geoffrey", "Hinton Li"]]
    asking = Asking(searcher_of(tmp_path, [{"authors": each} for each in names]))
    assert sorted(asking.rows('author:"geoffrey hinton"')) == [0, 1]
    assert sorted(asking.rows('author:"hinton, geoffrey"')) == [0, 1]


def test_the_rarest_words_are_kept(asking: Asking) -> None:
    words = "recurrent networks attention state neural etude dominant sequence hinton unheardof"
    found = asking.found(words)
    assert found.relaxed
    assert len(found.query.any_of) == 8


def test_without_a_query_the_most_cited_come_first(asking: Asking) -> None:
    found = asking.found("")
    assert found.rows == [0, 1, 3, 5, 2]
    assert found.scores == pytest.approx([fame(count) for count in (90, 5, 5, 3, 0)])


@pytest.mark.parametrize(
    ("only", "rows"),
    [
        ({"first_year": 2015}, [0]),
        ({"last_year": 2016}, [1]),
        ({"first_year": 2014, "last_year": 2014}, [1]),
        ({"venue_codes": [0, 2]}, [0]),
        ({"venue_codes": []}, []),
        ({"excluded_works": [0, 1]}, [3]),
    ],
)
def test_restrictions(asking: Asking, only: dict[str, Any], rows: Sequence[int]) -> None:
    found = asking.found("attention", **only)
    assert found.rows == rows
    assert found.total == len(rows)


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("query", HOSTILE, ids=range(len(HOSTILE)))
def test_no_query_fails(asking: Asking, query: str, prefix: bool) -> None:
    found = asking.found(query, prefix=prefix)
    assert len(found.rows) == len(found.scores) <= max(found.total, 0)
    assert found.scores == sorted(found.scores, reverse=True)
