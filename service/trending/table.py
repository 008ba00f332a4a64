"""Which papers trend: what readers did, folded and scored. Knows neither gRPC nor Redis.

A window ends at a time `now` and has a length W. Of each reader, paper and type of event the latest
event in (now - W, now] counts (of equal times the one with the greater id), unless that one undoes
the type: a reader counts once, however often. Its worth is

    v = weight * 2^(-age / (half_life * W)) * f * g
    f = min(1, 20 / n)^3    n: the reader's events on the paper in the window
    g = min(1, 50 / N)^6    N: the reader's events on all papers in it

where events count in n and N as often as they come, and impressions do not count. What one origin
may add to a paper is bounded: see service/trending/bounds.py; an event without an origin has its
reader for one. S is a paper's sum of what is left. Impressions are summed up alike, with weight 1
and a half-life of half a window and without f and g, to its exposure E. Then

    rho   = sum of S / sum of (S + E), over all papers
    lift  = (S + 20 rho) / ((S + E + 20) rho)
    score = S * clip(lift, 1/4, 4)^(1/2)

so that of two papers that were chosen alike the one ranks first that was shown less: lift is how
much more often than others it is chosen when shown, drawn to 1 where little is known (the mean of a
beta distribution that begins at 20 showings of an average paper). The contributions of the types
are their parts of S times the same factor. Of the readers of a type so many count as
`counted_readers` makes of what the bounds leave of them. Equal scores are ordered by what they
would be without the bounds on origins, then by the papers' ids.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgpack
import numpy as np
from numpy.typing import NDArray

from service.trending.bounds import bounded, counted_readers
from service.trending.layout import HASH_BYTES, HOUR_MS
from service.trending.ranking import Ranking
from service.trending.windows import IMPRESSION, IMPRESSION_HALF_LIFE, TypeWeight

READER_EVENTS_ON_A_PAPER = 20
READER_EVENTS = 50
"""So many events of a reader on all papers count fully: of a thousand simulated readers two have
more in a month."""

READER_POWER = 3
SPREAD_POWER = 2 * READER_POWER
"""A reader who exceeds a bound n-fold counts n to the minus this; of a flood over many papers twice
the power, for it is added to that many."""

SHOWINGS = 20.0
"""Of an average paper: what is believed of a paper before anything is known."""

MAX_LIFT = 4.0
LIFT_POWER = 0.5
MAX_PAPERS = 10_000
"""The most that a ranking holds."""

_EVENT = np.dtype(
    [
        ("subject", "<i4"),  # paper times the number of families plus family
        ("reader", "<u8"),
        ("origin", "<u8"),
        ("time", "<i8"),
        ("acts", "?"),
        ("count", "<i4"),  # events for which it stands
    ]
)


class _Folded(NamedTuple):
    """What counts in a window, n events: of which paper and family (0: impressions), whose, from
    where, when, and how much as a share, by the bounds on readers."""

    paper: NDArray[np.int64]
    family: NDArray[np.int64]
    reader: NDArray[np.int64]
    origin: NDArray[np.uint64]
    time: NDArray[np.int64]
    share: NDArray[np.float64]


class Table:
    """What readers did in the hours that are held, and the rankings that this makes.

    weights: of the types that count.
    """

    def __init__(self, weights: Mapping[str, TypeWeight]) -> None:
        self._types = tuple(weights)
        self._families = {name: at for at, name in enumerate((IMPRESSION, *weights))}
        self._weight = np.array([1.0, *(each.weight for each in weights.values())])
        lives = [each.half_life for each in weights.values()]
        self._half_life = np.array([IMPRESSION_HALF_LIFE, *lives])
        self._papers: list[str] = []
        self._paper: dict[str, int] = {}
        self._subjects: dict[bytes, int] = {}
        self._hours: dict[int, dict[int, NDArray[np.void]]] = {}

    def __len__(self) -> int:
        """How many events are held."""
        return sum(len(each) for hour in self._hours.values() for each in hour.values())

    def replace(self, partition: int, hour: int, records: Mapping[bytes, bytes]) -> None:
        """Hold what one partition of readers did in an hour, see service/trending/records.py."""
        events = [
            (subject, *event)
            for field, packed in records.items()
            if (subject := self._subject(field[HASH_BYTES:])) >= 0
            for event in _events(field[:HASH_BYTES], packed, hour * HOUR_MS)
        ]
        held = self._hours.setdefault(hour, {})
        held[partition] = np.array(events, _EVENT)

    def forget(self, first: int) -> None:
        """Hold no hour before this one."""
        for hour in [hour for hour in self._hours if hour < first]:
            del self._hours[hour]

    def ranking(self, length_ms: int, now_ms: int) -> Ranking:
        """The papers that trend in the window of this length that ends now."""
        folded = self._folded(self._between(now_ms - length_ms, now_ms))
        half_lives_ms = self._half_life[folded.family] * length_ms
        decay = np.exp2((folded.time - now_ms) / half_lives_ms)
        worth = self._weight[folded.family] * decay * folded.share
        shown = folded.family == 0
        whole, counted = worth, worth.copy()
        floors = {True: 1.0, False: float(self._weight[1:].max(initial=0.0))}
        for impressions, floor in floors.items():
            of = shown == impressions
            counted[of] = bounded(
                folded.paper[of], folded.origin[of], folded.reader[of], worth[of], floor
            )
        sums, exposure = self._by_paper(folded, counted)
        total = sums.sum(axis=1)
        factor = _factors(total, exposure)
        contributions = sums * factor[:, None]
        scores = contributions.sum(axis=1)
        unbounded = self._by_paper(folded, whole)[0].sum(axis=1) * factor
        best = self._order(scores, unbounded)
        readers, shown_to = self._by_paper(folded, np.ones(len(worth)))
        decayed, _ = self._by_paper(folded, decay)
        latest = np.zeros(len(self._papers), np.int64)
        np.maximum.at(latest, folded.paper[~shown], folded.time[~shown])
        families = len(self._families)
        heads = counted_readers(
            folded.paper * families + folded.family,
            folded.origin,
            counted / (self._weight[folded.family] * decay),
            len(self._papers) * families,
        )
        return Ranking(
            as_of_ms=now_ms,
            types=self._types,
            papers=[self._papers[paper] for paper in best.tolist()],
            scores=scores[best],
            shown=shown_to[best].astype(np.int32),
            latest=latest[best],
            readers=readers[best].astype(np.int32),
            counted=heads.reshape(-1, families)[best, 1:],
            decayed=decayed[best],
            contributions=contributions[best],
        )

    def _subject(self, name: bytes) -> int:
        """The number of a type and paper; -1 for a type that does not count."""
        known = self._subjects.get(name)
        if known is None:
            family, _, paper = name.decode().partition("\t")
            known = -1
            if family in self._families:
                at = self._paper.setdefault(paper, len(self._papers))
                if at == len(self._papers):
                    self._papers.append(paper)
                known = at * len(self._families) + self._families[family]
            self._subjects[name] = known
        return known

    def _between(self, after_ms: int, until_ms: int) -> NDArray[np.void]:
        """The events of a window, those of one reader, paper and type by (time, id)."""
        blocks = [
            block
            for hour in range(after_ms // HOUR_MS, until_ms // HOUR_MS + 1)
            for block in self._hours.get(hour, {}).values()
        ]
        events = np.concatenate([np.zeros(0, _EVENT), *blocks])
        return events[(events["time"] > after_ms) & (events["time"] <= until_ms)]

    def _folded(self, events: NDArray[np.void]) -> _Folded:
        families = len(self._families)
        _, reader = np.unique(events["reader"], return_inverse=True)
        subject = events["subject"].astype(np.int64)
        key = reader * (len(self._papers) * families) + subject
        order = np.argsort(key, kind="stable")
        events, key = events[order], key[order]
        latest = np.flatnonzero(np.diff(key, append=-1))
        count = np.where(key % families > 0, events["count"], 0)
        begins = np.flatnonzero(np.diff(key // families, prepend=-1))
        on_paper = np.repeat(
            np.add.reduceat(count, begins) if len(begins) else count,
            np.diff(begins, append=len(key)),
        )
        everywhere = np.bincount(reader[order], count)[reader[order]] if len(key) else count
        kept = latest[events["acts"][latest]]
        family = key[kept] % families
        share = (
            np.minimum(1.0, READER_EVENTS_ON_A_PAPER / np.maximum(on_paper[kept], 1))
            ** READER_POWER
        )
        share *= np.minimum(1.0, READER_EVENTS / np.maximum(everywhere[kept], 1)) ** SPREAD_POWER
        return _Folded(
            paper=subject[order][kept] // families,
            family=family,
            reader=reader[order][kept],
            origin=events["origin"][kept],
            time=events["time"][kept],
            share=np.where(family > 0, share, 1.0),
        )

    def _by_paper(
        self, folded: _Folded, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Sums of values: papers x types, and over the impressions of each paper."""
        families = len(self._families)
        at = folded.paper * families + folded.family
        size = len(self._papers) * families
        sums = np.bincount(at, values, minlength=size).astype(np.float64).reshape(-1, families)
        return sums[:, 1:], sums[:, 0]

    def _order(
        self, scores: NDArray[np.float64], unbounded: NDArray[np.float64]
    ) -> NDArray[np.int64]:
        """The best papers. What rounding makes of equal scores is no difference."""
        found = np.flatnonzero(scores > 0)
        keys = zip(
            np.round(-scores[found], 9).tolist(),
            np.round(-unbounded[found], 9).tolist(),
            (self._papers[paper] for paper in found.tolist()),
            found.tolist(),
            strict=True,
        )
        return np.array([paper for *_, paper in sorted(keys)[:MAX_PAPERS]], np.int64)


def _events(
    reader: bytes, packed: bytes, hour_ms: int
) -> Iterator[tuple[int, int, int, bool, int]]:
    """The events of a record but for their subject, by (time, id)."""
    count, *flat = msgpack.unpackb(packed, raw=True)
    events = sorted(zip(flat[0::4], flat[1::4], flat[2::4], flat[3::4], strict=True))
    whose = int.from_bytes(reader, "little")
    beyond = count - len(events)
    for ms, _, acts, origin in events:
        where = int.from_bytes(origin, "little") if origin else whose
        yield whose, where, hour_ms + ms, bool(acts), 1 + beyond
        beyond = 0


def _factors(total: NDArray[np.float64], exposure: NDArray[np.float64]) -> NDArray[np.float64]:
    """What being chosen when shown makes of each paper's sum."""
    chosen, shown = math.fsum(total.tolist()), math.fsum(exposure.tolist())
    if not chosen:
        return np.ones(len(total))
    rate = chosen / (chosen + shown)
    lift = (total + SHOWINGS * rate) / ((total + exposure + SHOWINGS) * rate)
    factors: NDArray[np.float64] = np.clip(lift, 1 / MAX_LIFT, MAX_LIFT) ** LIFT_POWER
    return factors
