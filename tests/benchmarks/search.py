"""Search over 343,080 papers: building the index, and asking it.

    .venv/bin/python -m tests.benchmarks.search

The index is built from all of cs-343k, as training builds it, and nothing else is trained. Queries
go to the handler of SearchPapers, one after the other, without any cache and without gRPC: request
in, bytes of the first page of ten out, its thread included. Queries are drawn from the papers (seed
0), 200 of each kind. Caveats: warm pages, one query at a time; cs-343k has no citations.

Known items: of links of vis-until-2014 the cited paper is sought by one to three words of its
title, as whoever cited it might have. Nothing here was seen by any evaluation.
"""

import asyncio
import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, cast

import numpy as np

from models import search_index
from models.artifact import Artifact
from models.corpus import Corpus, read_corpus
from models.formats import read_papers
from models.manifest import Manifest
from models.papers import PaperIndex, Papers, venue_codes
from models.search_query import parse
from models.search_words import GRAMMAR, fold, words
from models.searcher import Searcher
from models.train import paper_table
from models.writer import ArtifactWriter
from relatedpapers.v1.recommendation_service_pb2 import PaperFilter, SearchPapersRequest
from service.background import Background
from service.cache import AnswerCache
from service.catalog import Catalog
from service.filters import Passing
from service.search import Search
from service.secrets import SigningKeys
from tests.benchmarks.report import DATASETS, heading, table

EACH = 200
KNOWN = 1_500
Make = Callable[[], SearchPapersRequest]


def corpus_of(name: str) -> Corpus:
    """The corpus of a dataset."""
    (path,) = (DATASETS / name).glob("papers.jsonl*")
    return read_corpus(read_papers([path]))


def built(corpus: Corpus, folder: Path) -> tuple[float, float]:
    """Write what search needs of an artifact; seconds of wall and CPU time for the index."""
    papers = paper_table(corpus)
    wall, cpu = time.perf_counter(), time.process_time()
    search_index.write_index(folder, papers, venue_codes(papers)[0])
    spent = time.perf_counter() - wall, time.process_time() - cpu
    writer = ArtifactWriter(folder)
    writer.table(papers)
    index = PaperIndex.build(corpus.ids)
    writer.strings("ids", index.spellings)
    writer.array("ids.rows", index.rows)
    return spent


def handler(artifact: Artifact, keys: SigningKeys) -> Search:
    """The handler over an artifact of which only what search needs is there."""
    serving = SimpleNamespace(artifact=artifact, passing=Passing(artifact.papers))
    catalog = cast(Catalog, SimpleNamespace(serving=serving))
    cache = AnswerCache(None, local_megabytes=0)
    return Search(catalog, keys, Background(), cache)


