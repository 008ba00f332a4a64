"""What settings written as JSON share: the names that they may give, and how a mistake is told."""

import re

from pydantic import ValidationError

MAX_NAME_CHARACTERS = 64
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def is_name(text: str) -> bool:
    """Whether a setting may name something so: in kebab-case, at most MAX_NAME_CHARACTERS long."""
    return len(text) <= MAX_NAME_CHARACTERS and _NAME.fullmatch(text) is not None


def first_mistake(error: ValidationError) -> str:
    """Where the first one is, if it is anywhere in particular, and what it is."""
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    return f"{place}: {first['msg']}" if place else first["msg"]
