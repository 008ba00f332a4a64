"""The first sentences of an abstract, and texts cut to a length."""

import re
from collections.abc import Sequence

_END = re.compile(
    r"""
    (?: (?<=[.!?]) | (?<=[.!?]["'”’)\]]) ) \s+ (?=["'“‘(\[]?[^\W_a-z])  # a capital or a number
    | (?<=[\u3002\uff01\uff1f])  # full stop, ! and ? of Chinese and Japanese: no space follows
    """,
    re.VERBOSE,
)
_NO_END = re.compile(
    r"(?:^|[\s(\[])(?:[A-Z]|al|approx|ca|cf|cp|Dr|e\.g|Eq|Eqs|etc|ex|Fig|Figs|i\.e|Mr|Mrs|Ms|No|"
    r"Prof|Ref|Refs|resp|Sec|St|Tab|vs|viz)\.$"
)
"""What ends in a full stop and goes on: abbreviations, and initials of a name."""


def sentences(text: str) -> str:
    """The first two sentences of a text on one line."""
    line = " ".join(text.split())
    start, found = 0, 0
    for end in _END.finditer(line):
        if _NO_END.search(line[start : end.start()]):
            continue
        found += 1
        start = end.end()
        if found == 2:
            return line[: end.start()]
    return line


def cut(text: str, length: int) -> str:
    """At most so many characters: cut between words where one ends not long before."""
    if len(text) <= length:
        return text
    if length < 2:
        return ""
    space = text.rfind(" ", length // 2, length)
    return text[: space if space > 0 else length - 1].rstrip(" ,;:.") + "…"


def names(authors: Sequence[str], length: int) -> str:
    """Authors with commas between, as many as about so many characters hold; then how many more."""
    shown: list[str] = []
    for author in authors:
        if shown and len(", ".join([*shown, author])) > length:
            return f"{', '.join(shown)} and {len(authors) - len(shown)} more"
        shown.append(cut(author, length))
    return ", ".join(shown)
