"""Text as the words that the search index knows: one analysis for papers, queries and snippets.

A word is a run of letters, digits and marks, without case, accents and plural; each ideograph and
kana is a word of its own, since nothing stands between two of them.
"""

import re
import unicodedata
from typing import NamedTuple

from models.text import STOP_WORDS

_IDEOGRAPHS = (
    ("\u2e80", "\u2fdf"),  # radicals
    ("\u3005", "\u3007"),
    ("\u3021", "\u3029"),
    ("\u3040", "\u30ff"),  # hiragana, katakana
    ("\u31f0", "\u31ff"),
    ("\u3400", "\u4dbf"),
    ("\u4e00", "\u9fff"),
    ("\uf900", "\ufaff"),
    ("\U00020000", "\U0003ffff"),
)

# Letters that carry a stroke or are joined, which Unicode does not take apart.
_PLAIN = str.maketrans(
    {
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "\u0131": "i",
        "æ": "ae",
        "œ": "oe",
        "þ": "th",
    }
)

_ZERO_WIDTH_SPACE = 0x200B
_VARIATION_SELECTORS = (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))


class _Folding(dict[int, str]):
    """From a code point to what `fold` makes of it, filled as it is asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(chr(code))
        return folded


def _fold(character: str) -> str:
    if unicodedata.category(character)[0] in "PSZ":  # before they are taken apart: ™ is not tm
        return " "
    if any(first <= character <= last for first, last in _IDEOGRAPHS):
        return f" {' '.join(unicodedata.normalize('NFKC', character))} "  # some are two in one
    decomposed = unicodedata.normalize("NFKD", character).casefold()
    decomposed = unicodedata.normalize("NFKD", decomposed).translate(_PLAIN)
    return "".join(map(_kept, decomposed))


def _kept(character: str) -> str:
    category = unicodedata.category(character)
    if category[0] in "LN":
        return character
    if unicodedata.combining(character) or category in {"Cf", "Me"}:
        return ""  # an accent, or nothing that is seen: it parts no word
    return character if category[0] == "M" else " "


_FOLDING = _Folding({_ZERO_WIDTH_SPACE: " "} | dict.fromkeys(_VARIATION_SELECTORS, ""))


def fold(text: str) -> str:
    """Text without case and accents, and with spaces for all that is part of no word."""
    return text.translate(_FOLDING)


class _Stems(dict[str, str]):
    """From a folded word to its stem, filled as it is asked for, up to a bound."""

    def __missing__(self, word: str) -> str:
        if len(self) >= STEMS_KEPT:
            self.clear()
        self[word] = stemmed = _stem(word)
        return stemmed


STEMS_KEPT = 500_000
"""Words whose stems are remembered, about 100 bytes each."""


def _stem(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith("sses") else word[:-1]


_STEMS = _Stems()


def stem(word: str) -> str:
    """A folded word without the `s` of an English plural (after Harman's S-stemmer, 1991)."""
    return _STEMS[word]


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    return list(map(_STEMS.__getitem__, fold(text).split()))


GRAMMAR = frozenset(word for each in STOP_WORDS for word in words(each))
"""Words that say nothing of a paper's subject: a query may have them, a paper need not."""


class Place(NamedTuple):
    """A word and where it stands: `text[begin:end]`, accents and all.

    folded: the word before it was stemmed.
    """

    word: str
    folded: str
    begin: int
    end: int


RUN = re.compile(r"\S+")


def places(text: str, pattern: re.Pattern[str] = RUN) -> list[Place]:
    """The words of a text that match a pattern, and where each stands.

    pattern: of whole words in folded text. All words, by default: they are those of `words`.
    """
    folded = fold(text)
    if text.isascii():  # each character folds to one
        return [Place(_STEMS[each[0]], each[0], *each.span()) for each in pattern.finditer(folded)]
    if not pattern.search(folded):
        return []
    parts = [_FOLDING[ord(character)] for character in text]
    origins = [at for at, part in enumerate(parts) for _ in part]
    found = []
    for each in pattern.finditer(folded):
        begin, end = origins[each.start()], origins[each.end() - 1] + 1
        while end < len(text) and not parts[end]:  # the accents of the last letter
            end += 1
        found.append(Place(_STEMS[each[0]], each[0], begin, end))
    return found
