"""Whatever is sent as an event is stored or refused with a reason, and nothing else happens."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.artifact import Artifact
from models.event_types import EVENT_TYPES, RETRACT
from models.papers import Papers
from relatedpapers.v1 import feedback_service_pb2 as pb
from service.access import Caller
from service.errors import Reason
from service.received_events import MAX_FUTURE_MS, Rules, read_batch
from service.secrets import SigningKeys

DAY_MS = 86_400_000
NOW_MS = int(time.time() * 1000)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(["a" * 256, "a" * 257])
INT_64 = st.integers(-(2**63), 2**63 - 1)
INT_32 = st.integers(-(2**31), 2**31 - 1)
SECONDS = st.integers(NOW_MS // 1000 - 40 * 86_400, NOW_MS // 1000 + 86_400)


@st.composite
def events(draw: st.DrawFn) -> pb.Event:
    """Events that are good in most fields, so that some pass and each check is reached."""

    def field(good: str, anything: st.SearchStrategy[str]) -> str:
        return draw(st.just(good) | st.just(good) | st.just(good) | anything)

    made = pb.Event(
        id=field("e", TEXTS),
        reader_id=field("r", TEXTS),
        paper_id=field("graph-05", TEXTS),
        type=field("click", st.sampled_from([*EVENT_TYPES, RETRACT]) | TEXTS),
        attribution_token=field("", TEXTS),
        surface=field("", TEXTS),
        origin=field("", TEXTS),
        retracted_event_id=field("", TEXTS),
    )
    if draw(st.booleans()):
        made.event_time.seconds = draw(SECONDS | INT_64)
        made.event_time.nanos = draw(st.integers(0, 999_999_999) | INT_32)
    if draw(st.booleans()):
        made.value = draw(st.floats(0, 1) | st.floats())
    if draw(st.booleans()):
        made.rank = draw(st.integers(1, 100) | INT_32)
    return made


@pytest.fixture(scope="module")
def papers(toy_model: Path) -> Papers:
    return Artifact.open(toy_model).papers


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    keys = SigningKeys.open(tmp_path_factory.mktemp("keys") / "signing.keys")
    return Rules(EVENT_TYPES, 30 * DAY_MS, keys)


@given(batch=st.lists(events(), max_size=5), browser=st.booleans())
def test_each_is_accepted_or_refused(
    papers: Papers, rules: Rules, batch: list[pb.Event], browser: bool
) -> None:
    caller = Caller(browser, "o" * browser)
    accepted, refused = read_batch(batch, rules, papers, caller, NOW_MS)
    assert len(accepted) + len(refused) == len(batch)
    assert not browser or not accepted  # nobody guesses a token
    assert {error.reason for error in refused.values()} <= set(Reason) - {Reason.UNEXPECTED}
    passed = [event for place, event in enumerate(batch) if place not in refused]
    for event, stored in zip(passed, accepted, strict=True):
        assert (stored.id, stored.reader, stored.type) == (event.id, event.reader_id, event.type)
        assert stored.type in EVENT_TYPES or stored.type == RETRACT
        assert stored.paper == ("" if stored.type == RETRACT else "graph-05")
        assert bool(stored.retracts) == (stored.type == RETRACT)
        assert NOW_MS - 30 * DAY_MS <= stored.time_ms <= NOW_MS + MAX_FUTURE_MS
        assert stored.arrived_ms == NOW_MS
        assert 0 < stored.value <= 1
        assert stored.rank >= 0


@given(event=events())
def test_the_content_is_what_was_sent_and_not_when_it_came(
    papers: Papers, rules: Rules, event: pb.Event
) -> None:
    first, _ = read_batch([event], rules, papers, Caller(), NOW_MS)
    later, _ = read_batch([event], rules, papers, Caller(), NOW_MS + 1_000)
    if first and later:
        assert first[0].content == later[0].content
