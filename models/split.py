"""Inner splits: the corpus as it was once known, and what later papers say of its pairs."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.corpus import Corpus
from models.libraries import hold_out, wanted

CITING_BOTH = 2
"""A pair is related if at least so many later papers cite both."""

HELD_SHARE = 0.3
"""Share of each library that is left out where there are no citations."""

DRAWN_SHARE = 0.2
"""Share of the citing papers that are drawn where no years are known."""


@dataclass(frozen=True)
class Split:
    """`corpus`: what training may see. `together`: int32 CSR, papers x papers of it, how many of
    the papers left out cite both (the diagonal is empty; counts below CITING_BOTH are left out).

    `libraries`: float32 CSR, readers x papers of it, what training may see of the readers.
    `window`: in words, what was left out. `kept`: int64, the rows of the whole corpus that are
    left. `related`: in words, what a related pair is.
    """

    corpus: Corpus
    together: sp.csr_matrix
    libraries: sp.csr_matrix
    window: str
    kept: NDArray[np.int64]
    related: str = "at least 2 papers of the window cite both"

    @property
    def queries(self) -> NDArray[np.int64]:
        """Rows with at least one related paper."""
        return np.flatnonzero(np.diff(self.together.indptr)).astype(np.int64)


def inner_splits(
    corpus: Corpus, libraries: sp.csr_matrix, seed: int, shares: tuple[float, ...]
) -> list[Split]:
    """A split for each share of reference lists that is left out; none that has no related pair.

    By time: the cut is the latest year that leaves at least that share of the lists after it. In
    a corpus without dates one seeded draw of citing papers is left out whole. Equal cuts come once.
    Without citations a part of the libraries (float32 CSR, readers x papers) is left out.
    """
    if corpus.citations.nnz == 0:
        splits = [library_split(corpus, libraries, seed)]
    elif _dated(corpus):
        cuts = dict.fromkeys(cut_year(corpus, share) for share in shares)
        splits = [time_split(corpus, libraries, cut) for cut in cuts]
    else:
        splits = [draw_split(corpus, libraries, seed)]
    return [split for split in splits if len(split.queries)]


def _dated(corpus: Corpus) -> bool:
    """Whether nearly every citing paper has a year, and there are several years."""
    year = corpus.year[_citing(corpus)]
    return bool(np.mean(year > 0) > 0.9 and len(np.unique(year[year > 0])) > 2)


def _citing(corpus: Corpus) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(corpus.citations.indptr)).astype(np.int64)


def cut_year(corpus: Corpus, share: float) -> int:
    """The latest year that leaves at least this share of the reference lists after it."""
    years = np.sort(corpus.year[_citing(corpus)].astype(np.int64))
    lists = max(1, int(np.ceil(share * len(years) - 1e-9)))
    return int(years[-lists]) - 1


def time_split(corpus: Corpus, libraries: sp.csr_matrix, cut: int) -> Split:
    """The corpus as it was known at the end of a year.

    Later papers are left out, and so is every paper that had neither a reference nor a citation
    from a paper of that time. Papers of unknown year are left out as well.
    """
    year = corpus.year
    past = (year > 0) & (year <= cut)
    known = np.flatnonzero(past)
    cited = np.asarray(corpus.citations[known].sum(axis=0)).ravel() > 0
    citing = np.diff(corpus.citations.indptr) + np.diff(corpus.external.indptr) > 0
    kept = np.flatnonzero(past & (cited | citing))
    later = np.flatnonzero(year > cut)
    last = int(year.max())
    window = f"references of papers from {cut + 1} to {last}"
    return _split(corpus, libraries, kept, later, window)


def draw_split(corpus: Corpus, libraries: sp.csr_matrix, seed: int) -> Split:
    """A seeded draw of citing papers is left out, each whole: row, column and text."""
    citing = _citing(corpus)
    size = max(1, round(DRAWN_SHARE * len(citing)))
    drawn = np.sort(np.random.default_rng(seed).choice(citing, size, replace=False))
    kept = np.setdiff1d(np.arange(len(corpus)), drawn)
    return _split(corpus, libraries, kept, drawn, f"references of {size} drawn papers")


def library_split(corpus: Corpus, libraries: sp.csr_matrix, seed: int) -> Split:
    """A seeded draw of HELD_SHARE of each library of four wanted papers or more is left out;
    related is what at least 2 readers have in these parts."""
    size = np.diff(wanted(libraries).indptr)
    held = np.where(size >= 4, np.maximum(np.round(HELD_SHARE * size), 2), 0)
    left, out = hold_out(libraries, held, np.random.default_rng(seed))
    return Split(
        corpus,
        _both(out),
        left,
        f"{out.nnz} held-out saves of {int((held > 0).sum())} readers",
        np.arange(len(corpus)),
        "at least 2 readers have both in the parts of their libraries that were held out",
    )


def _split(
    corpus: Corpus,
    libraries: sp.csr_matrix,
    kept: NDArray[np.int64],
    left_out: NDArray[np.int64],
    window: str,
) -> Split:
    together = _both(corpus.citations[left_out][:, kept])
    return Split(corpus.take(kept), together, sp.csr_matrix(libraries[:, kept]), window, kept)


def _both(lists: sp.csr_matrix) -> sp.csr_matrix:
    """int32 CSR, papers x papers: how many lists hold both; CITING_BOTH at least."""
    counted = lists.astype(bool).astype(np.int32)
    together = sp.csr_matrix(counted.T @ counted)
    together.setdiag(0)
    together.data[together.data < CITING_BOTH] = 0
    together.eliminate_zeros()
    together.sort_indices()
    return together
