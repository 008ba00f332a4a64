"""From a corpus to its signals and popularity features: everything that is fitted but the blend."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.citations import co_citation, coupling, neighborhood
from models.corpus import Corpus
from models.drafts import DraftEncoder
from models.latent import fit_latent, unit_rows
from models.papers import PaperIndex
from models.popularity import popularity_features
from models.signals import DenseSignal, Signal, SparseSignal
from models.strings import SortedStrings
from models.tfidf import fit_tfidf


@dataclass(frozen=True)
class Features:
    """`signals` by name; `papers`: float32, papers x popularity terms; `encoder` makes the rows of
    drafts."""

    signals: Mapping[str, Signal]
    papers: NDArray[np.float32]
    encoder: DraftEncoder


def build_features(corpus: Corpus, seed: int) -> Features:
    """Fit every signal on the corpus alone. A signal without any entry is left out."""
    tfidf = fit_tfidf(corpus.table)
    latent = fit_latent(tfidf.matrix, seed)
    coupled = coupling(corpus.citations, corpus.external)
    signals: dict[str, Signal] = {}
    if tfidf.matrix.nnz:
        signals["text"] = SparseSignal.build(tfidf.matrix)
        signals["latent"] = DenseSignal(latent.vectors)
    if corpus.citations.nnz:
        near = neighborhood(corpus.citations)
        signals["neighborhood"] = SparseSignal.build(near)
        if tfidf.matrix.nnz:
            smoothed = near.astype(bool).astype(np.float32) @ latent.vectors
            signals["smoothed_text"] = DenseSignal(unit_rows(smoothed))
        if not corpus.undirected:
            signals["co_citation"] = SparseSignal.build(co_citation(corpus.citations))
    if coupled.matrix.nnz and not corpus.undirected:
        signals["coupling"] = SparseSignal.build(coupled.matrix)
    encoder = DraftEncoder(
        vocabulary=tfidf.vocabulary,
        idf=tfidf.idf,
        components=latent.components,
        papers=PaperIndex.build(corpus.ids),
        external=corpus.external_ids,
        reference_weight=coupled.weight,
        last_year=int(corpus.year.max(initial=0)),
    )
    popularity = popularity_features(corpus.citations, corpus.year)
    return Features(signals, popularity, encoder)
