"""Everything that tells which papers belong together, as users of papers.

Factors fitted on readers, citation neighbourhoods and terms at once (collective matrix
factorisation, Singh and Gordon 2008) know papers that no reader has.
"""

import numpy as np
import scipy.sparse as sp

TERMS = 8_000
TERM_WEIGHT = 2.0
"""What a term of TF-IDF 1 counts for, beside 1 for a save."""


def collective_users(
    libraries: sp.csr_matrix, linked: sp.csr_matrix, text: sp.csr_matrix
) -> sp.csr_matrix:
    """Readers, then citation neighbourhoods, then terms: float32 CSR, users x papers.

    `libraries`: readers x papers, signed weights; `linked`: papers x papers, 1 where either cites
    the other; `text`: papers x terms, whose heaviest TERMS columns take part.
    """
    mass = np.asarray(text.sum(axis=0)).ravel()
    columns = np.sort(np.argsort(-mass, kind="stable")[:TERMS])
    around = linked + sp.eye_array(linked.shape[0], dtype=np.float32)
    neighborhoods = sp.csr_matrix(around)[np.flatnonzero(np.diff(linked.indptr))]
    terms = text[:, columns].T * np.float32(TERM_WEIGHT)
    stacked = sp.vstack([libraries, neighborhoods, terms], format="csr")
    return sp.csr_matrix(stacked, dtype=np.float32)
