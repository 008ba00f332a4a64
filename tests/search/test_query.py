"""The language of queries: what is a word, a phrase, a field; and that nothing is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search_query import MAX_WORDS, Clause, parse


def clause(*words: str, field: str | None = None, begins: bool = False) -> Clause:
    return Clause(words, field, begins)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("deep networks", [clause("deep"), clause("network")]),
        ("deep Deep DEEP", [clause("deep")]),
        ('"deep networks" vision', [clause("deep", "network"), clause("vision")]),
        ("“deep networks” «graph»", [clause("deep", "network"), clause("graph")]),
        ("author:hinton", [clause("hinton", field="author")]),
        ('AUTHOR:"Geoffrey Hinton"', [clause("geoffrey", "hinton", field="author")]),
        ("venue:acl", [clause("acl", field="venue")]),
        ("title:attention x", [clause("attention", field="title"), clause("x")]),
        ("state-of-the-art", [clause("state", "of", "the", "art")]),
        ("don't", [clause("don", "t")]),
        ("vision/language a,b", [clause("vision"), clause("language"), clause("b")]),
        ("深度", [clause("深", "度")]),
        ("author: hinton", [clause("author"), clause("hinton")]),
        ("doi:10", [clause("doi"), clause("10")]),
        ('author:"geoffrey hinton', [clause("geoffrey", field="author"), clause("hinton")]),
        ('x"y', [clause("x"), clause("y")]),
        ('author:"" """"', []),
        ("c++ +foo -bar NOT *", [clause("c"), clause("foo"), clause("bar")]),
        ("year:abc year:.. (year:2015)", [clause("year"), clause("abc"), clause("2015")]),
        ("!!! 😀 \x00 \ud800", []),
        ("", []),
    ],
)  # fmt: skip
def test_clauses_of(text: str, clauses: list[Clause]) -> None:
    query = parse(text)
    assert list(query.clauses) == clauses


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("year:2015", [(2015, 2015)]),
        ("graph YEAR:2015..2020", [(2015, 2020)]),
        ("year:2015.. x year:..2020", [(2015, None), (None, 2020)]),
        ("year:20150", []),
        ("year:२०१५", []),
    ],
)
def test_years_of(text: str, years: list[tuple[int | None, int | None]]) -> None:
    assert list(parse(text).years) == years


def test_words_of_grammar_are_asked_for_only_where_there_is_nothing_else() -> None:
    query = parse("what is attention")
    assert list(query.clauses) == [clause("attention")]
    assert list(query.grammar) == [clause("what"), clause("is")]
    assert list(parse("the who").clauses) == [clause("the"), clause("who")]
    assert list(parse('the "of the"').clauses) == [clause("of", "the")]


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("deep lear", clause("lear", begins=True)),
        ("deep Studies", clause("studies", begins=True)),
        ("self-atten", clause("atten", begins=True)),
        ("author:hin", clause("hin", field="author", begins=True)),
        ('"deep lear', clause("lear", begins=True)),
        ('author:"geoffrey hin', clause("hin", begins=True)),
        ("the", clause("the", begins=True)),
        ("deep ", clause("deep")),
        ("deep!", clause("deep")),
        ('"deep learning"', clause("deep", "learning")),
    ],
)
def test_the_last_word_may_still_be_typed(text: str, last: Clause) -> None:
    assert parse(text, prefix=True).clauses[-1] == last


def test_a_long_query_is_cut() -> None:
    assert len(parse(" ".join(map(str, range(50)))).clauses) == MAX_WORDS
    assert len(parse(" ".join(["deep"] * 9_999)).clauses) == 1
    assert [len(each.words) for each in parse("深" * 9_999).clauses] == [MAX_WORDS]
    assert parse(" " * 20_000 + "deep").clauses == ()


@given(st.text() | st.text(alphabet='"“:author year.2 \\*~^(){}[]+-'), st.booleans())
def test_every_text_is_a_query(text: str, prefix: bool) -> None:
    query = parse(text, prefix=prefix)
    assert sum(len(each.words) for each in query.clauses + query.grammar) <= MAX_WORDS
    assert all(each.words and all(each.words) for each in query.clauses + query.grammar)
