"""The types of events that this service takes: the built-in ones and those of its settings."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.interactions import EVENT_TYPES, RETRACT, EventType
from service.settings import SettingsError

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_NAME_CHARACTERS = 64


class _Fields(BaseModel):
    """A type as the settings write it; one without any field says nothing of the paper."""

    model_config = ConfigDict(strict=True, extra="forbid")

    strength: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    sign: int = Field(0, ge=-1, le=1)
    undoes: str = ""


_SETTING = TypeAdapter(dict[str, _Fields])


def event_types(setting: str = "{}") -> Mapping[str, EventType]:
    """The built-in types, with those of a JSON object added or put in their place.

    setting: `{"dwell": {"strength": 0.3, "sign": 1}, "undo-dwell": {"undoes": "dwell"}}`; a type
    that undoes another has no strength of its own.
    Raises SettingsError with one sentence that says what is wrong where.
    """
    try:
        given = _SETTING.validate_json(setting or "{}")
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SettingsError(
            f"The event types: {f'{place}: ' * bool(place)}{first['msg']}."
        ) from error
    types = dict(EVENT_TYPES)
    for name, fields in given.items():
        if not _NAME.fullmatch(name) or len(name) > _MAX_NAME_CHARACTERS or name == RETRACT:
            raise SettingsError(
                f"The event type {name!r} must be kebab-case, not {RETRACT!r}, and at most "
                f"{_MAX_NAME_CHARACTERS} characters long."
            )
        if fields.undoes and (fields.strength or fields.sign):
            raise SettingsError(
                f"The event type {name!r} either undoes another or has a strength and a sign."
            )
        types[name] = EventType(fields.strength, fields.sign, fields.undoes)
    for name, kind in types.items():
        if kind.undoes and (kind.undoes not in types or types[kind.undoes].undoes):
            raise SettingsError(
                f"The event type {name!r} undoes {kind.undoes!r}, which is no type that can be."
            )
    return MappingProxyType(types)
