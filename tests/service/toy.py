"""A toy corpus whose right answers are known: three subjects that share neither words nor links."""

import json
import random
from pathlib import Path
from typing import Any

from models.artifact import Artifact

SUBJECTS = {
    "graph": "vertex edge clique coloring planar matching spanning tree path cycle degree flow",
    "protein": "enzyme folding helix binding ligand receptor peptide residue mutation assay dna",
    "market": "auction price bidder equity hedge bond trader liquidity volatility option yield",
}
PER_SUBJECT = 18
VENUES = ("Journal of Toys", "Toy Letters")

TWINS = ("10.1000/twin", "arXiv:2001.00001")
"""The published paper and the preprint of one work, of the subject `graph`."""

LONELY = "lonely"
"""A paper without text, year, venue or links: nothing is related to it."""

DOI = "10.1145/3292500.3330701"
ARXIV = "arXiv:1706.03762"


def papers() -> list[dict[str, Any]]:
    """56 papers and LONELY. Each cites two or three earlier ones of its subject."""
    draw = random.Random(7)  # noqa: S311 - a corpus needs no secret
    found: list[dict[str, Any]] = []
    for subject, line in SUBJECTS.items():
        words = line.split()
        names = [f"{subject}-{number:02}" for number in range(PER_SUBJECT)]
        for number, name in enumerate(names):
            found.append(
                {
                    "id": name,
                    "title": f"{subject} {' '.join(draw.sample(words, 3))} {number}",
                    "abstract": " ".join(draw.choices(words, k=14)),
                    "authors": [f"{subject.title()} Author {number % 5}", "Anne Other"],
                    "year": 2000 + number,
                    "venue": VENUES[number % 2],
                    "keywords": [subject],
                    "references": draw.sample(names[:number], min(number, 2 + number % 2)),
                }
            )
    named = {"graph-03": ARXIV, "protein-03": DOI}
    for paper in found:
        paper["id"] = named.get(paper["id"], paper["id"])
        paper["references"] = [named.get(each, each) for each in paper["references"]]
    twin = {
        "title": "Graph coloring of planar twins",
        "abstract": "vertex edge clique coloring planar matching",
        "authors": ["Tilda Twin"],
        "year": 2015,
        "venue": VENUES[0],
        "references": ["graph-01", "graph-02"],
    }
    return [*found, *({"id": paper_id, **twin} for paper_id in TWINS), {"id": LONELY}]


def subject(paper_id: str) -> str:
    """Which of the subjects a paper is about; empty for LONELY."""
    others = {ARXIV: "graph", DOI: "protein", TWINS[0]: "graph", TWINS[1]: "graph", LONELY: ""}
    return others.get(paper_id, paper_id.split("-", maxsplit=1)[0])


def write(path: Path) -> None:
    """The papers as the lines that `train` reads."""
    path.write_text("".join(json.dumps(paper) + "\n" for paper in papers()), encoding="utf-8")


READERS_PER_SUBJECT = 20


def interactions() -> list[dict[str, str]]:
    """Saves: 20 readers a subject, `graph-reader-00` and so on, each of five papers of it."""
    draw = random.Random(8)  # noqa: S311
    found = []
    for subject_name in SUBJECTS:
        ids = [paper["id"] for paper in papers() if subject(paper["id"]) == subject_name]
        for number in range(READERS_PER_SUBJECT):
            reader = f"{subject_name}-reader-{number:02}"
            found += [
                {"user": reader, "paper": paper_id, "type": "save"}
                for paper_id in draw.sample(ids[:PER_SUBJECT], 5)
            ]
    return found


def write_interactions(path: Path) -> None:
    """The saves as the lines that `train` reads."""
    lines = (json.dumps(event) + "\n" for event in interactions())
    path.write_text("".join(lines), encoding="utf-8")


def rows(artifact: Artifact, *ids: str) -> list[int]:
    """The rows of those papers that a model knows."""
    found = [artifact.papers.row(each) for each in ids]
    return [row for row in found if row is not None]
