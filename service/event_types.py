"""The types of events that this service takes: the built-in ones and those of its settings."""

from collections.abc import Mapping

from models.event_types import EventType, EventTypesError, parse
from service.settings import SettingsError


def event_types(setting: str = "{}") -> Mapping[str, EventType]:
    """The built-in types, with those of the setting; see `models.event_types.parse`.

    Raises SettingsError with one sentence that says what is wrong where.
    """
    try:
        return parse(setting or "{}")
    except EventTypesError as error:
        raise SettingsError(str(error)) from error
