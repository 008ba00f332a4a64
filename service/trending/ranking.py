"""The ranking of one window, as an updater publishes it and replicas hold it. Knows neither gRPC
nor Redis."""

from typing import NamedTuple, Self

import msgpack
import numpy as np
from numpy.typing import NDArray


class Ranking(NamedTuple):
    """The papers that trend in a window, best first: n papers, t types of events.

    as_of_ms: the end of the window, Unix time; nothing later counts.
    types: names of the types, t.
    papers: the corpus's own ids, n.
    scores: float64 (n), above 0, falling.
    shown: int32 (n), readers who were shown the paper.
    latest: int64 (n), when one of the events happened last that make it trend, Unix time in ms.
    readers, counted, decayed, contributions: int32, int32, float64, float64 (n x t): who did so,
        each once; as many of them as count after the bounds on origins; all with each by age; what
        they add to the score, which is the sum of its row.
    """

    as_of_ms: int
    types: tuple[str, ...]
    papers: list[str]
    scores: NDArray[np.float64]
    shown: NDArray[np.int32]
    latest: NDArray[np.int64]
    readers: NDArray[np.int32]
    counted: NDArray[np.int32]
    decayed: NDArray[np.float64]
    contributions: NDArray[np.float64]

    def pack(self) -> bytes:
        """As the state server holds it: MessagePack, arrays as little-endian bytes."""
        packed: bytes = msgpack.packb(
            [
                *(self.as_of_ms, self.types, self.papers),
                *(self.scores.astype("<f8").tobytes(), self.shown.astype("<i4").tobytes()),
                self.latest.astype("<i8").tobytes(),
                *(self.readers.astype("<i4").tobytes(), self.counted.astype("<i4").tobytes()),
                *(self.decayed.astype("<f8").tobytes(), self.contributions.astype("<f8").tobytes()),
            ]
        )
        return packed

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """What `pack` packed."""
        as_of_ms, types, papers, *arrays = msgpack.unpackb(packed)
        scores, shown, latest, readers, counted, decayed, contributions = arrays
        by_type = (len(papers), len(types))
        return cls(
            as_of_ms,
            tuple(types),
            papers,
            np.frombuffer(scores, "<f8"),
            np.frombuffer(shown, "<i4"),
            np.frombuffer(latest, "<i8"),
            np.frombuffer(readers, "<i4").reshape(by_type),
            np.frombuffer(counted, "<i4").reshape(by_type),
            np.frombuffer(decayed, "<f8").reshape(by_type),
            np.frombuffer(contributions, "<f8").reshape(by_type),
        )
