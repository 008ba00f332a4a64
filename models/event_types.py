"""The types of readers' events: the built-in ones, and those that are added or changed."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.json_settings import MAX_NAME_CHARACTERS, first_mistake, is_name


@dataclass(frozen=True, slots=True)
class EventType:
    """What an event of a type says of a paper: `strength` in [0, 1]; `sign` 1 (wanted), -1 (not
    wanted) or 0 (nothing); `undoes`: the type that it takes back, "" for none."""

    strength: float
    sign: int
    undoes: str = ""


EVENT_TYPES: Mapping[str, EventType] = MappingProxyType(
    {
        "impression": EventType(0, 0),
        "click": EventType(0.2, 1),
        "read": EventType(0.5, 1),
        "save": EventType(1, 1),
        "unsave": EventType(0, 0, undoes="save"),
        "cite": EventType(1, 1),
        "share": EventType(0.7, 1),
        "hide": EventType(1, -1),
        "unhide": EventType(0, 0, undoes="hide"),
    }
)
"""The built-in types."""

RETRACT = "retract"
"""The type of an event that names another of the same reader, which then counts as never sent."""


class EventTypesError(ValueError):
    """Types that can't be; the message, one sentence, says what is wrong where."""


class _Fields(BaseModel):
    """A type as it is written; one without any field says nothing of the paper."""

    model_config = ConfigDict(strict=True, extra="forbid")

    strength: float = Field(0.0, ge=0, le=1, allow_inf_nan=False)
    sign: int = Field(0, ge=-1, le=1)
    undoes: str = ""


_WRITTEN = TypeAdapter(dict[str, _Fields])


def parse(given: str) -> Mapping[str, EventType]:
    """The built-in types, with those of a JSON object added or put in their place.

    given: `{"dwell": {"strength": 0.3, "sign": 1}, "undo-dwell": {"undoes": "dwell"}}`; a type
    that undoes another has no strength of its own.
    Raises EventTypesError.
    """
    try:
        added = _WRITTEN.validate_json(given)
    except ValidationError as error:
        raise EventTypesError(f"The event types: {first_mistake(error)}.") from error
    types = dict(EVENT_TYPES)
    for name, fields in added.items():
        if not is_name(name) or name == RETRACT:
            raise EventTypesError(
                f"The event type {name!r} must be kebab-case, not {RETRACT!r}, and at most "
                f"{MAX_NAME_CHARACTERS} characters long."
            )
        if fields.undoes and (fields.strength or fields.sign):
            raise EventTypesError(
                f"The event type {name!r} either undoes another or has a strength and a sign."
            )
        types[name] = EventType(fields.strength, fields.sign, fields.undoes)
    for name, kind in types.items():
        if kind.undoes and (kind.undoes not in types or types[kind.undoes].undoes):
            raise EventTypesError(
                f"The event type {name!r} undoes {kind.undoes!r}, which is no type that can be."
            )
    return MappingProxyType(types)


def written(types: Mapping[str, EventType]) -> dict[str, dict[str, object]]:
    """What `parse` reads of these types: those that are not the built-in ones, in order of name."""
    return {
        name: {field: value for field, value in asdict(types[name]).items() if value}
        for name in sorted(types)
        if types[name] != EVENT_TYPES.get(name)
    }
