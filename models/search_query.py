"""The language of queries. Nothing is malformed: what is no part of the language is text."""

import re
from dataclasses import dataclass

from models.search_words import GRAMMAR, fold, stem, words

MAX_CHARACTERS = 10_000
MAX_WORDS = 32
"""What counts of a long query; the rest is not looked at."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))  # noqa: RUF001 - quotation marks
_PART = re.compile(
    r"""(?:(?P<field>author|title|venue):(?=[^\s:]))?  # a field has its value at once
        (?:"(?P<phrase>[^"]*)"|(?P<text>[^\s"]+))""",
    re.VERBOSE | re.IGNORECASE,
)
_YEARS = re.compile(
    r"(?<!\S)year:(?:(?P<one>\d{1,4})|(?=\S*\d)(?P<first>\d{1,4})?\.\.(?P<last>\d{1,4})?)(?!\S)",
    re.ASCII | re.IGNORECASE,
)
# What ends a compound: `state-of-the-art`, `don't` and `3.5` are phrases, `vision/language` is not.
_COMPOUND = re.compile(r"[^!\"#$%&()*+,/:;<=>?@\[\\\]^`{|}~]+")


@dataclass(frozen=True, slots=True)
class Clause:
    """Words that must stand side by side in a field, or anywhere if it is None.

    begins: of a single word, that it is the beginning of a word and not a whole one; it is folded
    and not stemmed.
    """

    words: tuple[str, ...]
    field: str | None = None
    begins: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What a query asks for.

    clauses: each must match.
    any_of: at least one must match, if there are any.
    grammar: words of grammar, which need not.
    years: bounds that must all hold, inclusive; None where there is none.
    whole: the words of the whole text, which may be a title.
    text: itself, which may be an id.
    """

    clauses: tuple[Clause, ...] = ()
    any_of: tuple[Clause, ...] = ()
    grammar: tuple[Clause, ...] = ()
    years: tuple[tuple[int | None, int | None], ...] = ()
    whole: tuple[str, ...] = ()
    text: str = ""

    @property
    def asks(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self.clauses or self.years)


def parse(text: str, *, prefix: bool = False) -> Query:
    """The query that a person typed. prefix: its last word may be the beginning of one."""
    text = text[:MAX_CHARACTERS].strip() if not prefix else text[:MAX_CHARACTERS].lstrip()
    years = tuple(_bounds(each) for each in _YEARS.finditer(text))
    clauses = _Clauses()
    rest = _balanced(_YEARS.sub(" ", text).translate(_QUOTES))
    for part in _PART.finditer(rest):
        field = part["field"].lower() if part["field"] else None
        if part["phrase"] is not None:
            clauses.add(words(part["phrase"]), field)
        elif part["text"] is not None:
            typing = prefix and part.end() == len(rest)
            _add_text(clauses, part["text"], field, typing=typing)
    content = tuple(each for each in clauses.found if not _is_grammar(each))
    return Query(
        clauses=content or tuple(clauses.found),
        grammar=tuple(each for each in clauses.found if content and _is_grammar(each)),
        years=years,
        whole=tuple(words(text)),
        text=text.strip(),
    )


def _balanced(text: str) -> str:
    """Without the last quotation mark if it has no partner."""
    if text.count('"') % 2 == 0:
        return text
    before, _, after = text.rpartition('"')
    return before + ("" if before.endswith(":") else " ") + after


class _Clauses:
    """Gathers clauses, each once, up to the bound of words."""

    def __init__(self) -> None:
        self.found: dict[Clause, None] = {}
        self._words = 0

    def add(self, in_order: list[str], field: str | None, *, begins: bool = False) -> None:
        kept = tuple(in_order[: MAX_WORDS - self._words])
        self._words += len(kept)
        if kept:
            self.found[Clause(kept, field, begins)] = None


def _add_text(clauses: _Clauses, text: str, field: str | None, *, typing: bool) -> None:
    """Text without spaces, `typing` if a person is at its end."""
    compounds = [each for found in _COMPOUND.findall(text) if (each := fold(found).split())]
    for number, folded in enumerate(compounds, 1):
        last = typing and number == len(compounds) and fold(text)[-1:] not in {"", " "}
        stems = [stem(word) for word in folded]
        if last:
            for word in stems[:-1]:
                clauses.add([word], field)
            clauses.add(folded[-1:], field, begins=True)
        else:
            clauses.add(stems, field)


def _is_grammar(clause: Clause) -> bool:
    word, *others = clause.words
    return clause.field is None and not others and not clause.begins and word in GRAMMAR


def _bounds(found: re.Match[str]) -> tuple[int | None, int | None]:
    if found["one"]:
        return int(found["one"]), int(found["one"])
    first, last = found["first"], found["last"]
    return int(first) if first else None, int(last) if last else None
