"""What of a paper's text a query matched, as spans of plain text."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from models.search_index import SHORT
from models.search_query import Clause, Query
from models.search_words import Place, places, stem, words

TITLE_CHARACTERS = 1_000
SNIPPET_CHARACTERS = 300
"""How much of a title and of an abstract is shown."""

ELLIPSIS = "…"

LOOKED_AT = 20_000
"""How much of a text is looked at for matches."""

LEAD = 60
"""How much may stand before the first match of a snippet."""

NEAR = 40
"""How far a cut looks for white space, so that no word is cut."""

JOINER = "\N{ZERO WIDTH JOINER}"
SKIN_TONES = frozenset(map(chr, range(0x1F3FB, 0x1F400)))
FLAGS = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
"""Letters that make a flag by twos."""


class Span(NamedTuple):
    """A piece of text, and whether it matched."""

    text: str
    highlighted: bool


class Highlighter:
    """Finds what a query matched in texts."""

    def __init__(self, query: Query) -> None:
        clauses = [*query.clauses, *query.any_of]
        free = [each for each in clauses if each.field is None]
        self._title = _Matcher([each for each in clauses if each.field in {None, "title"}], short=1)
        # Only titles and names match by so short a beginning: see models.search_index.
        self._abstract = _Matcher(free, short=SHORT + 1)

    def title(self, text: str) -> list[Span]:
        """The title, or its beginning."""
        end = _before(text, TITLE_CHARACTERS)
        return list(_spans(text, 0, end, self._title.find(text[:LOOKED_AT])))

    def snippet(self, text: str) -> list[Span]:
        """The passage of an abstract that has the most different matches, the earliest of them."""
        matches = self._abstract.find(text[:LOOKED_AT])
        begin, end = _passage(text, matches)
        before = [Span(ELLIPSIS, highlighted=False)] if begin else []
        after = [Span(ELLIPSIS, highlighted=False)] if end < len(text) else []
        return [*before, *_spans(text, begin, end, matches), *after]


class _Match(NamedTuple):
    """`text[begin:end]` matches the clause of that number."""

    begin: int
    end: int
    clause: int


class _Matcher:
    """Finds clauses in texts: phrases, and words alone.

    short: the fewest letters by which a word is found that only begins with them.
    """

    def __init__(self, clauses: Sequence[Clause], *, short: int) -> None:
        self._clauses = clauses
        self._short = short
        forms = {form for each in clauses for word in each.words for form in _forms(word)}
        # Every word with the stem `study` begins with `stud`: only such words are looked at.
        roots = {form[:-1] if form.endswith("y") and len(form) > 1 else form for form in forms}
        either = "|".join(map(re.escape, sorted(roots)))
        self._pattern = re.compile(rf"(?<!\S)(?:{either})\S*") if roots else None

    def find(self, text: str) -> list[_Match]:
        """In the order of the text; none overlaps another."""
        if self._pattern is None:
            return []
        found = places(text, self._pattern)
        matches = [
            _Match(found[at].begin, found[at + len(clause.words) - 1].end, number)
            for number, clause in enumerate(self._clauses)
            for at in range(len(found) - len(clause.words) + 1)
            if self._matches(text, found[at : at + len(clause.words)], clause)
        ]
        matches.sort(key=lambda each: (each.begin, -each.end))
        apart: list[_Match] = []
        for each in matches:
            if not apart or each.begin >= apart[-1].end:
                apart.append(each)
        return apart

    def _matches(self, text: str, found: Sequence[Place], clause: Clause) -> bool:
        if clause.begins:
            (beginning,), (place,) = clause.words, found
            if len(beginning) >= self._short and place.folded.startswith(beginning):
                return True
            return place.word in _forms(beginning)[1:]
        return all(
            place.word == word for place, word in zip(found, clause.words, strict=True)
        ) and not any(words(text[one.end : other.begin]) for one, other in pairwise(found))


def _forms(word: str) -> tuple[str, str, str]:
    """A word, and what it becomes without its plural, or as one."""
    return word, stem(word), stem(f"{word}s")


def _passage(text: str, matches: Sequence[_Match]) -> tuple[int, int]:
    """Where the snippet begins and ends in the text."""
    room = SNIPPET_CHARACTERS - 2 * len(ELLIPSIS)
    if len(text) <= SNIPPET_CHARACTERS:
        return 0, len(text)
    first = _richest(matches, room - LEAD)
    begin = min(max(0, first - LEAD), len(text) - room)
    if begin:
        begin = _after(text, begin, first)
    end = begin + room
    return begin, len(text) if end >= len(text) else _before(text, end)


def _richest(matches: Sequence[_Match], room: int) -> int:
    """Where the stretch begins that has the most different matches; 0 if there is none."""
    inside: Counter[int] = Counter()
    best, begin, last = 0, 0, 0
    for number, first in enumerate(matches):
        while last < len(matches) and matches[last].end <= first.begin + room:
            inside[matches[last].clause] += 1
            last += 1
        if len(inside) > best or number == 0:
            best, begin = len(inside), first.begin
        if last > number:
            inside -= Counter([first.clause])
        else:  # it is longer than the room
            last = number + 1
    return begin


def _spans(text: str, begin: int, end: int, matches: Iterable[_Match]) -> Iterator[Span]:
    """`text[begin:end]`, what matched apart from the rest."""
    at = begin
    for match in matches:
        first, last = max(match.begin, begin), min(match.end, end)
        if first < last:
            if at < first:
                yield Span(text[at:first], highlighted=False)
            yield Span(text[first:last], highlighted=True)
            at = last
    if at < end:
        yield Span(text[at:end], highlighted=False)


def _before(text: str, at: int) -> int:
    """Where to cut, at a place or before it: at white space if it is near, else between whole
    characters."""
    if at >= len(text):
        return len(text)
    for place in range(at, max(at - NEAR, 0), -1):
        if text[place].isspace():
            return place
    return next((place for place in range(at, max(at - NEAR, 0), -1) if _parts(text, place)), at)


def _after(text: str, at: int, limit: int) -> int:
    """The same at or after a place, no further than the limit; behind the white space."""
    nearby = range(at, max(min(at + NEAR, limit), at) + 1)
    for place in nearby:
        if text[place - 1].isspace():
            return place
    return next((place for place in nearby if _parts(text, place)), at)


def _parts(text: str, at: int) -> bool:
    """Whether one shown character ends where the next begins: no accent, flag or family is cut."""
    before, after = text[at - 1], text[at]
    joined = (
        unicodedata.category(after)[0] == "M"
        or JOINER in {before, after}
        or after in SKIN_TONES
        or (before in FLAGS and after in FLAGS)
    )
    return not joined
