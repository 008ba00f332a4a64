"""The ranking is what the definition says, and what one reader or one network can do is bounded."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.events import StoredEvent
from service.trending.bounds import bounded
from service.trending.table import Table
from service.trending.windows import TYPE_WEIGHTS
from tests.trending.oracle import trends
from tests.trending.support import assert_same, hold, table
from tests.trending.worlds import DAY_MS, NOW_MS, World, history

KINDS = ("impression", "click", "read", "save", "unsave", "share", "cite", "hide")


@st.composite
def histories(draw: st.DrawFn) -> list[StoredEvent]:
    """Few readers, papers, origins and times, so that events meet; some are taken back. One reader
    may click more than counts fully."""
    events = [
        StoredEvent("reader-0", f"f{number:02}", NOW_MS, NOW_MS, "click", f"paper-{number % 7}")
        for number in range(draw(st.sampled_from([0, 49, 80])))
    ]
    for number in range(draw(st.integers(0, 60))):
        reader = f"reader-{draw(st.integers(0, 5))}"
        time_ms = NOW_MS - draw(st.sampled_from([-1, 0, 1, 3_599_999, DAY_MS - 1, DAY_MS]))
        kind = draw(st.sampled_from(KINDS))
        paper, origin = f"paper-{draw(st.integers(0, 3))}", draw(st.sampled_from(["", "a", "b"]))
        event_id = f"e{(number * 7) % 61:02}"
        events.append(StoredEvent(reader, event_id, time_ms, time_ms, kind, paper, origin=origin))
        if draw(st.integers(0, 9)) == 0:
            taken_back = draw(st.sampled_from(events)).id
            events.append(
                StoredEvent(
                    *(reader, f"r{number}", time_ms, time_ms, "retract", ""), retracts=taken_back
                )
            )
    return events


@given(histories())
def test_rankings_are_those_of_the_oracle(events: list[StoredEvent]) -> None:
    held = table(events, NOW_MS)
    for length_ms in (DAY_MS, 7 * DAY_MS):
        assert_same(held.ranking(length_ms, NOW_MS), trends(events, length_ms, NOW_MS))


def test_of_equal_times_the_greater_id_decides() -> None:
    def events(first: str, second: str) -> list[StoredEvent]:
        return [
            StoredEvent("ada", first, NOW_MS, NOW_MS, "save", "p"),
            StoredEvent("ada", second, NOW_MS, NOW_MS, "unsave", "p"),
        ]

    assert table(events("a", "b"), NOW_MS).ranking(DAY_MS, NOW_MS).papers == []
    assert table(events("b", "a"), NOW_MS).ranking(DAY_MS, NOW_MS).papers == ["p"]


def test_nothing_makes_an_empty_ranking() -> None:
    ranking = Table(TYPE_WEIGHTS).ranking(DAY_MS, NOW_MS)
    assert ranking.papers == []
    assert ranking.contributions.shape == (0, len(TYPE_WEIGHTS))


def test_what_is_shown_less_ranks_before_what_was_chosen_alike() -> None:
    events = [
        StoredEvent(f"reader-{number}", f"{paper}-{kind}", NOW_MS, NOW_MS, kind, paper)
        for paper, showings in (("shown-much", 900), ("shown-little", 60))
        for kind, count in (("click", 50), ("impression", showings))
        for number in range(count)
    ]
    ranking = table(events, NOW_MS).ranking(DAY_MS, NOW_MS)
    assert ranking.papers == ["shown-little", "shown-much"]
    assert ranking.shown.tolist() == [60, 900]
    assert ranking.scores[0] > 1.5 * ranking.scores[1]


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 90), st.integers(0, 200), st.floats(0.01, 9.0)),
        max_size=300,
    )
)
def test_no_origin_has_more_than_its_share(
    rows: list[tuple[int, int, int, float]],
) -> None:
    place, origin, reader, worth = np.array(rows).reshape(-1, 4).T
    counted = bounded(
        place.astype(np.int64),
        origin.astype(np.uint64),
        reader.astype(np.int64),
        worth.astype(np.float64),
        3.0,
    )
    assert len(counted) == len(rows)
    assert np.all(counted <= worth + 1e-12)
    for paper in set(place.tolist()):
        here = place == paper
        total = float(counted[here].sum())
        for one in set(origin[here].tolist()):
            its = float(counted[here & (origin == one)].sum())
            assert its <= max(3.0, 0.02 * total) * (1 + 1e-9)


@dataclass
class Attack:
    """Events that somebody adds for one paper, or, `against` so many that rank after it, one each
    a reader."""

    readers: int
    events: int
    origin: str
    kinds: tuple[str, ...]
    against: int = 0

    def on(self, ranked: list[str], at: int) -> list[StoredEvent]:
        papers = [ranked[at]]
        if self.against:  # near the end of the ranking some are before it, and as many in all
            papers = [*ranked[at + 1 :], *ranked[:at]][: self.against]
        return [
            StoredEvent(
                *(f"attacker-{number % self.readers}", f"x{number}", NOW_MS - number, NOW_MS),
                self.kinds[number // self.readers % len(self.kinds)],
                papers[number // self.readers % len(papers)],
                origin=self.origin,
            )
            for number in range(self.events)
        ]


ALL_KINDS = ("click", "read", "save", "share", "cite")
ATTACKS = {
    "3 readers click 1,000 times": (Attack(3, 1_000, "", ("click",)), 3),
    "3 readers do everything, 1,000 events": (Attack(3, 1_000, "", ALL_KINDS), 3),
    "3 readers of one network, 1,000 events": (Attack(3, 1_000, "cafe", ALL_KINDS), 3),
    "3 readers cite 333 papers each": (Attack(3, 999, "", ("cite",), 333), 3),
    "3 readers cite 200 papers each": (Attack(3, 600, "", ("cite",), 200), 3),
    "3 readers within the budget cite 50 papers each": (Attack(3, 150, "", ("cite",), 50), 50),
    "1,000 throw-away readers of one network": (Attack(1_000, 1_000, "cafe", ("click",)), 20),
    "1,000 throw-away readers who do everything": (Attack(1_000, 5_000, "cafe", ALL_KINDS), 20),
}
PLACES = (999, 900, 700, 500, 300, 100, 50, 10)


def ranks_moved(
    held: Table, attack: Attack, length_ms: int, places: Iterable[int] = PLACES
) -> dict[int, int]:
    """How far the attack moves the paper of each place."""
    before = held.ranking(length_ms, NOW_MS).papers
    moved = {}
    for place in places:
        paper = before[min(place, len(before) - 1)]
        attacked = hold(held, 1, attack.on(before, before.index(paper)), NOW_MS)
        after = held.ranking(length_ms, NOW_MS).papers
        for hour in attacked:
            held.replace(1, hour, {})
        moved[place] = abs(before.index(paper) - after.index(paper))
    return moved


@pytest.fixture(scope="module")
def busy_month() -> Table:
    """A quarter of a million events on 1,000 papers."""
    return table(history(World(250_000, 1_000, 12_500, 6_000)), NOW_MS)


@pytest.mark.parametrize("name", ATTACKS)
def test_floods_move_a_paper_by_few_ranks(name: str, busy_month: Table) -> None:
    attack, most = ATTACKS[name]
    moved = ranks_moved(busy_month, attack, 30 * DAY_MS)
    assert max(moved.values()) <= most, moved


def test_a_flood_moves_a_paper_by_few_ranks_where_scores_are_dense() -> None:
    world = World(30_000, 1_000, 1_500, 750, days=7.0)
    attack, most = ATTACKS["1,000 throw-away readers who do everything"]
    held = table(history(world), NOW_MS)
    moved = ranks_moved(held, attack, 7 * DAY_MS, range(0, 560, 25))
    assert len(moved) == 23
    assert max(moved.values()) <= most, moved


def test_a_fresh_click_counts_one_and_half_after_its_half_life() -> None:
    half_life_ms = DAY_MS // 4
    events = [
        StoredEvent("ada", "a", NOW_MS, NOW_MS, "click", "new"),
        StoredEvent("bob", "b", NOW_MS - half_life_ms, NOW_MS, "click", "old"),
    ]
    ranking = table(events, NOW_MS).ranking(DAY_MS, NOW_MS)
    assert ranking.papers == ["new", "old"]
    assert ranking.decayed.max(axis=1).tolist() == pytest.approx([1.0, 0.5])
    assert math.isclose(ranking.scores[0], 1.0)
