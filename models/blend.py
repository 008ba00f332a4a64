"""The blend: an additive logistic model, so that an explanation is the computation itself."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Blend:
    """logit(score) = bias + sum of contributions, one for each term.

    The first terms are the signals: signal s contributes linear[s] x + root[s] sqrt(x), where x
    is the similarity (negative ones count as 0). The others, the popularity terms, know the
    candidate alone: term t contributes paper[t] times its feature.
    """

    bias: float
    signals: tuple[str, ...]
    linear: NDArray[np.float32]
    root: NDArray[np.float32]
    paper_terms: tuple[str, ...]
    paper: NDArray[np.float32]

    @property
    def term_names(self) -> tuple[str, ...]:
        return self.signals + self.paper_terms

    @property
    def term_is_popularity(self) -> NDArray[np.bool_]:
        return np.arange(len(self.term_names)) >= len(self.signals)

    def contributions(
        self, similarities: NDArray[np.float32], features: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """float32, (..., terms), from similarities (..., signals) and features (..., paper terms)."""
        positive = np.maximum(similarities, 0)
        pairs = self.linear * positive + self.root * np.sqrt(positive)
        return np.concatenate([pairs, self.paper * features], axis=-1, dtype=np.float32)

    def logits(
        self, contributions: NDArray[np.float32], popularity: float = 1
    ) -> NDArray[np.float32]:
        """float32 (...): bias plus contributions, those of popularity times the weight in [0, 1]."""
        weights = np.where(self.term_is_popularity, np.float32(popularity), np.float32(1))
        logits: NDArray[np.float32] = np.float32(self.bias) + contributions @ weights
        return logits

    def scaled(self, slope: float, intercept: float) -> "Blend":
        """The same model with slope * logit + intercept for its logit (Platt 1999)."""
        factor = np.float32(slope)
        return Blend(
            slope * self.bias + intercept,
            self.signals,
            self.linear * factor,
            self.root * factor,
            self.paper_terms,
            self.paper * factor,
        )

    def to_json(self) -> dict[str, Any]:
        return {
            name: value.tolist() if isinstance(value, np.ndarray) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Blend":
        def array(name: str) -> NDArray[np.float32]:
            return np.asarray(fields[name], np.float32)

        def names(name: str) -> tuple[str, ...]:
            sequence: Sequence[str] = fields[name]
            return tuple(sequence)

        return cls(
            float(fields["bias"]),
            names("signals"),
            array("linear"),
            array("root"),
            names("paper_terms"),
            array("paper"),
        )


def probability(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """The logistic function, float32 in [0, 1]."""
    positive = 1 / (1 + np.exp(-np.abs(logits)))
    return np.where(logits >= 0, positive, 1 - positive).astype(np.float32)
