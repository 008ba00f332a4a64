"""What each term of the blend measures, in a sentence for people."""

from collections.abc import Mapping
from types import MappingProxyType

from models.blend import SEED

DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "text": "How alike the words of both papers are: the cosine of their TF-IDF vectors.",
        "latent": "How alike the subjects of both texts are, whatever their words: the cosine of "
        "their latent semantic vectors.",
        "smoothed_text": "How alike the subjects of both papers are, each taken together with the "
        "papers that it cites or that cite it.",
        "text_neighborhood": "How far the citation neighbourhoods of both papers, and of those "
        "whose words are most like theirs, overlap.",
        "neighborhood": "How far the papers that cite either, or that either cites, are the same.",
        "co_citation": "How often both are cited together; recent papers and short reference "
        "lists count more.",
        "shared_neighbors": "How far the papers nearest to both, by the subjects and the "
        "neighbourhoods around them, are the same.",
        "coupling": "How far both cite the same works; works that few cite count more.",
        "authors": "How many authors both papers have in common.",
        "co_readers": "How far the same readers have both papers.",
        "als": "How alike the tastes of those who read either paper are.",
        "citations": "How often the result is cited.",
        "citation_rate": "How often the result is cited a year, over its life.",
        "recent_citations": "How often the papers of the last years cite the result.",
        "age": "How old the result is.",
        SEED: "How much cited the seed is, and how old; alike for all of its results.",
    }
)
"""By the names of `Blend.term_names`."""
