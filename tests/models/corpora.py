"""Corpora whose right answers are known, and the files that hold them."""

import json
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import scipy.sparse as sp

from models.corpus import Corpus, read_corpus
from models.features import Features, build_features
from models.formats import Line, read_papers
from models.interactions import Interactions, read_interactions
from models.tfidf import count_terms
from models.train import train

Paper = dict[str, Any]

FIELDS = {
    "graphs": "vertex edge clique coloring planar matching spanning tree path cycle degree flow",
    "proteins": "enzyme folding helix binding ligand receptor peptide residue mutation assay dna",
}
FIRST_YEAR, YEARS, PER_YEAR = 2001, 14, 3


def two_fields() -> list[Paper]:
    """84 papers of two fields that share neither words nor links, three a year in each.

    Each cites up to six papers of the four years before it, so that every inner split has papers
    that later ones cite together.
    """
    draw = random.Random(3)  # noqa: S311 - a corpus needs no secret
    papers: list[Paper] = []
    for field, line in FIELDS.items():
        words = line.split()
        names: list[str] = []
        for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
            earlier = names[-4 * PER_YEAR :]
            now = [f"{field}/{year}-{number}" for number in range(PER_YEAR)]
            papers += [
                {
                    "id": name,
                    "title": f"{' '.join(draw.sample(words, 3))} {field}",
                    "abstract": " ".join(draw.choices(words, k=16)),
                    "authors": [f"{field.title()} Author {number}"],
                    "year": year,
                    "venue": f"Journal of {field.title()}",
                    "keywords": [field],
                    "references": draw.sample(earlier, min(6, len(earlier))),
                    "external_references": [f"{field} classic {number}"],
                }
                for number, name in enumerate(now)
            ]
            names += now
    return papers


def write_lines(path: Path, lines: Iterable[str]) -> Path:
    """A text file of these lines."""
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_jsonl(path: Path, records: Iterable[Paper]) -> Path:
    """A JSON object a line; lone surrogates are escaped, so that the file is UTF-8."""
    return write_lines(path, map(json.dumps, records))


def corpus_of(papers: Iterable[Paper]) -> Corpus:
    """The corpus of these papers, each as the line of a file."""
    lines = (Line(Path("papers.jsonl"), at, paper) for at, paper in enumerate(papers, 1))
    return read_corpus(lines)


def corpus_in(*paths: Path) -> Corpus:
    """The corpus of these files."""
    return read_corpus(read_papers(paths))


def cited_pairs(corpus: Corpus) -> set[tuple[str, str]]:
    """Ids of citing and cited papers."""
    links, ids = corpus.citations.tocoo(), corpus.ids
    return {(ids[row], ids[column]) for row, column in zip(links.row, links.col, strict=True)}


def external_pairs(corpus: Corpus) -> set[tuple[str, str]]:
    """Ids of citing papers and of the works outside the corpus that they cite."""
    links, ids = corpus.external.tocoo(), corpus.ids
    return {
        (ids[row], corpus.external_ids[int(column)])
        for row, column in zip(links.row, links.col, strict=True)
    }


def nobody(corpus: Corpus) -> sp.csr_matrix:
    """The libraries of no readers."""
    return sp.csr_matrix((0, len(corpus)), dtype=bool)


def features_of(corpus: Corpus) -> Features:
    """Every signal of a corpus without readers."""
    return build_features(corpus, count_terms(corpus.table), nobody(corpus), seed=0)


def train_on(
    corpus: Corpus,
    output: Path,
    readers: Interactions | None = None,
    *,
    seed: int = 0,
    threads: int = 2,
) -> Path:
    """Train, without readers unless there are any; returns the model folder."""
    train(corpus, output, readers or read_interactions([], corpus), seed=seed, threads=threads)
    return output
