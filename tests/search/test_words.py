"""The words of a text: one analysis for papers, queries and snippets."""

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.search_words import fold, places, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Deep Learning", "deep learning"),
        ("Müller naïve e\u0301tude Ørsted Łódź", "muller naive etude orsted lodz"),
        ("STRASSE straße", "strasse strasse"),
        ("state-of-the-art, t-SNE; GPT-3.5", "state of the art t sne gpt 3 5"),
        ("networks studies classes class bus", "network study class class bus"),
        ("analysis gas", "analysis gas"),
        ("don't Alzheimer’s", "don t alzheimer s"),
        (r"$\mathcal{O}(n \log n)$ x²", "mathcal o n log n x2"),
        ("深度学习 ニュー", "深 度 学 习 ニ ュ ー"),
        ("こヿ", "こ コ ト"),
        ("हिन्दी 한국어 עברית العَرَبِيَّة", "हिनदी 한국어 עברית العربية"),
        ("soft\u00adhyphen zero\u200bwidth CUDA™ 👩‍👩‍👧 ½", "softhyphen zero width cuda 1 2"),
        ("ﬁnite \uff37\uff29\uff24\uff25", "finite wide"),
        ("\x00a\ud800b\n\tc", "a b c"),
        ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", ""),
    ],
)  # fmt: skip
def test_words_of(text: str, expected: str) -> None:
    assert words(text) == normalize("NFD", expected).split()


@given(st.text())
def test_places_are_where_the_words_stand(text: str) -> None:
    found = places(text)
    assert [place.word for place in found] == words(text)
    for place in found:
        assert 0 <= place.begin < place.end <= len(text)
        assert place.folded in fold(text[place.begin : place.end]).split()
    begins = [place.begin for place in found]
    assert begins == sorted(begins)


@given(st.text())
def test_words_of_words_are_the_same(text: str) -> None:
    again = " ".join(fold(text).split())
    assert words(again) == words(text)
