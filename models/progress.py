"""How long work tells how far it is; who listens is the caller's affair."""

from collections.abc import Callable
from threading import Lock

Advance = Callable[[int], None]
"""Told how many more units are done."""

Report = Callable[[str, int], Advance]
"""Told the name of a step as it begins and its size in units (0: unknown)."""


class Relay:
    """An `Advance` for work beside other steps: it counts in silence until its own step comes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._done = 0
        self._listener: Advance | None = None

    def __call__(self, units: int) -> None:
        """Pass it on, or remember it."""
        with self._lock:
            if self._listener is None:
                self._done += units
            else:
                self._listener(units)

    def listen(self, listener: Advance) -> None:
        """Tell what was done so far, and from now on all that is."""
        with self._lock:
            self._listener = listener
            listener(self._done)


def unheard(_units: int) -> None:
    """An `Advance` to which nobody listens."""


def silent(_step: str, _size: int) -> Advance:
    """Nobody listens."""
    return unheard
