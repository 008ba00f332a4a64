"""How good the lists are, on judgements that training never sees.

    .venv/bin/python -m tests.benchmarks.quality [SECTION ...]

Sections: forecast (vis-until-2014 and its strata), popularity, reliability, text, readers. All by
the documented commands with default settings, scored by ../shared/score/score.py. What is what:

- forecast: `qrels.txt` are the co-citations of later papers. Strata take queries by how many papers
  of the file cite them. `uncited` is recall@100 of the relevant papers that none of the file cites,
  a mean over the queries that have such papers, and over all such pairs.
- popularity: every paper a query, the first ten of each list, at popularity 1 and 0.5.
- reliability: lists of 100 for each query; related is what the judgements say. They cover a longer
  future than the window that the scores are calibrated for, so more pairs come true.
- text: the same corpus without references and years, against two baselines of scikit-learn
  (1-2-grams, the title twice, English stop words, least in two papers).
- readers: library completion on citeulike-t.

Caveats: one corpus of one field and one of bookmarks; no confidence intervals.
"""

import argparse
import gzip
import importlib.util
import json
import math
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import mean
from types import ModuleType
from typing import Any

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from tests.benchmarks.report import COMMAND, DATASETS, heading, run, table

FORECAST = DATASETS / "vis-until-2014"
Qrels = dict[str, set[str]]


def _scorer() -> ModuleType:
    specification = importlib.util.spec_from_file_location(
        "score", DATASETS.parent / "score" / "score.py"
    )
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


SCORE = _scorer()


def figures(relevant: Qrels, ranked: dict[str, list[str]]) -> dict[str, float]:
    """What score.py prints."""
    result: dict[str, float] = SCORE.evaluate(relevant, ranked, 10, 100, [10, 50, 100, 300])
    return result


def papers() -> list[dict[str, Any]]:
    """The lines of the corpus until 2014."""
    with gzip.open(FORECAST / "papers.jsonl.gz", "rt") as file:
        return [json.loads(line) for line in file]


