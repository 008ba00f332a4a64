"""Simulated readers of the sample corpus.

No real person is in the interactions that come with the sample: every reader is made up by this
program from the papers alone, so that the parts of the project that learn from readers have
something to learn from.

A reader has one to three interests. Each begins at a paper, drawn with a bias to the cited ones,
and walks from there: mostly along a citation, in either direction, else to a paper that shares
keywords, rarer ones first; now and then back to where the interest began, or, as noise, to any
paper at all. The reader saves most of the papers on the way, until the library is full. At every
step a paper weighs as much as the square root of its citations within the corpus, plus one.

    python -m models.sample.readers --seed 7 > models/sample/interactions.jsonl

The same seed and papers give the same bytes everywhere: of the generator only `random()` is used,
whose sequence Python promises to keep, and of arithmetic only what IEEE 754 rounds exactly.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

PAPERS = Path(__file__).with_name("papers.jsonl")
READERS = 300
SEED = 7

INTERESTS = (0.45, 0.35, 0.20)
"""Chances of one, two and three interests."""
SAVES = (5, 25)
"""Fewest and most papers in a library."""
FOLLOW, RELATE, RETURN = 0.55, 0.30, 0.10
"""Chances of the steps: along a citation, to shared keywords, to the start. The rest is noise."""
KEEP = 0.8
"""Chance that a paper on the way is saved."""
MOST_STEPS = 500
"""An end for walks that turn in a corner of the graph whose papers are all saved."""

Weights = dict[int, float]
"""Papers, by row, that a step may lead to, and how much each of them draws."""


@dataclass(frozen=True)
class Graph:
    """The corpus as a walker sees it; every list is by row, the order of the papers' file.

    `cited`: papers that cite or are cited by this one. `alike`: papers that share keywords with it;
    a shared keyword counts one over the number of papers that have it. `everything`: all papers.
    """

    ids: list[str]
    cited: list[Weights]
    alike: list[Weights]
    everything: Weights


def read_graph(papers: Path) -> Graph:
    """Reads one paper a line: {"id", "keywords", "references", ..}."""
    records: list[dict[str, Any]] = [
        json.loads(line) for line in papers.read_text(encoding="utf-8").splitlines()
    ]
    ids = [str(record["id"]) for record in records]
    rows = {paper_id: row for row, paper_id in enumerate(ids)}
    links = [
        (row, rows[reference])
        for row, record in enumerate(records)
        for reference in record["references"]
    ]
    citations = [0] * len(ids)
    for _, reference in links:
        citations[reference] += 1
    popularity = [sqrt(count + 1) for count in citations]

    cited: list[Weights] = [{} for _ in ids]
    for row, reference in links:
        cited[row][reference] = popularity[reference]
        cited[reference][row] = popularity[row]

    holders: dict[str, list[int]] = defaultdict(list)
    for row, record in enumerate(records):
        for keyword in record["keywords"]:
            holders[keyword].append(row)
    alike: list[Weights] = [{} for _ in ids]
    for group in holders.values():
        for one, other in combinations(group, 2):
            alike[one][other] = alike[one].get(other, 0.0) + popularity[other] / len(group)
            alike[other][one] = alike[other].get(one, 0.0) + popularity[one] / len(group)
    return Graph(ids, cited, alike, dict(enumerate(popularity)))


def draw(random: Random, weights: Weights) -> int:
    """One of the keys, with chances in proportion to their values, which are above 0."""
    sums = list(accumulate(weights.values()))
    mark = random.random() * sums[-1]
    return next(row for row, upper in zip(weights, sums, strict=True) if mark < upper)


def step(random: Random, graph: Graph, start: int, here: int) -> int:
    """Where a walk that began at row `start` goes from row `here`."""
    chance = random.random()
    if chance < FOLLOW and graph.cited[here]:
        return draw(random, graph.cited[here])
    if chance < FOLLOW + RELATE and graph.alike[here]:
        return draw(random, graph.alike[here])
    if chance < FOLLOW + RELATE + RETURN:
        return start
    return draw(random, graph.everything)


def read(random: Random, graph: Graph) -> list[int]:
    """The rows that one reader saves, each once, in that order."""
    interests = draw(random, dict(enumerate(INTERESTS, 1)))
    fewest, most = SAVES
    # The smaller of two draws: most libraries are small.
    wanted = fewest + int(min(random.random(), random.random()) * (most - fewest + 1))
    starts = [draw(random, graph.everything) for _ in range(interests)]
    places = list(starts)
    saved: dict[int, None] = dict.fromkeys(starts)
    for _ in range(MOST_STEPS):
        if len(saved) == wanted:
            break
        interest = int(random.random() * interests)
        places[interest] = step(random, graph, starts[interest], places[interest])
        if random.random() < KEEP:
            saved[places[interest]] = None
    return list(saved)


def simulate(graph: Graph, *, seed: int, readers: int = READERS) -> Iterator[str]:
    """The saves of all readers, a line of JSON each: {"user", "paper", "type": "save"}."""
    for reader in range(1, readers + 1):
        # A generator of their own: a reader stays the same however many others there are.
        random = Random(f"{seed} {reader}")  # noqa: S311 - a simulation keeps no secret
        for row in read(random, graph):
            event = {"user": f"reader-{reader:03}", "paper": graph.ids[row], "type": "save"}
            yield json.dumps(event, ensure_ascii=False)


def main(arguments: Sequence[str] | None = None) -> None:
    """Writes the interactions to standard output."""
    parser = argparse.ArgumentParser(
        prog="python -m models.sample.readers",
        description="Simulates readers of the sample corpus, an event a line.",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="default: %(default)s")
    parser.add_argument("--readers", type=int, default=READERS, help="default: %(default)s")
    options = parser.parse_args(arguments)
    graph = read_graph(PAPERS)
    for line in simulate(graph, seed=options.seed, readers=options.readers):
        sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
