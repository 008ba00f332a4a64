"""Types of events that settings add or change."""

import json

import pytest

from models.event_types import EVENT_TYPES, EventType, written
from service.application import Application, StartError
from service.event_types import event_types
from service.settings import Settings


def test_without_a_setting_they_are_the_built_in_ones() -> None:
    assert event_types() == EVENT_TYPES
    assert event_types("") == EVENT_TYPES


def test_types_are_added_and_changed() -> None:
    types = event_types(
        '{"dwell": {"strength": 0.3, "sign": 1}, "un-dwell": {"undoes": "dwell"},'
        ' "click": {}, "dislike": {"strength": 1, "sign": -1}}'
    )
    assert types["dwell"] == EventType(0.3, 1)
    assert types["un-dwell"] == EventType(0.0, 0, undoes="dwell")
    assert types["click"] == EventType(0.0, 0)
    assert types["dislike"] == EventType(1.0, -1)
    assert types["save"] == EVENT_TYPES["save"]


def test_types_are_written_as_they_are_read() -> None:
    setting = (
        '{"click": {}, "dwell": {"strength": 0.3, "sign": 1}, "un-dwell": {"undoes": "dwell"}}'
    )
    assert json.dumps(written(event_types(setting))) == setting
    assert written(event_types('{"save": {"strength": 1, "sign": 1}}')) == {}


BAD = [
    ("{", "JSON"),
    ("[]", "object"),
    ("3", "object"),
    ('{"Dwell": {}}', "'Dwell'"),
    ('{"dwell time": {}}', "'dwell time'"),
    ('{"-dwell": {}}', "'-dwell'"),
    ('{"": {}}', "''"),
    (f'{{"{"a" * 65}": {{}}}}', "64"),
    ('{"retract": {}}', "'retract'"),
    ('{"dwell": 0.3}', "dwell"),
    ('{"dwell": {"weight": 0.3}}', "dwell.weight"),
    ('{"dwell": {"strength": 1.5}}', "strength"),
    ('{"dwell": {"strength": -0.5}}', "strength"),
    ('{"dwell": {"strength": NaN}}', "strength"),
    ('{"dwell": {"strength": "0.3"}}', "strength"),
    ('{"dwell": {"strength": true}}', "strength"),
    ('{"dwell": {"sign": 2}}', "sign"),
    ('{"dwell": {"sign": 0.5}}', "sign"),
    ('{"dwell": {"sign": [1]}}', "sign"),
    ('{"dwell": {"sign": true}}', "sign"),
    ('{"dwell": {"undoes": 3}}', "undoes"),
    ('{"dwell": {"undoes": "click", "strength": 1}}', "undoes"),
    ('{"dwell": {"undoes": "no-such"}}', "'no-such'"),
    ('{"dwell": {"undoes": "unsave"}}', "'unsave'"),
    ('{"dwell": {"undoes": "dwell"}}', "'dwell'"),
]


@pytest.mark.parametrize(("setting", "says"), BAD, ids=[setting[:30] for setting, _ in BAD])
def test_what_is_no_type(setting: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        event_types(setting)
    assert says in str(caught.value)


def test_the_service_does_not_start_with_them(settings: Settings) -> None:
    with pytest.raises(StartError, match="dwell"):
        Application(settings.model_copy(update={"event_types": '{"dwell": {"sign": 5}}'}))
