"""What a list of related papers is asked for, and what it holds."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from models.blend import score
from models.drafts import Draft
from models.first_pages import POPULARITY
from service.filters import EVERYTHING, Filter

MAX_SHOWN = 1_000
"""How many results a list has over all its pages."""


class Source(IntEnum):
    """Where a result came from, in the order of a list; numbered as the API numbers it."""

    MODEL = 1
    TEXT = 2
    POPULAR = 3
    TRENDING = 4


class Adjustment(Protocol):
    """Changes what the model says of candidates; see `service.adjustments`."""

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of all terms: the model's, then others."""

    @property
    def candidates(self) -> NDArray[np.int32]:
        """Rows that join the nearest papers."""

    def applied(
        self, rows: NDArray[np.int32], contributions: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """float32[rows x terms] from the model's own, float32[rows x the model's terms]."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is asked for; papers are rows. At least one seed, or the draft.

    negative_weight, diversity, popularity: in [0, 1].
    adjustment: what readers change in the scores.
    """

    seeds: tuple[int, ...] = ()
    negatives: tuple[int, ...] = ()
    draft: Draft | None = None
    filter: Filter = EVERYTHING
    negative_weight: float = 0.5
    diversity: float = 0.0
    popularity: float = POPULARITY
    adjustment: Adjustment | None = None

    @property
    def stored(self) -> bool:
        """Whether the artifact holds the nearest papers ready made."""
        return len(self.seeds) == 1 and not self.negatives and self.draft is None

    @property
    def plain(self) -> bool:
        """Whether the list begins as it is stored: nothing is left out or changed, and only
        popularity orders it."""
        unchanged = self.adjustment is None and self.filter == EVERYTHING
        return self.stored and self.diversity == 0.0 and unchanged


class Results(NamedTuple):
    """A stretch of a list, n results of which the model scored the first m; the rest are fallbacks.

    rows, sources: n of them.
    bias: the part of the logit that is the same for all of the list.
    logits: m of them, the bias included.
    contributions: m rows of a number for each term; with the bias they sum to the logit.
    more: whether the list goes on.
    terms: their names.
    """

    rows: list[int]
    sources: list[Source]
    bias: float
    logits: list[float]
    contributions: list[list[float]]
    more: bool
    terms: tuple[str, ...]

    @property
    def scores(self) -> list[float]:
        """m of them, each in (0, 1): the logistic function of the logits."""
        return list(map(score, self.logits))
