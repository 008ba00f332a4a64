"""Why a result is there, for people: what each term adds, in plain words and as a bar."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from models.blend import SEED
from relatedpapers.v1.recommendation_service_pb2 import (
    RecommendedPaper,
    RelatedPaper,
    ResultSource,
)

Result: TypeAlias = RelatedPaper | RecommendedPaper
"""One of a list: papers related to a paper, or papers for a reader."""


class Words(NamedTuple):
    """A term in plain words. short: as one would give it as a reason."""

    name: str
    short: str


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "text": Words("Shared words", "shared words"),
        "latent": Words("Similar subject", "similar subject"),
        "smoothed_text": Words("Subject around it", "similar subject"),
        "text_neighborhood": Words("Neighbours' words", "neighbours alike in words"),
        "neighborhood": Words("Citations in common", "citations in common"),
        "co_citation": Words("Cited together", "cited together"),
        "shared_neighbors": Words("Neighbours in common", "neighbours in common"),
        "coupling": Words("References in common", "references in common"),
        "authors": Words("Authors in common", "authors in common"),
        "co_readers": Words("Readers in common", "readers in common"),
        "saves": Words("How many readers have it", "many readers"),
        "als": Words("Readers alike", "readers alike"),
        "citations": Words("Citations in all", "much cited"),
        "citation_rate": Words("Citations a year", "often cited"),
        "recent_citations": Words("Recent citations", "cited lately"),
        "age": Words("Age", "its age"),
        SEED: Words("The seed's citations", "the seed's citations"),
        "reader": Words("Your history", "your history"),
        "bias": Words("Start value", "start value"),
    }
)

_ALIKE = {SEED, "bias"}
"""Terms that are the same for every result of a list (of one seed)."""

_REASONS = 3
_SMALL = 0.05
"""A contribution that changes the odds by less than a twentieth is no reason."""

_HALF = 50.0
"""Half the width of a chart, in its own unit."""


class Bar(NamedTuple):
    """One contribution. x, width: of its bar, in a chart that is 100 wide and has 0 at 50."""

    term: str
    name: str
    value: float
    x: float
    width: float


class Group(NamedTuple):
    """Contributions that belong together."""

    name: str
    bars: Sequence[Bar]


class Why(NamedTuple):
    """groups: every contribution and the bias. total: their sum, the score's logit.

    reasons: what speaks most for the result, in a few words each. strip: what connects the two as
    one bar in parts, the largest first, in a chart that is 100 wide.
    """

    groups: Sequence[Group]
    total: float
    reasons: Sequence[str]
    strip: Sequence[Bar]


def words(term: str) -> Words:
    """A term in plain words; one that nobody named here, by its own name."""
    plain = term.replace("_", " ")
    return WORDS.get(term) or Words(plain.capitalize(), plain)


class Scale(NamedTuple):
    """What the charts of one list share, so that they compare; neither is 0.

    largest: the largest contribution. connected: the most that connects a result to its seeds.
    """

    largest: float
    connected: float


def scale(results: Sequence[Result], popularity: frozenset[str] = frozenset()) -> Scale:
    """The scale of a list. popularity: the names of the terms that know the result alone."""
    values = (abs(value) for result in results for value in result.contributions.values())
    connected = (
        sum(max(result.contributions[term], 0.0) for term in _pairs(result, popularity))
        for result in results
    )
    return Scale(max(values, default=0.0) or 1.0, max(connected, default=0.0) or 1.0)


def why(result: Result, popularity: frozenset[str], shared: Scale) -> Why | None:
    """Why a result is in its list; None for a fallback, which has no score.

    popularity: the names of the terms that know the result alone. shared: the scale of the list.
    """
    if not result.HasField("score"):
        return None
    bars = {term: _bar(term, value, shared.largest) for term, value in result.contributions.items()}
    pairs = _sorted(bars, _pairs(result, popularity))
    groups = [
        Group("Between the two", pairs),
        Group("This paper alone", _sorted(bars, (term for term in bars if term in popularity))),
        Group(
            "Alike for the whole list",
            [
                *_sorted(bars, (term for term in bars if term in _ALIKE)),
                _bar("bias", result.bias, shared.largest),
            ],
        ),
    ]
    reasons = [words(bar.term).short for bar in pairs[:_REASONS] if bar.value >= _SMALL]
    return Why(
        groups=[group for group in groups if group.bars],
        total=result.bias + sum(result.contributions.values()),
        reasons=list(dict.fromkeys(reasons)),
        strip=_strip(pairs, shared.connected),
    )


def _pairs(result: Result, popularity: frozenset[str]) -> list[str]:
    return [term for term in result.contributions if term not in popularity | _ALIKE]


def _sorted(bars: Mapping[str, Bar], terms: Iterable[str]) -> list[Bar]:
    return sorted((bars[term] for term in terms), key=lambda bar: (-bar.value, bar.term))


def _bar(term: str, value: float, largest: float) -> Bar:
    width = min(abs(value) / largest, 1.0) * _HALF
    x = _HALF if value >= 0 else _HALF - width
    return Bar(term, words(term).name, value, round(x, 2), round(width, 2))


def _strip(pairs: Sequence[Bar], connected: float) -> list[Bar]:
    """The bars that speak for the result, one after the other."""
    laid: list[Bar] = []
    x = 0.0
    for bar in pairs:
        if bar.value > 0:
            width = bar.value / connected * 2 * _HALF
            laid.append(bar._replace(x=round(x, 2), width=round(width, 2)))
            x += width
    return laid


SOURCES: Mapping[int, Words] = MappingProxyType(
    {
        ResultSource.RESULT_SOURCE_TEXT_FALLBACK: Words(
            "Similar words", "The model has no score for it. It shares words, and nothing more."
        ),
        ResultSource.RESULT_SOURCE_POPULAR_FALLBACK: Words(
            "Popular now", "Nothing related is left. It is recent and much cited."
        ),
    }
)
"""What a result that the model did not score rests on."""
