"""Text spread over what is linked to a paper and what its readers have."""

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from models.libraries import library_sizes, wanted
from models.rows import unit_rows


def spread_text(
    latent: NDArray[np.float32], linked: sp.csr_matrix, libraries: sp.csr_matrix
) -> NDArray[np.float32]:
    """float32, papers x dimensions, rows of length 1: the sum of `text_weight` x latent text over
    the paper itself, those linked to it (papers x papers, 1 where either cites the other), and
    those of its readers (readers x papers), a common reader counting 1 / size of the library.
    """
    text = latent * text_weight(linked)[:, None]
    scale = (1 / np.sqrt(library_sizes(libraries))).astype(np.float32)
    shared = sp.csr_matrix(sp.diags_array(scale) @ wanted(libraries))
    # Through the readers: a matrix of all pairs of common readers would be large.
    spread = linked @ text + shared.T @ (shared @ text)
    own = np.asarray(shared.multiply(shared).sum(axis=0), np.float32).ravel()
    return unit_rows(spread + (1 - own)[:, None] * text)


def text_weight(linked: sp.csr_matrix) -> NDArray[np.float32]:
    """float32 (papers): 1 / sqrt(1 + links), so that a paper that is linked to everything says less
    (D^-1/2 of Kipf and Welling 2017).

    Readers are no part of it: so a paper's text depends on its own readers alone, and what a live
    reader changes stays among that reader's papers.
    """
    weight: NDArray[np.float32] = (1 / np.sqrt(1 + np.diff(linked.indptr))).astype(np.float32)
    return weight
