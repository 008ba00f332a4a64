"""Training: papers and interactions in, one artifact out."""

import os

# Before numpy loads its BLAS: our own threads share fixed blocks of work, so that the result does
# not depend on how many there are.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import platform
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from models.batch import rank_blocks
from models.blend import Blend
from models.calibration import fit_calibration, held_out_lists, inner_figures, reliability
from models.citations import links
from models.corpus import Corpus
from models.defaults import default_blend
from models.features import Features, build_features
from models.fitting import fit_blend, gather_pairs
from models.interactions import Interactions
from models.layout import basic_papers, first_pages
from models.manifest import FORMAT_VERSION, Manifest
from models.neighbors import StoredNeighbors
from models.progress import Advance, Relay, Report, silent
from models.reader_fitting import FittedReaders, fit_readers
from models.signals import DenseSignal
from models.split import inner_splits
from models.terms import DESCRIPTIONS
from models.tfidf import TermCounts, count_terms
from models.writer import ArtifactWriter, publish, publishing

NEIGHBORS = 100
"""Neighbours stored for each paper."""

SPLIT_SHARES = (1 / 5, 1 / 3)
"""Shares of the reference lists that the inner splits leave out; the first one calibrates."""

RECENT_POPULAR = 1_000


@dataclass(frozen=True)
class Fitted:
    """A blend and what its inner splits said of it."""

    blend: Blend
    evaluation: dict[str, Any]


def train(
    corpus: Corpus,
    output: Path,
    interactions: Interactions,
    *,
    seed: int = 0,
    threads: int = 2,
    report: Report = silent,
) -> Manifest:
    """Fit the blend on inner splits and the signals on the whole corpus, rank every paper's
    neighbours, publish the artifact in `output`. Raises ArtifactError where it can't be written.
    """
    with (
        threadpool_limits(1),
        publishing(output) as writer,
        ThreadPoolExecutor(3) as beside,
    ):
        libraries = interactions.user_items
        table, indexed = paper_table(corpus), Relay()
        indexing = beside.submit(writer.search_index, table, indexed)
        counts = count_terms(corpus.table, report("Terms", len(corpus)))
        # The inner splits leave cores idle half of the time: the whole corpus's signals take them,
        # and the search index.
        building = beside.submit(build_features, corpus, counts, libraries, seed, threads)
        fitting = beside.submit(
            lambda: fit_readers(
                libraries, links(corpus.citations), building.result(), seed, threads
            )
        )
        fitted = fit(corpus, counts, libraries, seed, threads, report)
        report("Signals of the corpus", 0)
        features = building.result()
        blend = fitted.blend if fitted else default_blend(tuple(features.signals))
        advance = report("Neighbours", len(corpus))
        neighbors = rank_neighbors(features, blend, threads, advance)
        report("Readers", 0)
        readers = fitting.result()
        indexed.listen(report("Search index", len(corpus)))
        indexing.result()
        report("Artifact", 0)
        writer.table(table)
        pages = first_pages(neighbors, blend, corpus.work, table["basic"].combine_chunks())
        writer.first_pages(pages)
        write(writer, corpus, features, blend, neighbors)
        write_readers(writer, interactions, readers)
        evaluation = fitted.evaluation if fitted else {}
        return publish(writer, _manifest(corpus, interactions, blend, evaluation, seed), output)


def fit(
    corpus: Corpus,
    counts: TermCounts,
    libraries: sp.csr_matrix,
    seed: int,
    threads: int,
    report: Report,
) -> Fitted | None:
    """The calibrated blend of a corpus; None where no inner split has a related pair."""
    splits = inner_splits(corpus, libraries, seed, SPLIT_SHARES)
    if not splits:
        return None
    built, parts = [], []
    for number, split in enumerate(splits, 1):
        report(f"Inner split {number} of {len(splits)}", 0)
        known = counts.take(split.kept)
        features = build_features(split.corpus, known, split.libraries, seed, threads)
        built.append(features)
        parts.append(gather_pairs(split, features, seed, threads))
    signals = tuple(built[0].signals)
    blend = fit_blend(signals, parts)
    report("Calibration", 0)
    held = held_out_lists(splits[0], built[0], parts, signals, seed, threads)
    calibration = fit_calibration(held, built[0].papers)
    evaluation = {
        "window": splits[0].window,
        "score": f"probability that {splits[0].related}",
        "figures": inner_figures(splits[0], held),
        "reliability": reliability(held, built[0].papers, seed),
    }
    blend = blend.calibrated(calibration.slope, calibration.seed, calibration.intercept)
    return Fitted(blend, evaluation)


