"""Training: papers and interactions in, one artifact out."""

import os
from dataclasses import dataclass
from pathlib import Path

# Set before numpy loads BLAS: our own threads share fixed blocks, so results never depend on it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from models.blend import Blend
from models.candidates import candidates, in_blocks, pair_similarities
from models.corpus import Corpus
from models.features import PAPER_TERMS, Features, build_features
from models.manifest import FORMAT_VERSION, Manifest
from models.neighbors import CANDIDATES_PER_SIGNAL, Ranking, StoredNeighbors
from models.writer import ArtifactWriter, publish, publishing

NEIGHBORS = 100


def default_blend(signals: tuple[str, ...]) -> Blend:
    weight = {"text": 8.0, "latent": 4.0, "neighborhood": 8.0, "co_citation": 4.0}
    return Blend(
        bias=-6.0,
        signals=signals,
        linear=np.array([weight.get(name, 0) for name in signals], np.float32),
        root=np.zeros(len(signals), np.float32),
        paper_terms=PAPER_TERMS,
        paper=np.zeros(len(PAPER_TERMS), np.float32),
    )


def nearest(features: Features, blend: Blend, threads: int) -> StoredNeighbors:
    papers = len(features.papers)
    k = max(min(NEIGHBORS, papers - 1), 0)

    def work(queries: NDArray[np.int64]) -> StoredNeighbors:
        rows = candidates(features.signals, queries, CANDIDATES_PER_SIGNAL)
        products = pair_similarities(features.signals, queries, rows)
        parts = blend.contributions(products, features.papers[rows])
        logits = np.where(rows >= 0, blend.logits(parts), -np.inf)
        best = np.argsort(-logits, axis=1, kind="stable")[:, :k]
        pad = ((0, 0), (0, k - best.shape[1]))
        top = np.pad(np.take_along_axis(rows, best, 1), pad, constant_values=-1)
        return StoredNeighbors(
            top,
            np.pad(np.take_along_axis(logits, best, 1), pad),
            np.pad(np.take_along_axis(parts, best[..., None], 1), (*pad, (0, 0))),
        )

    blocks = list(in_blocks(np.arange(papers), work, threads))
    return StoredNeighbors(
        np.concatenate([block.rows for block in blocks]),
        np.concatenate([block.logits for block in blocks]).astype(np.float32),
        np.concatenate([block.contributions for block in blocks]).astype(np.float32),
    )


def train(corpus: Corpus, output: Path, seed: int, threads: int) -> Manifest:
    """Fit every signal and the blend, rank every paper's neighbours, publish the artifact."""
    features = build_features(corpus, seed)
    blend = default_blend(tuple(features.signals))
    stored = nearest(features, blend, threads)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        version="",
        seed=seed,
        parameters={},
        corpus={
            "papers": len(corpus),
            "citations": int(corpus.citations.nnz),
            "readers": 0,
            "sha256": corpus.digest(),
            "first_year": int(corpus.year[corpus.year > 0].min(initial=3000)),
            "last_year": int(corpus.year.max(initial=0)),
            "undirected": corpus.undirected,
            "notes": corpus.notes,
        },
        terms=[
            {"name": name, "kind": "popularity" if popular else "pair"}
            for name, popular in zip(blend.term_names, blend.term_is_popularity, strict=True)
        ],
        blend=blend.to_json(),
        evaluation={},
        libraries={"numpy": np.__version__},
        files={},
    )
    with publishing(output) as writer:
        write(writer, corpus, features, stored)
        return publish(writer, manifest, output)


def write(
    writer: ArtifactWriter, corpus: Corpus, features: Features, stored: StoredNeighbors
) -> None:
    cited_by = corpus.citations.T.tocsr()
    counts = {
        "work": corpus.work,
        "citation_count": np.diff(cited_by.indptr).astype(np.int32),
        "reference_count": np.diff(corpus.citations.indptr).astype(np.int32),
    }
    table = corpus.table
    for name, column in counts.items():
        table = table.append_column(name, pa.array(column))
    writer.table(table)
    encoder = features.encoder
    writer.strings("ids", encoder.papers.spellings)
    writer.array("ids.rows", encoder.papers.rows)
    writer.strings("vocabulary", encoder.vocabulary)
    writer.array("idf", encoder.idf)
    writer.array("components", encoder.components)
    writer.strings("external", encoder.external)
    writer.array("reference_weight", encoder.reference_weight)
    writer.array("features", features.papers)
    for name, signal in features.signals.items():
        writer.signal(f"signals.{name}", signal)
    writer.sparse("citations", corpus.citations)
    writer.sparse("cited_by", cited_by)
    writer.array("neighbors.rows", stored.rows)
    writer.array("neighbors.logits", stored.logits)
    writer.array("neighbors.contributions", stored.contributions)
    recent = np.lexsort((np.arange(len(corpus)), -features.papers[:, 2], -features.papers[:, 1]))
    writer.array("recent_popular", recent[:1000].astype(np.int32))
