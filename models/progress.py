"""How long work tells how far it is; who listens is the caller's affair."""

from collections.abc import Callable

Advance = Callable[[int], None]
"""Told how many more units are done."""

Report = Callable[[str, int], Advance]
"""Told the name of a step as it begins and its size in units (0: unknown)."""


def silent(_step: str, _size: int) -> Advance:
    """Nobody listens."""
    return lambda _: None
