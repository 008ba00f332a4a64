"""What a reader has: events on top of what training knew, at once and step by step."""

from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from models.artifact import Artifact
from models.interactions import Event
from service import reader_library
from service.reader_library import effective_library, renewed_library, trained_library
from tests.service import toy
from tests.service.toy import rows


@pytest.fixture(scope="module")
def artifact(toy_reader_model: Path) -> Artifact:
    return Artifact.open(toy_reader_model)


SAVE, HIDE, UNSAVE, CLICK = (
    Event("1", 5, kind, "graph-00") for kind in ("save", "hide", "unsave", "click")
)


@pytest.mark.parametrize(
    ("trained", "events", "weight"),
    [
        (1.0, [], 1.0),
        (1.0, [CLICK], 1.0),
        (1.0, [UNSAVE], None),
        (1.0, [HIDE], -1.0),
        (0.5, [SAVE], 1.0),
        (0.5, [Event("2", 9, "retract", "", retracts="1"), HIDE], 0.5),
        (-1.0, [CLICK], -1.0),
        (-1.0, [Event("1", 5, "unhide", "graph-00")], None),
        (None, [CLICK], 0.2),
    ],
)
def test_events_go_on_from_what_training_knew(
    artifact: Artifact, trained: float | None, events: list[Event], weight: float | None
) -> None:
    [row] = rows(artifact, "graph-00")
    library = effective_library(artifact, {} if trained is None else {row: trained}, events)
    assert library == ({} if weight is None else {row: pytest.approx(weight)})


@pytest.mark.parametrize("few", [0, 8])
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_library_that_goes_on_is_that_of_all_events(
    artifact: Artifact, few: int, data: st.DataObject
) -> None:
    papers = ["graph-00", "graph-01", "market-02", "no-such"]
    kinds = ["save", "unsave", "hide", "unhide", "click", "retract"]
    made = st.builds(
        Event,
        id=st.sampled_from("abcdefgh"),
        time_ms=st.integers(0, 5),
        type=st.sampled_from(kinds),
        paper=st.sampled_from(papers),
        retracts=st.sampled_from("abcdefgh"),
    ).map(lambda e: e._replace(paper="") if e.type == "retract" else e._replace(retracts=""))
    events = data.draw(st.lists(made, max_size=10, unique_by=lambda e: e.id))
    known = data.draw(st.integers(0, len(events)))
    base = dict.fromkeys(rows(artifact, "graph-00", "market-02"), 1.0)
    trained = data.draw(st.sampled_from([{}, base]))
    before = effective_library(artifact, trained, events[:known])
    found = [artifact.papers.row(each.paper) for each in events]
    events_rows = np.array([-1 if row is None else row for row in found], np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader_library, "_FEW", few)
        renewed = renewed_library(artifact, trained, before, events, events_rows, known)
    assert renewed == effective_library(artifact, trained, events)


def test_a_trained_library_is_what_the_file_said(artifact: Artifact) -> None:
    saved = [e["paper"] for e in toy.interactions() if e["user"] == "graph-reader-03"]
    assert trained_library(artifact, "graph-reader-03") == dict.fromkeys(
        rows(artifact, *saved), 1.0
    )
    assert trained_library(artifact, "nobody") == {}
    assert sp.issparse(artifact.libraries)
