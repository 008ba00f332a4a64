"""Labels for a drawing that is laid out on the server, where no font can be asked how wide it is.

Widths are those of the widest of the common sans-serif fonts, so no real one needs more room.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

ELLIPSIS = "…"
ROUNDS = 100
"""Of pushing overlapping boxes apart; most drawings need fewer."""

_WIDTHS = (  # in parts of the font size
    ("iljI.,:;'|!`", 0.33),
    ('ftr()[]{}/\\-" ', 0.44),
    ("mwMW@%&", 1.0),
    ("ABCDEFGHKLNOPQRSTUVXYZ<>=+~#", 0.8),
)
_WIDTH_OF = {letter: width for letters, width in _WIDTHS for letter in letters}
_OTHER, _WIDE = 0.66, 1.3
_JOINING = {"Mn", "Me", "Cf"}  # combining marks and joiners belong to the letter before them


def width(text: str, size: float) -> float:
    """How wide a text is at most, in the unit of the font's size."""
    return size * sum(_WIDTH_OF.get(letter) or _width(letter) for letter in text)


def _width(letter: str) -> float:
    if unicodedata.category(letter) in _JOINING:
        return 0.0
    wide = unicodedata.east_asian_width(letter) in {"W", "F"} or ord(letter) > 0xFFFF
    return _WIDE if wide else _OTHER


def lines(text: str, size: float, limit: float, count: int) -> list[str]:
    """A text in at most `count` lines, none wider than `limit`. What does not fit is left out,
    between words where that leaves any."""
    found: list[str] = []
    words = text.split()
    while words and len(found) < count:
        line = words.pop(0)
        while words and width(f"{line} {words[0]}", size) <= limit:
            line = f"{line} {words.pop(0)}"
        if width(line, size) > limit:
            return [*found, _cut(line, size, limit) + ELLIPSIS]
        found.append(line)
    if words:
        found[-1] = _ended(found[-1], size, limit)
    return found


def _ended(line: str, size: float, limit: float) -> str:
    """A line that fits, with the ellipsis of what does not follow."""
    while width(line + ELLIPSIS, size) > limit:
        shorter, _, _ = line.rpartition(" ")
        if not shorter:
            return _cut(line, size, limit) + ELLIPSIS
        line = shorter
    return line.rstrip(",;:-") + ELLIPSIS


def _cut(text: str, size: float, limit: float) -> str:
    """The beginning of a text that fits with an ellipsis after it; at least one letter."""
    room = limit - width(ELLIPSIS, size)
    end, used = 0, 0.0
    for letter in text:
        used += width(letter, size)
        if used > room and end:
            break
        end += 1
    while end < len(text) and end > 1 and unicodedata.category(text[end]) in _JOINING:
        end -= 1
    return text[:end]


def separated(
    centres: NDArray[np.float64], sizes: NDArray[np.float64], wide: float, gap: float
) -> NDArray[np.float64]:
    """Centres of boxes that no longer overlap, float64 (n x 2): moved as little as will do.

    centres, sizes: n x 2. wide: the drawing's width, which holds every box; its height has no
    bounds. gap: what stays between two boxes.
    """
    centres, half = np.array(centres), sizes / 2
    reach = half[:, None] + half[None] + gap
    above = np.triu(np.ones(reach.shape[:2], bool), 1)
    for _ in range(ROUNDS):
        centres[:, 0] = np.clip(centres[:, 0], half[:, 0], wide - half[:, 0])
        overlapping = np.argwhere(_overlap(centres, reach) & above)
        if not len(overlapping):
            return centres
        for one, other in overlapping:
            _push(centres, int(one), int(other), reach[one, other])
    return _swept(centres, half, wide, reach)


def _swept(
    centres: NDArray[np.float64],
    half: NDArray[np.float64],
    wide: float,
    reach: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What pushing did not part: from the top, each box goes down until it is free."""
    centres[:, 0] = np.clip(centres[:, 0], half[:, 0], wide - half[:, 0])
    order = np.argsort(centres[:, 1], kind="stable")
    for place, each in enumerate(order):
        placed = order[:place]
        while len(hit := placed[_overlap(centres, reach)[each, placed]]):
            centres[each, 1] = (centres[hit, 1] + reach[each, hit, 1]).max()
    return centres


def _overlap(centres: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.bool_]:
    between = np.abs(centres[:, None] - centres[None])
    return np.asarray((between < reach - 1e-6).all(axis=2), np.bool_)


def _push(centres: NDArray[np.float64], one: int, other: int, reach: NDArray[np.float64]) -> None:
    """Move two overlapping boxes apart, each by half, in the direction that costs least."""
    way = centres[other] - centres[one]
    missing = reach - np.abs(way)
    if missing.min() <= 0:  # an earlier push of this round did it
        return
    axis = int(np.argmin(missing))
    step = missing[axis] / 2 * (1.0 if way[axis] >= 0 else -1.0)
    centres[one, axis] -= step
    centres[other, axis] += step


def bounds(centres: NDArray[np.float64], sizes: NDArray[np.float64]) -> Sequence[float]:
    """Left, top, right and bottom of all boxes; zeros where there are none."""
    if not len(centres):
        return 0.0, 0.0, 0.0, 0.0
    low, high = (centres - sizes / 2).min(axis=0), (centres + sizes / 2).max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
