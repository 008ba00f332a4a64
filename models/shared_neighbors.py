"""Shared nearest neighbours: papers belong together if the same papers are near them.

(Jarvis and Patrick 1973, who count the papers that two lists have in common; here the lists by two
signals are added up, and a nearer paper counts more.) It finds what no single step does: papers
that are not alike themselves, but keep the same company.
"""

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp

from models.rows import unit_sparse_rows

BY = ("smoothed_text", "text_neighborhood")
"""The signals by which the nearest papers are listed."""

NEAREST = 50
"""Papers in a list."""

ITSELF = 0.3
"""What a paper counts in its own row, where each list counts 1."""


def shared_neighbors(lists: Sequence[sp.csr_matrix]) -> sp.csr_matrix:
    """papers x papers: cosine of the papers near both. `lists`: their shares, one for each signal
    of BY."""
    itself = ITSELF * sp.eye_array(lists[0].shape[0], dtype=np.float32)
    return unit_sparse_rows(sum(lists, start=itself))
