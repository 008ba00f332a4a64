"""Why a result is there, for people: what each term adds, in plain words and as a bar."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from models.blend import SEED
from relatedpapers.v1.recommendation_service_pb2 import RelatedPaper, ResultSource


class Words(NamedTuple):
    """A term in plain words. short: as one would give it as a reason."""

    name: str
    short: str


WORDS: Mapping[str, Words] = MappingProxyType(
    {
        "text": Words("Shared words", "shared words"),
        "latent": Words("Similar subject", "similar subject"),
        "smoothed_text": Words("Subject, neighbours included", "similar subject"),
        "text_neighborhood": Words("Words of cited papers", "neighbours with shared words"),
        "neighborhood": Words("Citations in common", "citations in common"),
        "co_citation": Words("Cited together", "cited together"),
        "coupling": Words("References in common", "references in common"),
        "authors": Words("Authors in common", "authors in common"),
        "co_readers": Words("Readers in common", "readers in common"),
        "als": Words("Taste of its readers", "similar readers"),
        "citations": Words("Citations in all", "much cited"),
        "citation_rate": Words("Citations a year", "often cited"),
        "recent_citations": Words("Recent citations", "cited lately"),
        "age": Words("Age", "its age"),
        SEED: Words("What one starts from", "what one starts from"),
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

    reasons: what speaks most for the result, in a few words each.
    """

    groups: Sequence[Group]
    total: float
    reasons: Sequence[str]


def words(term: str) -> Words:
    """A term in plain words; one that nobody named here, by its own name."""
    plain = term.replace("_", " ")
    return WORDS.get(term) or Words(plain.capitalize(), plain)


def scale(results: Iterable[RelatedPaper]) -> float:
    """The largest contribution of a list, so that its charts compare; never 0."""
    values = (abs(value) for result in results for value in result.contributions.values())
    return max(values, default=0.0) or 1.0


def why(result: RelatedPaper, popularity: frozenset[str], largest: float) -> Why | None:
    """Why a result is in its list; None for a fallback, which has no score.

    popularity: the names of the terms that know the result alone.
    largest: the `scale` of the list.
    """
    if not result.HasField("score"):
        return None
    values = dict(result.contributions)
    pairs = [term for term in values if term not in popularity and term not in _ALIKE]
    alone = [term for term in values if term in popularity]
    alike = [term for term in values if term in _ALIKE]
    bars = {term: _bar(term, value, largest) for term, value in values.items()}
    groups = [
        Group("Between the two", _sorted(bars, pairs)),
        Group("This paper alone", _sorted(bars, alone)),
        Group(
            "Alike for the whole list",
            [*_sorted(bars, alike), _bar("bias", result.bias, largest)],
        ),
    ]
    reasons = [bar.term for bar in groups[0].bars[:_REASONS] if bar.value >= _SMALL]
    return Why(
        [group for group in groups if group.bars],
        result.bias + sum(values.values()),
        list(dict.fromkeys(words(term).short for term in reasons)),
    )


def _sorted(bars: Mapping[str, Bar], terms: Iterable[str]) -> list[Bar]:
    return sorted((bars[term] for term in terms), key=lambda bar: (-bar.value, bar.term))


def _bar(term: str, value: float, largest: float) -> Bar:
    width = min(abs(value) / largest, 1.0) * _HALF
    x = _HALF if value >= 0 else _HALF - width
    return Bar(term, words(term).name, value, round(x, 2), round(width, 2))


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