class Kinds:
    """Queries that people send, drawn from the papers."""

    def __init__(self, papers: Papers) -> None:
        self._papers = papers
        self._draw = random.Random(0)  # noqa: S311

    def all(self) -> dict[str, Make]:
        """Each kind by its name."""
        typed = {f"prefix, {size} letters": self._typed(size) for size in range(1, 6)}
        return {
            "one word": lambda: self._words(1),
            "two words": lambda: self._words(2),
            "three words": lambda: self._words(3),
            "four words": lambda: self._words(4),
            "a phrase of two": lambda: self._asked('"{}"', 2),
            "a phrase of three": lambda: self._asked('"{}"', 3),
            "a question with words of grammar": lambda: self._asked("what is the {} of", 2),
            "a word and a prefix of 4": self._two_typed,
            **typed,
            "author": lambda: self._named("author:{}", self._author().split()[-1]),
            "author's whole name": lambda: self._named('author:"{}"', self._author()),
            "venue and a word": self._venue,
            "years and two words": lambda: self._words(2, " year:2015..2020"),
            "two words in a filter": self._filtered,
            "two words, one of them unknown": lambda: self._words(2, " qqzzqq"),
            "a whole title": lambda: SearchPapersRequest(query=self._title()),
        }

    def _row(self) -> int:
        return self._draw.randrange(len(self._papers))

    def _title(self) -> str:
        return next(filter(None, (self._papers.title(self._row()) for _ in itertools.count())))

    def _stretch(self, size: int) -> list[str]:
        """Words side by side in a title, none of them of grammar."""
        for _ in itertools.count():
            title = fold(self._title()).split()
            at = self._draw.randrange(len(title)) if title else 0
            found = title[at : at + size]
            if len(found) == size and not set(found) & GRAMMAR:
                return found
        raise AssertionError

    def _words(self, size: int, after: str = "") -> SearchPapersRequest:
        return SearchPapersRequest(query=" ".join(self._stretch(size)) + after)

    def _asked(self, form: str, size: int) -> SearchPapersRequest:
        return SearchPapersRequest(query=form.format(" ".join(self._stretch(size))))

    def _typed(self, size: int) -> Make:
        return lambda: SearchPapersRequest(query=self._stretch(1)[0][:size], prefix=True)

    def _two_typed(self) -> SearchPapersRequest:
        first, second = self._stretch(2)
        return SearchPapersRequest(query=f"{first} {second[:4]}", prefix=True)

    def _author(self) -> str:
        names = (self._papers.record(self._row()).authors for _ in itertools.count())
        return next(filter(str.strip, (name[0] for name in names if name)))

    def _named(self, form: str, name: str) -> SearchPapersRequest:
        return SearchPapersRequest(query=form.format(name))

    def _venue(self) -> SearchPapersRequest:
        venues = (self._papers.record(self._row()).venue for _ in itertools.count())
        venue = next(filter(None, venues))
        return SearchPapersRequest(query=f'venue:"{venue}" {self._stretch(1)[0]}')

    def _filtered(self) -> SearchPapersRequest:
        request = self._words(2)
        ids = [self._papers.id(self._row()) for _ in range(100)]
        request.filter.CopyFrom(PaperFilter(first_year=2018, excluded_paper_ids=ids))
        return request


def worst_cases() -> dict[str, list[SearchPapersRequest]]:
    """Queries that ask for as much work as they can."""
    grammar = sorted(GRAMMAR, key=lambda word: (len(word), word))

    def asked(query: str, **fields: Any) -> list[SearchPapersRequest]:
        return [SearchPapersRequest(query=query, **fields)]

    return {
        "every one-letter prefix": [
            SearchPapersRequest(query=letter, prefix=True)
            for letter in "abcdefghijklmnopqrstuvwxyz"
        ],
        "author: and one letter": asked("author:a", prefix=True),
        "`the`": asked("the"),
        "32 words of grammar": asked(" ".join(grammar[:32])),
        "`state of the art` as a phrase": asked('"state of the art"'),
        "`of the` as a phrase": asked('"of the"'),
        "`the` among venues that nobody has": asked("the", filter={"venues": ["nowhere"]}),
        "every paper of 2016": asked("", filter={"first_year": 2016, "last_year": 2016}),
        "1,000 letters, unknown": asked("x" * 1_000, prefix=True),
        "10,000 letters in 2,000 words": asked("deep learning of graphs x " * 400),
        "a page of 100": asked("deep learning", page_size=100),
    }


class Spent(NamedTuple):
    """Milliseconds of one query: as its sender waits, and of CPU."""

    wall: float
    cpu: float


async def spent(search: Search, requests: Iterable[SearchPapersRequest]) -> list[Spent]:
    """What each request took."""
    found = []
    for request in requests:
        wall, cpu = time.perf_counter_ns(), time.process_time_ns()
        await search.search_papers(request)
        wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
        found.append(Spent(wall / 1e6, cpu / 1e6))
    return found


def row(name: str, times: list[Spent]) -> tuple[str, ...]:
    """Median, 95th percentile and worst, of either kind of time."""
    shown = [name]
    for values in zip(*times, strict=True):
        ordered = sorted(values)
        p95 = ordered[int(len(ordered) * 0.95)]
        shown += [f"{each:.1f}" for each in (statistics.median(ordered), p95, ordered[-1])]
    return tuple(shown)


