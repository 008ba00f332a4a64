"""All-pairs top 100 over 1-2-gram TF-IDF: our search against scikit-learn's, on the same rows.

    .venv/bin/python -m tests.benchmarks.top_k [PAPERS] [--rounds 3] [--sample 1000] [--budget N]

The rows are the TF-IDF vectors that training makes of the first PAPERS lines of cs-343k. Ours is
`models.candidates.top_k` on two threads, for every row; scikit-learn is `NearestNeighbors`
(metric cosine, brute force, two jobs). The two take turns. `--budget` sets how many postings are
read for a query; by default as training does. Recall@20: the share of the 20 largest
exact products of a row that are among our first 20, on a seeded sample of rows. Error: the largest
difference between one of our scores and the same product in float64.
Caveats: scikit-learn answers a sample of the rows against all rows, and its time is scaled to all
of them, which flatters neither: its work for a row does not depend on how many are asked. Compiling
our kernels (once on a machine) is left out, and so is building the transposed matrix (printed).
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from models.candidates import in_blocks, top_k
from models.corpus import read_corpus
from models.formats import Format, read_papers
from models.signals import SparseSignal
from models.tfidf import count_terms, fit_tfidf
from tests.benchmarks.report import first_lines, heading, spread, table

NEIGHBORS, SHOWN, THREADS = 100, 20, 2


def search(
    signal: SparseSignal, budget: int | None
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Rows and scores of every paper's neighbours, as training finds them."""
    queries = np.arange(signal.papers)
    found = list(in_blocks(queries, lambda block: top_k(signal, block, NEIGHBORS, budget), THREADS))
    return np.concatenate([rows for rows, _ in found]), np.concatenate([each for _, each in found])


def compare(
    signal: SparseSignal,
    sample: NDArray[np.int64],
    rows: NDArray[np.int32],
    scores: NDArray[np.float32],
) -> tuple[float, float]:
    """Membership recall of the first SHOWN, and the largest error of a score, on a sample."""
    found, largest = 0, 0.0
    exact = signal.matrix.astype(np.float64)
    for block in np.array_split(sample, max(1, len(sample) // 100)):
        products = (exact[block] @ exact.T).toarray()
        for query, product in zip(block, products, strict=True):
            ours = rows[query][rows[query] >= 0]
            errors = np.abs(product[ours] - scores[query][: len(ours)])
            largest = max(largest, float(errors.max(initial=0.0)))
            product[query] = 0.0
            best = np.argsort(-product, kind="stable")[:SHOWN]
            found += len(np.intersect1d(best[product[best] > 0], ours[:SHOWN]))
    # Papers with fewer than SHOWN others at a product above 0 are rare, and then lower the figure.
    return found / (len(sample) * SHOWN), largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("papers", type=int, nargs="?", default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sample", type=int, default=1_000)
    parser.add_argument("--budget", type=int)
    arguments = parser.parse_args()
    heading(f"All-pairs top {NEIGHBORS} over TF-IDF")
    with tempfile.TemporaryDirectory() as folder:
        path = first_lines(arguments.papers, Path(folder))
        tfidf = fit_tfidf(
            count_terms(read_corpus(read_papers([path], Format.AUTO, lambda _: None)).table)
        )
    begun = time.perf_counter()
    signal = SparseSignal.build(tfidf.matrix)
    built = time.perf_counter() - begun
    draw = np.random.default_rng(0)
    sample = np.sort(draw.choice(signal.papers, min(arguments.sample, signal.papers), False))
    top_k(signal, sample[:1], NEIGHBORS)  # compiles
    theirs = NearestNeighbors(
        n_neighbors=NEIGHBORS + 1, metric="cosine", algorithm="brute", n_jobs=THREADS
    ).fit(signal.matrix)
    ours_seconds, theirs_seconds = [], []
    rows, scores = search(signal, arguments.budget)  # warms the caches of both
    for _ in range(arguments.rounds):
        begun = time.perf_counter()
        rows, scores = search(signal, arguments.budget)
        ours_seconds.append(time.perf_counter() - begun)
        begun = time.perf_counter()
        theirs.kneighbors(signal.matrix[sample])
        theirs_seconds.append((time.perf_counter() - begun) * signal.papers / len(sample))
    recall, error = compare(signal, sample, rows, scores)
    ratios = [their / our for our, their in zip(ours_seconds, theirs_seconds, strict=True)]
    table(
        ("what", "figure", "goal"),
        [
            ("papers x terms, entries", f"{signal.matrix.shape}, {signal.matrix.nnz:,}", ""),
            ("ours, s", spread(ours_seconds, "{:.2f}".format), ""),
            ("transposing, s", f"{built:.2f}", ""),
            (
                f"scikit-learn, s, scaled from {len(sample):,} rows",
                spread(theirs_seconds, "{:.2f}".format),
                "",
            ),
            ("times as fast", spread(ratios), ">= 10"),
            (
                "with transposing",
                f"{median(theirs_seconds) / (median(ours_seconds) + built):.1f}",
                "",
            ),
            (f"recall@{SHOWN}", f"{recall:.4f}", ">= 0.97"),
            ("largest error of a score", f"{error:.1e}", "float32's rounding"),
        ],
    )


if __name__ == "__main__":
    main()
