"""Implicit-feedback ALS factors (Hu, Koren and Volinsky 2008), fitted by `implicit`."""

import numpy as np
import scipy.sparse as sp
from implicit.cpu.als import AlternatingLeastSquares
from numpy.typing import NDArray

from models.readers import CONFIDENCE, FACTORS, REGULARIZATION

ITERATIONS = 12
WARM_ITERATIONS = 5
"""From factors to go on from."""

READERLESS_ITERATIONS = 8
"""Without readers: factors of texts and links settle sooner, and held-out saves of readers who come
later are found as well as after 12."""


def fit_item_factors(
    user_items: sp.csr_matrix,
    seed: int,
    threads: int,
    start: NDArray[np.float32] | None = None,
    iterations: int = ITERATIONS,
) -> NDArray[np.float32]:
    """float32, papers x factors, from the confidences of `models.readers.confidence`.

    `user_items`: float32 CSR, users x papers, signed weights. A paper without users has factors of
    0. `start`: factors to go on from.
    """
    users, papers = user_items.shape
    # `implicit` multiplies by alpha; below 1 a confidence would say less than no event at all.
    user_items = user_items.copy()
    user_items.data = np.copysign(
        np.maximum(np.abs(user_items.data), np.float32(1 / CONFIDENCE)), user_items.data
    )
    factors = min(FACTORS, papers)
    model = AlternatingLeastSquares(
        factors=factors,
        alpha=CONFIDENCE,
        regularization=REGULARIZATION,
        iterations=iterations,
        random_state=seed,
        num_threads=threads,
    )
    if start is not None:
        model.item_factors = start.copy()
        model.user_factors = np.zeros((users, factors), np.float32)
    model.fit(user_items, show_progress=False)
    item_factors: NDArray[np.float32] = np.array(model.item_factors, np.float32)
    return item_factors