async def ask(search: Search, papers: Papers) -> None:
    """Print how long each kind of query takes, then the worst that we know."""
    kinds = Kinds(papers).all()
    drawn = {name: [make() for _ in range(EACH)] for name, make in kinds.items()}
    heading("Asking the index of 343,080 papers, milliseconds at the handler")
    rows: list[tuple[str, ...]] = []
    everything: list[Spent] = []
    for name, requests in drawn.items():
        times = await spent(search, requests)
        everything += times
        rows.append(row(name, times))
    columns = ["query", "median", "p95", "worst", "CPU: median", "p95", "worst"]
    table(columns, [*rows, row("**all of these**", everything)])
    heading("The worst queries that we know of, five times each")
    table(
        columns,
        [
            row(name, await spent(search, [each for each in requests for _ in range(5)]))
            for name, requests in worst_cases().items()
        ],
    )


def known_items(corpus: Corpus) -> Iterator[tuple[str, int]]:
    """Words of the titles of cited papers, and whose they are."""
    draw = random.Random(1)  # noqa: S311
    cited = corpus.citations.indices
    titles = corpus.table["title"].to_pylist()
    while True:
        target = int(cited[draw.randrange(len(cited))])
        of_title = [word for word in dict.fromkeys(words(titles[target])) if word not in GRAMMAR]
        if len(of_title) >= 4:
            yield " ".join(draw.sample(of_title, draw.choice([1, 2, 2, 3]))), target


def find_known(corpus: Corpus, fame: float) -> tuple[str, str, str]:
    """How well known items are found where a doubling of citations adds so much."""
    papers = paper_table(corpus)
    with tempfile.TemporaryDirectory() as folder:
        search_index.FAME = fame
        search_index.write_index(Path(folder), papers, venue_codes(papers)[0])
        searcher = Searcher(search_index.open_index(Path(folder)), corpus.work, lambda _: None)
        reciprocal = []
        for query, target in itertools.islice(known_items(corpus), KNOWN):
            rows = searcher.find(parse(query)).rows
            reciprocal.append(1 / (rows.index(target) + 1) if target in rows else 0.0)
    among_ten = np.mean(np.array(reciprocal) >= 0.1)
    return f"{fame}", f"{np.mean(reciprocal):.3f}", f"{among_ten:.3f}"


def main() -> None:
    """Build, ask, and look for known items."""
    if not DATASETS.is_dir():
        sys.exit(f"the evaluation datasets are not in {DATASETS}")
    corpus = corpus_of("cs-343k")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        heading("Building the search index of 343,080 papers")
        wall, cpu = built(corpus, folder)
        size = sum(path.stat().st_size for path in folder.glob("search.*"))
        columns = ["papers", "seconds", "seconds of CPU", "MB on disk"]
        table(columns, [(f"{len(corpus):,}", f"{wall:.0f}", f"{cpu:.0f}", f"{size / 1e6:.0f}")])
        manifest = Manifest(0, "benchmark", 0, {}, {}, [], {}, {}, {}, {})
        artifact = Artifact(folder, manifest)
        search = handler(artifact, SigningKeys.open(folder / "signing.keys"))
        begin = time.perf_counter()
        asyncio.run(ask_first(search, begin))
        asyncio.run(ask(search, artifact.papers))
    heading("Known items of vis-until-2014, by what a doubling of citations adds")
    known = corpus_of("vis-until-2014")
    rows = [find_known(known, fame) for fame in (0.0, 0.1, 0.2, 0.3)]
    table(["FAME", "MRR", "among ten"], rows)


async def ask_first(search: Search, begin: float) -> None:
    """Print how long the first query takes, which opens the index."""
    await search.search_papers(SearchPapersRequest(query="graph neural networks"))
    print(
        f"The first query, which opens the index: {(time.perf_counter() - begin) * 1e3:.0f} ms.\n"
    )


if __name__ == "__main__":
    main()
