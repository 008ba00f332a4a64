"""A library is a pure function of the set of a reader's events."""

from collections.abc import Sequence
from random import Random

from hypothesis import given
from hypothesis import strategies as some

from models.event_types import EVENT_TYPES, RETRACT, EventType
from models.interactions import Event, library

TYPES = {**EVENT_TYPES, "skim": EventType(0.1, 1), "report": EventType(0.4, -1)}

events = some.lists(
    some.builds(
        Event,
        id=some.sampled_from("abcdefgh"),
        time_ms=some.integers(0, 3),
        type=some.sampled_from([*TYPES, RETRACT, "unheard-of"]),
        paper=some.sampled_from("pq"),
        value=some.sampled_from([1.0, 0.5]),
        retracts=some.sampled_from("abcdefgh"),
    ),
    unique_by=lambda event: event.id,
)


def slow(events: Sequence[Event]) -> dict[str, float]:
    """The definition, word by word."""
    taken_back = {each.retracts for each in events if each.type == RETRACT}
    left = [each for each in events if each.type != RETRACT and each.id not in taken_back]
    weights = {}
    for paper in {each.paper for each in left}:
        strengths = []
        for name, kind in TYPES.items():
            about = [
                each
                for each in left
                if each.paper == paper
                and (each.type == name or TYPES.get(each.type, kind).undoes == name)
            ]
            about.sort(key=lambda each: (each.time_ms, each.id))
            if about and about[-1].type == name:
                strengths.append(kind.sign * kind.strength * about[-1].value)
        negative = [each for each in strengths if each < 0]
        weight = min(negative) if negative else max(strengths, default=0)
        if weight:
            weights[paper] = weight
    return weights


@given(events, some.randoms(use_true_random=False))
def test_neither_order_nor_repeats_matter(sent: list[Event], random: Random) -> None:
    again = sent + [each for each in sent if each.time_ms % 2]
    random.shuffle(again)
    assert library(again, TYPES) == slow(sent)


def test_the_strongest_active_type_counts() -> None:
    sent = [
        Event("1", 1, "click", "p"),
        Event("2", 2, "read", "p", 0.8),
        Event("3", 3, "read", "q"),
    ]
    assert library(sent) == {"p": 0.4, "q": 0.5}


def test_what_is_undone_is_gone_and_nothing_else() -> None:
    sent = [Event("1", 1, "save", "p"), Event("2", 1, "click", "p"), Event("3", 2, "unsave", "p")]
    assert library(sent) == {"p": 0.2}
    assert library([*sent, Event("4", 2, "save", "p")]) == {"p": 1}  # equal times: the greater id


def test_a_hidden_paper_is_hidden_whatever_else_was_said() -> None:
    sent = [Event("1", 1, "hide", "p"), Event("2", 2, "save", "p")]
    assert library(sent) == {"p": -1}
    assert library([*sent, Event("3", 3, "unhide", "p")]) == {"p": 1}


def test_a_retracted_event_was_never_sent() -> None:
    retraction = Event("2", 0, RETRACT, "", retracts="1")
    assert library([retraction, Event("1", 5, "save", "p")]) == {}
    assert library([retraction, Event("1", 5, "unsave", "p"), Event("0", 1, "save", "p")]) == {
        "p": 1
    }


def test_impressions_and_unknown_types_say_nothing() -> None:
    assert library([Event("1", 1, "impression", "p"), Event("2", 1, "unheard-of", "p")]) == {}
