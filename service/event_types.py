"""The types of events that this service takes: the built-in ones and those of its settings."""

import json
import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from models.interactions import EVENT_TYPES, RETRACT, EventType

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_NAME_CHARACTERS = 64
_FIELDS = {"strength", "sign", "undoes"}


def event_types(setting: str = "{}") -> Mapping[str, EventType]:
    """The built-in types, with those of a JSON object added or put in their place.

    setting: `{"dwell": {"strength": 0.3, "sign": 1}, "undo-dwell": {"undoes": "dwell"}}`. A type
    without `sign` says nothing of the paper; a type that undoes another has no strength of its own.
    Raises ValueError with one sentence that names the type.
    """
    try:
        given = json.loads(setting or "{}")
    except ValueError as error:
        raise ValueError(f"The event types are not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise ValueError("The event types must be a JSON object: a name and its fields for each.")  # noqa: TRY004 - every error is of the setting
    types = dict(EVENT_TYPES)
    for name, fields in given.items():
        types[name] = _event_type(name, fields)
    for name, kind in types.items():
        if kind.undoes and (kind.undoes not in types or types[kind.undoes].undoes):
            raise ValueError(
                f"The event type {name!r} undoes {kind.undoes!r}, which is no type that can be."
            )
    return MappingProxyType(types)


def _event_type(name: str, fields: object) -> EventType:
    if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS or name == RETRACT:
        raise ValueError(
            f"The event type {name!r} must be kebab-case, not {RETRACT!r}, and at most "
            f"{_MAX_NAME_CHARACTERS} characters long."
        )
    if not isinstance(fields, dict) or not fields.keys() <= _FIELDS:
        raise ValueError(
            f"The event type {name!r} must be an object with some of {', '.join(sorted(_FIELDS))}."
        )
    sign, strength, undoes = (fields.get(key) for key in ("sign", "strength", "undoes"))
    strength = 0.0 if strength is None else strength
    sign = 0 if sign is None else sign
    if isinstance(strength, bool) or not isinstance(strength, int | float):
        strength = math.nan
    if not 0 <= strength <= 1 or sign not in {-1, 0, 1} or isinstance(sign, bool):
        raise ValueError(
            f"The event type {name!r} must have a strength in [0, 1], and a sign of -1, 0 or 1."
        )
    if not isinstance(undoes, str | None) or (undoes and (strength or sign)):
        raise ValueError(
            f"The event type {name!r} either undoes another type or has a strength and a sign."
        )
    return EventType(float(strength), int(sign), undoes or "")
