"""From a corpus to its signals and popularity features: everything that is fitted but the blend."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models import citations as cited
from models import readers
from models.als import fit_item_factors
from models.candidates import in_blocks, top_k
from models.corpus import Corpus
from models.drafts import NEAR_TEXTS, DraftEncoder, author_key
from models.latent import fit_latent
from models.libraries import wanted
from models.papers import PaperIndex
from models.popularity import popularity_features
from models.rows import mean_sparse_rows, unit_rows
from models.shared_neighbors import BY, NEAREST, shared_neighbors
from models.signals import DenseSignal, Signal, SparseSignal, only
from models.strings import SortedStrings
from models.tfidf import TermCounts, fit_tfidf


@dataclass(frozen=True)
class Features:
    """`signals` by name; `papers`: float32, papers x popularity terms; `encoder` makes the rows of
    drafts."""

    signals: Mapping[str, Signal]
    papers: NDArray[np.float32]
    encoder: DraftEncoder


def build_features(
    corpus: Corpus, counts: TermCounts, libraries: sp.csr_matrix, seed: int, threads: int = 1
) -> Features:
    """Fit every signal on the corpus, its papers' terms, and its readers' libraries (float32
    CSR, readers x papers, signed weights).

    A signal without any entry is left out.
    """
    tfidf = fit_tfidf(counts)
    latent = fit_latent(tfidf, seed)
    linked = cited.links(corpus.citations)
    steps = cited.walk(linked, latent.vectors)
    coupled = cited.coupling(corpus.citations, corpus.external)
    authors, names = _authors(corpus)
    text = SparseSignal.build(tfidf.matrix)
    has_text, has_links = tfidf.matrix.nnz > 0, linked.nnz > 0
    signals: dict[str, Signal] = {}
    if has_text:
        signals["text"] = text
        signals["latent"] = DenseSignal(latent.vectors)
    if has_text and has_links:
        signals["smoothed_text"] = DenseSignal(cited.smoothed_text(linked, latent.vectors))
        near = nearest(text, linked, NEAR_TEXTS, threads)
        signals["text_neighborhood"] = SparseSignal.build(cited.text_neighborhood(steps, near))
        lists = [nearest(signals[name], linked, NEAREST, threads) for name in BY]
        signals["shared_neighbors"] = SparseSignal.build(shared_neighbors(lists))
    if has_links:
        signals["neighborhood"] = SparseSignal.build(cited.neighborhood(linked))
    if has_links and not corpus.undirected:
        co_citation = cited.co_citation(corpus.citations, corpus.year)
        signals["co_citation"] = SparseSignal.build(co_citation)
    if coupled.matrix.nnz and not corpus.undirected:
        signals["coupling"] = SparseSignal.build(coupled.matrix)
    if authors.nnz:
        signals["authors"] = SparseSignal.build(authors)
    if wanted(libraries).nnz:
        signals["co_readers"] = SparseSignal.build(readers.co_readers(libraries))
        factors = fit_item_factors(libraries, seed, threads)
        signals["als"] = DenseSignal(unit_rows(factors))
    encoder = DraftEncoder(
        vocabulary=tfidf.vocabulary,
        idf=tfidf.idf,
        components=latent.components,
        papers=PaperIndex.build(corpus.ids),
        external=corpus.external_ids,
        reference_weight=coupled.weight,
        authors=names,
        texts=text,
        latent=latent.vectors,
        steps=steps,
        near={name: signals[name] for name in BY if name in signals},
        last_year=int(corpus.year.max(initial=0)),
    )
    popularity = popularity_features(corpus.citations, corpus.year)
    return Features(signals, popularity, encoder)


def nearest(signal: Signal, linked: sp.csr_matrix, k: int, threads: int) -> sp.csr_matrix:
    """papers x papers, rows of sum 1: the k most similar papers of each, by their similarity, among
    those that have links. The others lend nothing: a new paper changes nobody's row."""
    among = only(signal, np.diff(linked.indptr) > 0)
    k = min(k, signal.papers)

    def work(block: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        return top_k(signal, block, k, among=among)

    found = list(in_blocks(np.arange(signal.papers), work, threads))
    rows, similarity = (np.concatenate(parts) for parts in zip(*found, strict=True))
    place, rank = np.nonzero((rows >= 0) & (similarity > 0))
    entries = (similarity[place, rank], (place, rows[place, rank]))
    return mean_sparse_rows(sp.csr_matrix(entries, (signal.papers, signal.papers)))


def _authors(corpus: Corpus) -> tuple[sp.csr_matrix, SortedStrings]:
    """float32, papers x authors, 1 where the author is one of the paper's; and the authors."""
    lists = [sorted({author_key(name) for name in each} - {""}) for each in corpus.authors]
    names = SortedStrings.build(name for each in lists for name in each)
    columns = names.positions([name for each in lists for name in each])
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in lists])])
    ones = np.ones(len(columns), np.float32)
    return sp.csr_matrix((ones, columns, indptr), (len(lists), len(names))), names
