"""Text as terms: the one analysis that training and serving share."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

TITLE_WEIGHT = 2
"""How often a title is counted; it names the subject more surely than the abstract."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")

# Words of grammar, which say nothing of a paper's subject.
STOP_WORDS = frozenset(
    """a about above after again all also although am among an and any are as at be because been
    before being below between both but by can cannot could did do does doing down during each
    either et etc few for from further had has have having he her here hers him his how however i
    if in into is it its itself just may me might more most must my nor not of off on once only or
    other our ours out over own per s same shall she should since so some such t than that the
    their theirs them then there therefore these they this those through thus to too toward towards
    under until up upon us use used uses using very via was we well were what when where whether
    which while who whom whose why will with within without would yet you your yours""".split()
)


def words(text: str) -> list[str]:
    """Lower-case words of two characters and more without stop words, in order."""
    text = unicodedata.normalize("NFKC", text).lower()
    return [word for word in _WORD.findall(text) if len(word) > 1 and word not in STOP_WORDS]


def fields(title: str, abstract: str, keywords: Sequence[str]) -> Iterator[list[str]]:
    """The words of each field; a phrase never spans two of them."""
    title_words = words(title)
    for _ in range(TITLE_WEIGHT):
        yield title_words
    yield words(abstract)
    for keyword in keywords:
        yield words(keyword)


def terms(title: str, abstract: str, keywords: Sequence[str]) -> Iterator[str]:
    """Every occurrence of a word, and of two words side by side (`latent factor`)."""
    for each in fields(title, abstract, keywords):
        yield from each
        yield from bigrams(each)


def bigrams(in_order: Sequence[str]) -> Iterable[str]:
    """Each two words side by side, as one term."""
    return (f"{first} {second}" for first, second in pairwise(in_order))
