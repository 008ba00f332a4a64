"""Which papers a list may hold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.papers import Papers

LAST_YEAR = 9999


@dataclass(frozen=True, slots=True)
class Filter:
    """What a listed paper must pass; what is not set lets every paper pass.

    first_year, last_year: bounds of its year, both inclusive; an unknown year passes neither.
    venues: folded names, of which one must be its venue.
    excluded: rows whose works are not listed.
    """

    first_year: int | None = None
    last_year: int | None = None
    venues: frozenset[str] = frozenset()
    excluded: tuple[int, ...] = ()


EVERYTHING = Filter()


def fold(venue: str) -> str:
    """A venue's name without case and outer white space, as filters compare it."""
    return venue.strip().casefold()


class Passing:
    """Applies filters to the papers of one artifact."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers

    @cached_property
    def codes(self) -> Mapping[str, list[int]]:
        """Codes of venues (see `Papers`), by folded name."""
        codes: dict[str, list[int]] = {}
        for code, name in enumerate(self._papers.venue_names):
            codes.setdefault(fold(name), []).append(code)
        return codes

    def venue_codes(self, wanted: Filter) -> list[int]:
        """The codes (see `Papers`) of the venues that pass, as far as the corpus has them."""
        return [code for venue in wanted.venues for code in self.codes.get(venue, ())]

    def places(self, rows: NDArray[np.int32], wanted: Filter) -> Iterable[int]:
        """Where in `rows` the papers are that pass, in order. `excluded` is not looked at."""
        if wanted.first_year is None and wanted.last_year is None and not wanted.venues:
            return range(len(rows))
        passes = np.ones(len(rows), dtype=bool)
        if wanted.first_year is not None or wanted.last_year is not None:
            years = np.asarray(self._papers.year[rows], dtype=np.int32)
            passes &= (years != 0) & (years >= (wanted.first_year or 0))
            passes &= years <= (wanted.last_year or LAST_YEAR)
        if wanted.venues:
            passes &= np.isin(self._papers.venue_code[rows], self.venue_codes(wanted))
        places: list[int] = np.flatnonzero(passes).tolist()
        return places
