"""The slow twin of trends: plain dictionaries, straight from the definition."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from models.event_types import EVENT_TYPES, RETRACT, EventType
from service.events import StoredEvent
from service.trending.windows import TYPE_WEIGHTS, TypeWeight

IMPRESSION = TypeWeight(1.0, 0.5)


@dataclass
class Trend:
    """Why a paper trends."""

    paper: str
    score: float = 0.0
    unbounded: float = 0.0
    shown: int = 0
    latest: int = 0
    readers: Counter[str] = field(default_factory=Counter)
    counted: Counter[str] = field(default_factory=Counter)
    decayed: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    contributions: dict[str, float] = field(default_factory=lambda: defaultdict(float))


@dataclass
class _Counted:
    reader: str
    paper: str
    type: str
    time_ms: int
    origin: str
    decay: float
    whole: float
    worth: float
    part: float = 0.0


def trends(
    events: Iterable[StoredEvent],
    length_ms: int,
    now_ms: int,
    weights: Mapping[str, TypeWeight] = TYPE_WEIGHTS,
    types: Mapping[str, EventType] = EVENT_TYPES,
) -> list[Trend]:
    """The ranking of a window that ends now."""
    known = list({(each.reader, each.id): each for each in events}.values())
    retracted = {(each.reader, each.retracts) for each in known if each.type == RETRACT}
    valid = [
        each
        for each in known
        if each.type in types
        and (each.reader, each.id) not in retracted
        and now_ms - length_ms < each.time_ms <= now_ms
    ]
    counted = _counted(valid, length_ms, now_ms, {"impression": IMPRESSION, **weights}, types)
    greatest = max(each.weight for each in weights.values())
    parts = {
        True: _bounded([each for each in counted if each.type == "impression"], 1.0),
        False: _bounded([each for each in counted if each.type != "impression"], greatest),
    }
    total = {paper: sum(each.part for each in found) for paper, found in parts[False].items()}
    exposure = {paper: sum(each.part for each in found) for paper, found in parts[True].items()}
    rate = sum(total.values()) / ((sum(total.values()) + sum(exposure.values())) or 1.0)
    found = []
    for paper, chosen in total.items():
        shown = exposure.get(paper, 0.0)
        lift = (chosen + 20 * rate) / ((chosen + shown + 20) * rate)
        factor = math.sqrt(min(max(lift, 0.25), 4.0))
        trend = Trend(paper, shown=len(parts[True].get(paper, ())))
        for each in parts[False][paper]:
            trend.latest = max(trend.latest, each.time_ms)
            trend.readers[each.type] += 1
            trend.decayed[each.type] += each.decay
            trend.contributions[each.type] += each.part * factor
            trend.score += each.part * factor
            trend.unbounded += each.worth * factor
        trend.counted = _heads(parts[False][paper])
        found.append(trend)
    return sorted(
        found, key=lambda each: (round(-each.score, 9), round(-each.unbounded, 9), each.paper)
    )


def _counted(
    events: list[StoredEvent],
    length_ms: int,
    now_ms: int,
    weights: Mapping[str, TypeWeight],
    types: Mapping[str, EventType],
) -> list[_Counted]:
    latest: dict[tuple[str, str, str], StoredEvent] = {}
    on_paper: Counter[tuple[str, str]] = Counter()
    everywhere: Counter[str] = Counter()
    for event in events:
        family = types[event.type].undoes or event.type
        if family not in weights:
            continue
        key = event.reader, event.paper, family
        if key not in latest or (event.time_ms, event.id) > (latest[key].time_ms, latest[key].id):
            latest[key] = event
        if family != "impression":
            on_paper[event.reader, event.paper] += 1
            everywhere[event.reader] += 1
    found = []
    for (reader, paper, family), event in latest.items():
        if event.type != family:
            continue
        decay = 2 ** ((event.time_ms - now_ms) / (weights[family].half_life * length_ms))
        worth = whole = weights[family].weight * decay
        if family != "impression":
            worth *= min(1, 20 / on_paper[reader, paper]) ** 3
            worth *= min(1, 50 / everywhere[reader]) ** 6
        origin = f"o{event.origin}" if event.origin else f"r{reader}"
        found.append(_Counted(reader, paper, family, event.time_ms, origin, decay, whole, worth))
    return found


def _bounded(events: list[_Counted], floor: float) -> dict[str, list[_Counted]]:
    """By paper, with what each adds to it."""
    papers: dict[str, dict[str, list[_Counted]]] = defaultdict(lambda: defaultdict(list))
    for each in events:
        papers[each.paper][each.origin].append(each)
    for origins in papers.values():
        readers = {origin: len({each.reader for each in its}) for origin, its in origins.items()}
        allowed = max(20.0, 0.02 * sum(readers.values()))
        sums = {}
        for origin, its in origins.items():
            for each in its:
                each.part = each.worth * min(1, allowed / readers[origin]) ** 4
            sums[origin] = sum(each.part for each in its)
        limit = _limit(list(sums.values()), floor)
        for origin, its in origins.items():
            for each in its:
                each.part *= min(1, limit / sums[origin])
    return {
        paper: [each for its in found.values() for each in its] for paper, found in papers.items()
    }


def _heads(parts: list[_Counted]) -> Counter[str]:
    """Readers who count, by type: of each origin what is left of them, and one at least."""
    left: dict[tuple[str, str], float] = defaultdict(float)
    for each in parts:
        left[each.type, each.origin] += each.part / each.whole
    heads: dict[str, float] = defaultdict(float)
    for (kind, _), sum_ in left.items():
        heads[kind] += max(1.0, sum_)
    return Counter({kind: math.floor(each + 1e-9) for kind, each in heads.items()})


def _limit(sums: list[float], floor: float) -> float:
    """From above, so that it is the largest."""
    limit = max(floor, 0.02 * sum(sums))
    while True:
        lower = max(floor, 0.02 * sum(min(each, limit) for each in sums))
        if limit - lower <= 1e-14 * limit:
            return lower
        limit = lower
