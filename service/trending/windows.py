"""What trends are made of, as the settings say: stretches of time, and types of events."""

from collections.abc import Mapping
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from models.event_types import EVENT_TYPES, EventType
from models.json_settings import MAX_NAME_CHARACTERS, first_mistake, is_name
from service.settings import Settings, SettingsError
from service.times import DAY_MS

MAX_WINDOWS = 8
IMPRESSION = "impression"
"""Events of this type say how much a paper is shown; they have no weight."""

IMPRESSION_HALF_LIFE = 0.5


class TypeWeight(NamedTuple):
    """What an event of a type counts.

    weight: 0 or more, 1 for a click unless configured otherwise.
    half_life: after which share of the window it counts half.
    """

    weight: float
    half_life: float


TYPE_WEIGHTS: Mapping[str, TypeWeight] = {
    "click": TypeWeight(1.0, 0.25),
    "read": TypeWeight(1.5, 0.33),
    "save": TypeWeight(2.0, 0.5),
    "share": TypeWeight(2.0, 0.5),
    "cite": TypeWeight(3.0, 1.0),
}
"""The more it takes to do it, the more it counts and the longer it holds."""


class Trending(NamedTuple):
    """What the settings say of trends.

    windows: their lengths in ms by name, in the order of the setting; the first is the default.
    weights: of the types that count, by name, in alphabetical order.
    families: for each type that makes, undoes or shows something, the type that it speaks of.
    """

    windows: Mapping[str, int]
    weights: Mapping[str, TypeWeight]
    families: Mapping[str, str]

    @property
    def default(self) -> str:
        """The window of a request that names none."""
        return next(iter(self.windows))

    @property
    def longest_ms(self) -> int:
        """The length of the longest window."""
        return max(self.windows.values())


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    weight: float = Field(ge=0, le=100, allow_inf_nan=False)
    half_life: float = Field(ge=0.01, le=100, allow_inf_nan=False)


_WINDOWS = TypeAdapter(dict[str, float], config=ConfigDict(strict=True))
_TYPES = TypeAdapter(dict[str, _Fields])


def configured_trending(settings: Settings, types: Mapping[str, EventType]) -> Trending:
    """As the settings say. Raises SettingsError."""
    return trending(
        settings.trending_windows, settings.trending_types, types, log_days=settings.log_days
    )


def trending(
    windows: str,
    weights: str = "{}",
    types: Mapping[str, EventType] = EVENT_TYPES,
    *,
    log_days: float = 35.0,
) -> Trending:
    """The windows and the types that count.

    windows: JSON, days by name: `{"week": 7, "day": 1}`.
    weights: JSON, types to add or to change: `{"dwell": {"weight": 1, "half_life": 0.3}}`; a
        weight of 0 leaves a type out.
    types: every type of event that the service takes.
    log_days: how long the log keeps events; windows are a day shorter at least, so that the log
        holds all that is in one.
    Raises SettingsError with one sentence that says what is wrong where.
    """
    lengths = {name: round(days * DAY_MS) for name, days in _days(windows, log_days).items()}
    counted = {**TYPE_WEIGHTS, **_weights(weights, types)}
    known = {
        name: counted[name] for name in sorted(counted) if counted[name].weight and name in types
    }
    families = {
        name: kind.undoes or name
        for name, kind in types.items()
        if (kind.undoes or name) in known or name == IMPRESSION
    }
    return Trending(lengths, known, families)


def _days(setting: str, log_days: float) -> Mapping[str, float]:
    try:
        days = _WINDOWS.validate_json(setting)
    except ValidationError as error:
        raise SettingsError(f"The trending windows: {first_mistake(error)}.") from error
    if not 1 <= len(days) <= MAX_WINDOWS:
        raise SettingsError(f"There are {len(days)} trending windows: give 1 to {MAX_WINDOWS}.")
    for name, each in days.items():
        if not is_name(name):
            raise SettingsError(
                f"The trending window {name!r} must be kebab-case, and at most "
                f"{MAX_NAME_CHARACTERS} characters long."
            )
        if not 1 / 24 <= each <= log_days - 1:
            raise SettingsError(
                f"The trending window {name!r} has {each:g} days: it has an hour at least, and at "
                f"most {log_days - 1:g} days, one less than the log keeps events."
            )
    return days


def _weights(setting: str, types: Mapping[str, EventType]) -> dict[str, TypeWeight]:
    try:
        given = _TYPES.validate_json(setting)
    except ValidationError as error:
        raise SettingsError(f"The trending types: {first_mistake(error)}.") from error
    for name in given:
        if name not in types:
            raise SettingsError(
                f"The trending type {name!r} is no type of event: add it by "
                "RELATED_PAPERS_EVENT_TYPES first."
            )
        if types[name].undoes or name == IMPRESSION:
            able = ", ".join(
                sorted(each for each in types if not types[each].undoes and each != IMPRESSION)
            )
            raise SettingsError(
                f"The trending type {name!r} is none that counts: name one of {able}."
            )
    return {name: TypeWeight(fields.weight, fields.half_life) for name, fields in given.items()}
