"""The blend: an additive logistic model, so that an explanation is the computation itself."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

SEED = "seed"

ROOT_OFFSET = np.float32(1e-4)


def transformed(
    similarities: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """ln(1 + x) and root(x) = sqrt(x + 1e-4) - sqrt(1e-4) of similarities, negative ones as 0.

    Both are 0 at 0 and rise. The offset keeps the slope of the root finite, so that a rounding
    error of a similarity near 0 stays one of the score.
    """
    positive = np.maximum(similarities, np.float32(0))
    return np.log1p(positive), np.sqrt(positive + ROOT_OFFSET) - np.sqrt(ROOT_OFFSET)


@dataclass(frozen=True)
class Blend:
    """logit(score) = bias + sum of contributions, one for each term.

    Signals come first: signal s contributes log[s] ln(1 + x) + root[s] root(x), where x is the
    similarity (negative ones count as 0). Then the popularity terms, which know the candidate
    alone: term t contributes paper[t] times its feature. Last comes `seed`, which knows the query
    alone (the same features, times seed[t], summed): it orders nothing, but a paper that many
    cite is related to more.
    """

    bias: float
    signals: tuple[str, ...]
    log: NDArray[np.float32]
    root: NDArray[np.float32]
    paper_terms: tuple[str, ...]
    paper: NDArray[np.float32]
    seed: NDArray[np.float32]

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of all terms, in the order of contributions."""
        return (*self.signals, *self.paper_terms, SEED)

    @property
    def term_kinds(self) -> tuple[str, ...]:
        """`pair`, `popularity` or `seed`, for each term."""
        pairs, popularity = len(self.signals), len(self.paper_terms)
        return ("pair",) * pairs + ("popularity",) * popularity + ("seed",)

    @property
    def term_is_popularity(self) -> NDArray[np.bool_]:
        """bool (terms): which ones the request's popularity weighs."""
        return np.array([kind == "popularity" for kind in self.term_kinds])

    def without_idle_signals(self) -> "Blend":
        """The same model without the signals whose weights are all 0."""
        used = np.flatnonzero((self.log != 0) | (self.root != 0))
        names = tuple(self.signals[at] for at in used)
        return replace(self, signals=names, log=self.log[used], root=self.root[used])

    def contributions(
        self,
        similarities: NDArray[np.float32],
        features: NDArray[np.float32],
        seed_features: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """float32, (..., terms), from similarities (..., signals) and features of the candidates
        (..., paper terms) and of their seeds (paper terms, or broadcastable)."""
        log, root = transformed(similarities)
        pairs = self.log * log + self.root * root
        seeds = np.broadcast_to(seed_features @ self.seed, features.shape[:-1])[..., None]
        parts = [pairs, self.paper * features, seeds]
        return np.concatenate(parts, axis=-1, dtype=np.float32)

    def term_weights(self, popularity: float) -> NDArray[np.float32]:
        """float32 (terms): what each contribution is multiplied by; popularity in [0, 1]."""
        return np.where(self.term_is_popularity, np.float32(popularity), np.float32(1))

    def logits(
        self, contributions: NDArray[np.float32], popularity: float = 1
    ) -> NDArray[np.float32]:
        """float32 (...): bias plus contributions, those of popularity times a weight in [0, 1]."""
        weights = self.term_weights(popularity)
        logits: NDArray[np.float32] = np.float32(self.bias) + contributions @ weights
        return logits

    def calibrated(self, slope: float, seed: NDArray[np.float32], intercept: float) -> "Blend":
        """The same order of candidates; the logit is slope * logit + seed terms + intercept."""
        factor = np.float32(slope)
        return replace(
            self,
            bias=slope * self.bias + intercept,
            log=self.log * factor,
            root=self.root * factor,
            paper=self.paper * factor,
            seed=self.seed * factor + seed,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain lists and numbers, for the manifest."""
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Blend":
        """What `to_json` gave, as it was."""

        def array(name: str) -> NDArray[np.float32]:
            return np.asarray(fields[name], np.float32)

        def names(name: str) -> tuple[str, ...]:
            sequence: Sequence[str] = fields[name]
            return tuple(sequence)

        return cls(
            float(fields["bias"]),
            names("signals"),
            array("log"),
            array("root"),
            names("paper_terms"),
            array("paper"),
            array("seed"),
        )


def falling(
    contributions: NDArray[np.float32], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    """float32 (...): -1 times what contributions (... x terms), each times its weight (terms), add
    to the logit: a list rises by it.

    Summed in double precision, so that the order of a list is the same whatever sums it: on the
    machine that trained, and on one that serves.
    """
    return -(contributions @ weights.astype(np.float64)).astype(np.float32)


def score(logit: float) -> float:
    """The logistic function of one number, in (0, 1), without overflow."""
    return 0.5 + 0.5 * math.tanh(0.5 * logit)


def logistic(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """1 / (1 + exp(-x)) of arrays, in [0, 1], without overflow."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float64)
