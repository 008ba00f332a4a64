"""From a corpus to its signals and popularity features: what is fitted, all of it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.citations import co_citation, coupling, neighborhood
from models.corpus import Corpus
from models.drafts import DraftEncoder
from models.latent import fit_latent, unit_rows
from models.papers import PaperIndex
from models.signals import DenseSignal, Signal, SparseSignal
from models.strings import SortedStrings
from models.tfidf import fit_tfidf

PAPER_TERMS = ("citations", "citation_rate", "recent_citations", "age")
RECENT_YEARS = 3


@dataclass(frozen=True)
class Features:
    """`signals` by name; `papers`: float32, papers x PAPER_TERMS; `encoder` makes drafts' rows."""

    signals: Mapping[str, Signal]
    papers: NDArray[np.float32]
    encoder: DraftEncoder


def build_features(corpus: Corpus, seed: int) -> Features:
    """Fit every signal on the corpus alone."""
    tfidf = fit_tfidf(corpus.table)
    latent = fit_latent(tfidf.matrix, seed)
    signals: dict[str, Signal] = {}
    if tfidf.matrix.nnz:
        signals["text"] = SparseSignal.build(tfidf.matrix)
        signals["latent"] = DenseSignal(latent.vectors)
    external = SortedStrings.build(corpus.external_ids)
    order = np.array([corpus.external_ids.index(each) for each in ()], np.int64)
    position = {name: at for at, name in enumerate(corpus.external_ids)}
    order = np.fromiter((position[external[at]] for at in range(len(external))), np.int64)
    coupled = coupling(corpus.citations, corpus.external[:, order])
    if corpus.citations.nnz:
        near = neighborhood(corpus.citations)
        if not corpus.undirected:
            signals["co_citation"] = SparseSignal.build(co_citation(corpus.citations))
        signals["neighborhood"] = SparseSignal.build(near)
        if tfidf.matrix.nnz:
            signals["smoothed_text"] = DenseSignal(
                unit_rows((near > 0).astype(np.float32) @ latent.vectors)
            )
    if coupled.matrix.nnz and not corpus.undirected:
        signals["coupling"] = SparseSignal.build(coupled.matrix)
    encoder = DraftEncoder(
        tfidf.vocabulary,
        tfidf.idf,
        latent.components,
        PaperIndex.build(corpus.ids),
        external,
        coupled.weight,
    )
    return Features(signals, paper_features(corpus), encoder)


def paper_features(corpus: Corpus) -> NDArray[np.float32]:
    """What is known of a paper alone, float32, papers x PAPER_TERMS."""
    year = corpus.year.astype(np.int64)
    known = year > 0
    last = int(year.max(initial=0))
    age = np.where(known, last - year, np.median(last - year[known]) if known.any() else 0) + 1.0
    cited_by = corpus.citations.T.tocsr()
    citations = np.diff(cited_by.indptr)
    recent = np.asarray(corpus.citations[year > last - RECENT_YEARS].sum(axis=0)).ravel()
    columns = [
        np.log1p(citations),
        np.log1p(3 * citations / (age + 1)),
        np.log1p(recent),
        np.log(age),
    ]
    return np.stack(columns, axis=1).astype(np.float32)