class Forecast:
    """The corpus until 2014, its judgements, and a model of it that is trained once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.papers = papers()
        self.relevant: Qrels = SCORE.read_qrels(str(FORECAST / "qrels.txt"))
        self.model = self.train(FORECAST / "papers.jsonl.gz")
        citing = {
            (paper["id"], cited)
            for paper in self.papers
            for cited in paper.get("references", ())
            if cited != paper["id"]
        }
        self.citations = Counter(cited for _, cited in citing)

    def train(self, corpus: Path) -> Path:
        """The folder of a model with default settings."""
        model = self.folder / f"model-{corpus.name}"
        run(COMMAND, "train", "--papers", corpus, "--output", model)
        return model

    def rank(self, model: Path, queries: Path, depth: int, popularity: float = 1) -> Path:
        """A run file of `rank papers`."""
        output = self.folder / f"{model.name}-{queries.name}-{depth}-{popularity}"
        options = ("--depth", str(depth), "--popularity", str(popularity), "--output", output)
        run(COMMAND, "rank", "papers", "--model", model, "--queries", queries, *options)
        return output

    def lists(self, model: Path) -> dict[str, list[str]]:
        """The first 300 papers for each judged query."""
        ranked: dict[str, list[str]] = SCORE.read_run(
            str(self.rank(model, FORECAST / "queries.txt", 300))
        )
        return ranked


def forecast(corpus: Forecast) -> None:
    relevant, ranked = corpus.relevant, corpus.lists(corpus.model)
    few = {query: each for query, each in relevant.items() if corpus.citations[query] < 3}
    none = {query: each for query, each in few.items() if not corpus.citations[query]}
    rows = [
        (name, len(strata), *(f"{figures(strata, ranked)[column]:.4f}" for column in columns), goal)
        for columns in [("ndcg@10", "map@100", "recall@100")]
        for name, strata, goal in (
            ("all", relevant, "0.44 / 0.285 / 0.69 (target 0.46 / 0.30 / 0.72)"),
            ("cited by fewer than 3", few, "0.41 (nDCG@10)"),
            ("cited by none", none, "0.44 (nDCG@10)"),
        )
    ]
    table(("queries of vis-until-2014", "", "nDCG@10", "MAP@100", "recall@100", "goal"), rows)
    uncited = {
        query: found
        for query, wanted in relevant.items()
        if (found := {each for each in wanted if not corpus.citations[each]})
    }
    pairs = sum(map(len, uncited.values()))
    hits = sum(len(wanted & set(ranked[query][:100])) for query, wanted in uncited.items())
    table(
        ("recall@100 of relevant papers that none cites", "", "figure", "goal"),
        [
            ("mean over queries", len(uncited), figures(uncited, ranked)["recall@100"], ">= 0.36"),
            ("over all pairs", pairs, f"{hits / pairs:.4f}", ""),
        ],
    )


def popularity(corpus: Forecast) -> None:
    everyone = corpus.folder / "everyone.txt"
    everyone.write_text("".join(f"{paper['id']}\n" for paper in corpus.papers))
    rows: list[tuple[object, ...]] = []
    distinct, quality = [], []
    for weight in (1.0, 0.5):
        ranked = SCORE.read_run(str(corpus.rank(corpus.model, everyone, 10, weight)))
        slots = Counter(paper for each in ranked.values() for paper in each)
        most = slots.most_common(max(1, round(len(corpus.papers) / 100)))
        distinct.append(len(slots))
        quality.append(figures(corpus.relevant, ranked)["ndcg@10"])
        share = sum(count for _, count in most) / slots.total()
        rows.append((weight, f"{len(slots):,}", f"{quality[-1]:.4f}", f"{share:.3f}"))
    more, lost = distinct[1] / distinct[0] - 1, 1 - quality[1] / quality[0]
    rows.append(("change", f"{more:+.1%}", f"{-lost:+.1%}", ""))
    rows.append(("goal", ">= +30 %", ">= -4 %", "<= .20 at 0.5"))
    columns = ("popularity", "distinct papers in top tens", "nDCG@10", "slots of the top 1 %")
    table(columns, rows)


def reliability(corpus: Forecast) -> None:
    tenths: defaultdict[int, list[tuple[float, bool]]] = defaultdict(list)
    with corpus.rank(corpus.model, FORECAST / "queries.txt", 100).open() as file:
        for line in file:
            query, _, paper, _, logit, _ = line.split()
            score = 1 / (1 + math.exp(-float(logit)))
            tenths[min(int(score * 10), 9)].append((score, paper in corpus.relevant[query]))
    table(
        ("score", "pairs", "mean score", "related", "difference"),
        [
            (
                f"{tenth / 10:.1f} to {tenth / 10 + 0.1:.1f}",
                f"{len(pairs):,}",
                f"{(score := mean(each for each, _ in pairs)):.3f}",
                f"{(related := mean(each for _, each in pairs)):.3f}",
                f"{related - score:+.3f}",
            )
            for tenth, pairs in sorted(tenths.items())
        ],
    )


def text(corpus: Forecast) -> None:
    stripped = corpus.folder / "text.jsonl"
    linked = ("references", "external_references", "year")
    stripped.write_text(
        "".join(
            json.dumps({name: value for name, value in paper.items() if name not in linked}) + "\n"
            for paper in corpus.papers
        )
    )
    compared = [("ours, default settings", corpus.lists(corpus.train(stripped)))]
    compared += _baselines(corpus)
    columns = ("ndcg@10", "map@100", "recall@100")
    table(
        ("text alone", "nDCG@10", "MAP@100", "recall@100"),
        [
            (name, *(f"{figures(corpus.relevant, ranked)[column]:.4f}" for column in columns))
            for name, ranked in compared
        ],
    )


def _baselines(corpus: Forecast) -> Iterator[tuple[str, dict[str, list[str]]]]:
    def field(paper: dict[str, Any], name: str) -> str:
        return paper.get(name) or ""

    texts = [
        " ".join(
            [
                field(paper, "title"),
                field(paper, "title"),
                field(paper, "abstract"),
                *(paper.get("keywords") or ()),
            ]
        )
        for paper in corpus.papers
    ]
    vectorizer = TfidfVectorizer(
        sublinear_tf=True, ngram_range=(1, 2), min_df=2, stop_words="english"
    )
    vectors = vectorizer.fit_transform(texts)
    latent = normalize(TruncatedSVD(200, random_state=0).fit_transform(vectors))
    ids = np.array([paper["id"] for paper in corpus.papers])
    place = {name: at for at, name in enumerate(ids)}
    for name, share in (("TF-IDF", 0.0), ("TF-IDF + half LSA-200", 0.5)):
        ranked = {}
        for query in corpus.relevant:
            at = place[query]
            products = (vectors @ vectors[at].T).toarray()[:, 0] + share * (latent @ latent[at])
            products[at] = -np.inf
            ranked[query] = ids[np.argsort(-products, kind="stable")[:100]].tolist()
        yield name, ranked


def readers(folder: Path) -> None:
    rows = []
    goals = {
        "10-per-user": "0.29 / 0.38 / 0.53 (target 0.32 / 0.415 / 0.575)",
        "1-per-user": "0.17 / 0.225 / 0.33 (target 0.19 / 0.25 / 0.37)",
    }
    library = DATASETS / "citeulike-t"
    for split, goal in goals.items():
        model, names, output = (folder / f"{split}-{part}" for part in ("model", "names", "run"))
        relevant: Qrels = SCORE.read_qrels(str(library / split / "qrels.txt.gz"))
        names.write_text("".join(f"{reader}\n" for reader in relevant))
        events = library / split / "interactions.jsonl.gz"
        corpus = ("--papers", library / "papers.jsonl.gz", "--interactions", events)
        run(COMMAND, "train", *corpus, "--output", model)
        options = ("--readers", names, "--depth", "300", "--output", output)
        run(COMMAND, "rank", "readers", "--model", model, *options)
        scored = figures(relevant, SCORE.read_run(str(output)))
        recalls = (f"{scored[f'recall@{depth}']:.4f}" for depth in (50, 100, 300))
        rows.append((split, f"{len(relevant):,}", *recalls, goal))
    table(("citeulike-t", "readers", "recall@50", "@100", "@300", "goal"), rows)


SECTIONS: dict[str, Callable[[Forecast], None]] = {
    "forecast": forecast,
    "popularity": popularity,
    "reliability": reliability,
    "text": text,
}


def main(chosen: Iterable[str]) -> None:
    wanted = set(chosen) or {*SECTIONS, "readers"}
    heading("Quality")
    with tempfile.TemporaryDirectory() as folder:
        if wanted & set(SECTIONS):
            corpus = Forecast(Path(folder))
            for name, section in SECTIONS.items():
                if name in wanted:
                    section(corpus)
        if "readers" in wanted:
            readers(Path(folder))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    main(parser.parse_args().sections)
