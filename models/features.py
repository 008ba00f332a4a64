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
from models.signals import DenseSignal, Signal, SparseSignal
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
        near = near_texts(text, linked, threads)
        signals["text_neighborhood"] = SparseSignal.build(cited.text_neighborhood(steps, near))
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
        last_year=int(corpus.year.max(initial=0)),
    )
    popularity = popularity_features(corpus.citations, corpus.year)
    return Features(signals, popularity, encoder)


def near_texts(text: SparseSignal, linked: sp.csr_matrix, threads: int) -> sp.csr_matrix:
    """papers x papers, rows of sum 1: the nearest texts among the papers that have links, each by
    its cosine. Papers without links have no neighbourhood to lend."""
    lending = sp.diags_array((np.diff(linked.indptr) > 0).astype(np.float32))
    among = SparseSignal(text.matrix, SparseSignal.build(lending @ text.matrix).transposed)
    papers = text.papers
    k = min(NEAR_TEXTS, papers)
    found = list(in_blocks(np.arange(papers), lambda block: top_k(among, block, k), threads))
    rows = np.concatenate([rows for rows, _ in found])
    scores = np.concatenate([scores for _, scores in found])
    place, rank = np.nonzero(rows >= 0)
    entries = (scores[place, rank], (place, rows[place, rank]))
    return mean_sparse_rows(sp.csr_matrix(entries, (papers, papers)))


def _authors(corpus: Corpus) -> tuple[sp.csr_matrix, SortedStrings]:
    """float32, papers x authors, 1 where the author is one of the paper's; and the authors."""
    lists = [sorted({author_key(name) for name in each} - {""}) for each in corpus.authors]
    names = SortedStrings.build(name for each in lists for name in each)
    columns = names.positions([name for each in lists for name in each])
    indptr = np.concatenate([[0], np.cumsum([len(each) for each in lists])])
    ones = np.ones(len(columns), np.float32)
    return sp.csr_matrix((ones, columns, indptr), (len(lists), len(names))), names
