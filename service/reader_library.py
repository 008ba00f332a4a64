"""What a reader has, as a model sees it: rows of papers and how much each is wanted."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from models.artifact import Artifact
from models.event_types import EVENT_TYPES, RETRACT, EventType
from models.interactions import UNTIMED, Event, library

_FEW = 8
"""So many papers are looked for one by one: a sort of all would cost more."""


def trained_library(artifact: Artifact, reader: str) -> dict[int, float]:
    """The signed weights, by row, of a reader whom training knew; empty for another."""
    at = artifact.readers.find(reader)
    if at < 0:
        return {}
    libraries = artifact.libraries
    part = slice(libraries.indptr[at], libraries.indptr[at + 1])
    rows, weights = libraries.indices[part].tolist(), libraries.data[part].tolist()
    return {row: float(weight) for row, weight in zip(rows, weights, strict=True)}


def effective_library(
    artifact: Artifact,
    trained: Mapping[int, float],
    events: Iterable[Event],
    types: Mapping[str, EventType] = EVENT_TYPES,
) -> dict[int, float]:
    """The signed weights, by row, of a reader's whole history: what training knew (by row, empty if
    the reader was deleted since) and then the events.

    A trained paper counts as one that was saved, or hidden, before all events: so it goes when an
    event undoes that, and stays when other events come. Papers outside the model are left out.
    """
    papers = artifact.papers
    base = [
        Event("", UNTIMED, kind, papers.id(row), abs(weight) / types[kind].strength)
        for row, weight in trained.items()
        if types[kind := "save" if weight > 0 else "hide"].strength
    ]
    weights = library([*base, *events], types)
    rows = ((papers.row(paper), weight) for paper, weight in weights.items())
    return {row: weight for row, weight in rows if row is not None}


def renewed_library(
    artifact: Artifact,
    trained: Mapping[int, float],
    before: Mapping[int, float],
    events: Sequence[Event],
    rows: NDArray[np.int32],
    known: int,
    types: Mapping[str, EventType] = EVENT_TYPES,
) -> dict[int, float]:
    """`effective_library` of all events, from the library `before` those after the first `known`.

    rows: those of the events' papers, -1 outside the model; found once, since finding them would
    cost the most.
    An event tells of one paper, and a retraction of that of the event it takes back: the others
    stay as they were.
    """
    told = rows[known:]
    if retracted := {each.retracts for each in events[known:] if each.type == RETRACT}:
        told = np.append(told, rows[[each.id in retracted for each in events]])
    changed = set(told[told >= 0].tolist())
    # A retraction has no paper.
    concerned = rows < 0
    if len(changed) > _FEW:
        concerned |= np.isin(rows, told)
    else:
        for row in changed:
            concerned |= rows == row
    part = effective_library(
        artifact,
        {row: trained[row] for row in changed if row in trained},
        [events[place] for place in np.flatnonzero(concerned).tolist()],
        types,
    )
    renewed = dict(before)
    for row in changed:
        renewed.pop(row, None)
    return renewed | part