def rank_neighbors(
    features: Features, blend: Blend, threads: int, advance: Advance
) -> StoredNeighbors:
    """The lists that serving maps: each paper's best NEIGHBORS others."""
    papers = len(features.papers)
    depth = min(NEIGHBORS, papers - 1)
    rows = np.full((papers, depth), -1, np.int32)
    logits = np.zeros((papers, depth), np.float32)
    contributions = np.zeros((papers, depth, len(blend.term_names)), np.float32)
    if depth:
        everyone = np.arange(papers)
        for block in rank_blocks(
            features.signals, features.papers, blend, everyone, depth, threads=threads
        ):
            advance(len(block.queries))
            found = block.rows.shape[1]
            rows[block.queries, :found] = block.rows
            known = block.rows >= 0
            logits[block.queries, :found] = np.where(known, block.logits, 0)
            contributions[block.queries, :found] = np.where(
                known[..., None], block.contributions, 0
            )
    return StoredNeighbors(rows, logits, contributions)


def paper_table(corpus: Corpus) -> pa.Table:
    """What is kept of each paper."""
    table = corpus.table
    for name, column in (
        ("work", corpus.work),
        ("citation_count", np.bincount(corpus.citations.indices, minlength=len(corpus))),
        ("reference_count", np.diff(corpus.citations.indptr)),
    ):
        table = table.append_column(name, pa.array(column.astype(np.int32)))
    return table.append_column("basic", basic_papers(table))


def write(
    writer: ArtifactWriter,
    corpus: Corpus,
    features: Features,
    blend: Blend,
    neighbors: StoredNeighbors,
) -> None:
    """What the blend weighs, and what drafts and evidence need."""
    cited_by = corpus.citations.T.tocsr()
    encoder = features.encoder
    writer.strings("ids", encoder.papers.spellings)
    writer.array("ids.rows", encoder.papers.rows)
    writer.strings("vocabulary", encoder.vocabulary)
    writer.array("idf", encoder.idf)
    writer.array("components", encoder.components)
    writer.strings("external", encoder.external)
    writer.array("reference_weight", encoder.reference_weight)
    writer.strings("authors", encoder.authors)
    writer.sparse("steps", encoder.steps)
    writer.array("features", features.papers)
    weighed = {name: features.signals[name] for name in blend.signals}
    for name, signal in {
        **weighed,
        **(encoder.near if "shared_neighbors" in blend.signals else {}),
        "text": encoder.texts,
        "latent": DenseSignal(encoder.latent),
    }.items():
        writer.signal(f"signals.{name}", signal)
    writer.sparse("citations", corpus.citations)
    writer.sparse("cited_by", cited_by)
    writer.array("neighbors.rows", neighbors.rows)
    writer.array("neighbors.logits", neighbors.logits)
    writer.array("neighbors.contributions", neighbors.contributions)
    writer.array("recent_popular", _recent_popular(corpus, features))


def write_readers(
    writer: ArtifactWriter, interactions: Interactions, fitted: FittedReaders | None
) -> None:
    """The readers, their libraries, and where there is such a model what ranks for them and what
    live readers change it by."""
    writer.strings("readers", interactions.readers)
    writer.sparse("libraries", interactions.user_items)
    if fitted is not None:
        model = fitted.model
        writer.array("readers.user_factors", fitted.user_factors)
        writer.array("readers.smoothed_text", model.smoothed_text)
        writer.array("readers.item_factors", model.item_factors)
        writer.array("readers.saves", model.saves)
        writer.array("readers.weights", model.weights)


def _recent_popular(corpus: Corpus, features: Features) -> NDArray[np.int32]:
    """Papers by their recent citations, then by all of them, then the newest."""
    citations, _, recent, *_ = features.papers.T
    order = np.lexsort((-corpus.year.astype(np.int32), -citations, -recent))
    return order[:RECENT_POPULAR].astype(np.int32)


def _manifest(
    corpus: Corpus,
    interactions: Interactions,
    blend: Blend,
    evaluation: dict[str, Any],
    seed: int,
) -> Manifest:
    year = corpus.year[corpus.year > 0]
    return Manifest(
        format_version=FORMAT_VERSION,
        version="",
        seed=seed,
        parameters={"neighbors": NEIGHBORS, "split_shares": list(SPLIT_SHARES)},
        corpus={
            "papers": len(corpus),
            "citations": int(corpus.citations.nnz),
            "readers": len(interactions),
            "saves": int(interactions.user_items.nnz),
            "external_references": int(corpus.external.nnz),
            "undirected": corpus.undirected,
            "first_year": int(year.min(initial=year[0])) if len(year) else 0,
            "last_year": int(year.max(initial=0)),
            "sha256": corpus.digest(),
            "notes": corpus.notes,
        },
        terms=[
            {"name": name, "kind": kind, "description": DESCRIPTIONS[name]}
            for name, kind in zip(blend.term_names, blend.term_kinds, strict=True)
        ],
        blend=blend.to_json(),
        evaluation=evaluation,
        libraries={
            name: version(name)
            for name in (
                "numpy",
                "scipy",
                "scikit-learn",
                "implicit",
                "numba",
                "pyarrow",
                "tantivy",
            )
        }
        | {"python": platform.python_version()},
        files={},
    )
