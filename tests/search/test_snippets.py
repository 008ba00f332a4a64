"""Highlights and snippets: plain text, the right passage, and nothing cut in two."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search_query import parse
from models.snippets import ELLIPSIS, SNIPPET_CHARACTERS, TITLE_CHARACTERS, Highlighter, Span

FILLER = "Nothing of interest stands here, and it goes on for quite some time. " * 6


def marked(spans: list[Span]) -> str:
    return "".join(f"[{span.text}]" if span.highlighted else span.text for span in spans)


def snippet(query: str, text: str, *, prefix: bool = False) -> str:
    return marked(Highlighter(parse(query, prefix=prefix)).snippet(text))


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("network", "Networks, a network; networking", "[Networks], a [network]; networking"),
        ("étude", "Étude, e\u0301tude! etude", "[Étude], [e\u0301tude]! [etude]"),
        ('"deep network"', "deep, networks; deep or network", "[deep, networks]; deep or network"),
        ("state-of-the-art", "the state of the art", "the [state of the art]"),
        ("what is the deep", "The deep is what it is", "The [deep] is what it is"),
        ("the who", "Who is the one", "[Who] is [the] one"),
        ("author:deep", "deep", "deep"),
        ("深度", "基于深度学习", "基于[深度]学习"),
        ("<b>", "a <b>bold</b> b", "a <[b]>bold</[b]> [b]"),
        ("study", "studies of studious study", "[studies] of studious [study]"),
    ],
)  # fmt: skip
def test_what_matched_is_highlighted(query: str, text: str, expected: str) -> None:
    assert snippet(query, text) == expected
    assert marked(Highlighter(parse(query)).title(text)) == expected


def test_a_word_that_is_typed_highlights_what_it_begins() -> None:
    assert snippet("deep lear", "learned deep", prefix=True) == "[learned] [deep]"
    assert snippet("studie", "study studies", prefix=True) == "[study] [studies]"


def test_short_beginnings_are_looked_for_in_titles_alone() -> None:
    highlighter = Highlighter(parse("le", prefix=True))
    assert marked(highlighter.title("Deep learning")) == "Deep [learning]"
    assert marked(highlighter.snippet("Deep learning, le")) == "Deep learning, [le]"


def test_the_field_title_highlights_titles_alone() -> None:
    highlighter = Highlighter(parse("title:deep"))
    assert marked(highlighter.title("deep")) == "[deep]"
    assert marked(highlighter.snippet("deep")) == "deep"


def test_the_snippet_is_the_passage_with_most_of_the_words() -> None:
    text = f"deep deep deep. {FILLER}A deep network of graphs. {FILLER}"
    found = snippet("graph deep network", text)
    assert "[deep] [network] of [graphs]" in found
    assert found.startswith(ELLIPSIS)
    assert found.endswith(ELLIPSIS)


def test_without_a_match_it_is_the_beginning() -> None:
    assert snippet("absent", FILLER).startswith("Nothing of interest")
    assert snippet("absent", "short") == "short"
    assert Highlighter(parse("absent")).snippet("") == []
    assert Highlighter(parse("absent")).title("") == []


def test_words_are_not_cut() -> None:
    shown = snippet("absent", FILLER).removesuffix(ELLIPSIS)
    assert FILLER[len(shown)].isspace()


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("e\u0301" * 5_000, "e\u0301"),
        ("\N{WOMAN}\u200d\N{GIRL}" * 3_000, "\N{WOMAN}\u200d\N{GIRL}"),
        ("\N{WAVING HAND SIGN}\U0001f3fd" * 3_000, "\N{WAVING HAND SIGN}\U0001f3fd"),
        ("हि" * 3_000, "हि"),
    ],
)
def test_shown_characters_are_not_cut(text: str, whole: str) -> None:
    highlighter = Highlighter(parse("absent"))
    for spans in (highlighter.title(text), highlighter.snippet(text)):
        shown = "".join(span.text for span in spans).strip(ELLIPSIS)
        assert len(shown) % len(whole) == 0
        assert shown == whole * (len(shown) // len(whole))


@given(
    st.text() | st.text(alphabet="ab \u0301\u200d👍🏽\u202e", max_size=2_000),
    st.text(),
    st.booleans(),
)
def test_spans_are_pieces_of_the_text(text: str, query: str, prefix: bool) -> None:
    highlighter = Highlighter(parse(query, prefix=prefix))
    title, found = highlighter.title(text), highlighter.snippet(text)
    assert all(span.text for span in title + found)
    spelled = "".join(span.text for span in title)
    assert text.startswith(spelled)
    assert len(spelled) <= TITLE_CHARACTERS
    spelled = "".join(span.text for span in found)
    assert len(spelled) <= SNIPPET_CHARACTERS
    assert spelled.removeprefix(ELLIPSIS).removesuffix(ELLIPSIS) in text


def test_ten_thousand_characters_without_a_space() -> None:
    assert len(snippet("x", "x" * 10_000)) == SNIPPET_CHARACTERS - 1
    long = "x" * 10_000
    spans = Highlighter(parse(long)).snippet(long)
    assert [span.highlighted for span in spans] == [True, False]


def test_text_from_right_to_left() -> None:
    assert snippet("רשתות", "על רשתות עמוקות") == "על [רשתות] עמוקות"
