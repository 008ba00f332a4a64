"""The ranking of one window, as replicas hold it. Knows neither gRPC nor Redis."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Ranking(NamedTuple):
    """The papers that trend in a window, best first: n papers, t types of events.

    as_of_ms: the end of the window, Unix time; nothing later counts.
    types: names of the types, t.
    papers: the corpus's own ids, n.
    scores: float64 (n), above 0, falling.
    shown: int32 (n), readers who were shown the paper.
    readers, decayed, contributions: int32, float64, float64 (n x t): who did so, each once; the
        same with each by age; what they add to the score, which the row sums to.
    """

    as_of_ms: int
    types: tuple[str, ...]
    papers: list[str]
    scores: NDArray[np.float64]
    shown: NDArray[np.int32]
    readers: NDArray[np.int32]
    decayed: NDArray[np.float64]
    contributions: NDArray[np.float64]
