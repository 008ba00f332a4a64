"""Whether learning online is second class: the same events by the service and by training.

    .venv/bin/python -m tests.benchmarks.online [SPLIT ...]

SPLIT is 10-per-user or 1-per-user of citeulike-t, both by default. Offline: a model of papers and
events, `rank readers`. Online: a model of the papers alone is served, the events are streamed to it
over gRPC, `feedback drain` reports lag 0, and RecommendPapers gives 300 papers to every reader of
the judgements. Both runs are scored by ../shared/score/score.py. Caveats: one corpus, one seed; the
events of the file have no times, so they count as of now.
"""

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from relatedpapers import Client
from tests.benchmarks.quality import SCORE, Qrels, figures
from tests.benchmarks.report import COMMAND, DATASETS, heading, run, table
from tests.serving import serve_command

CORPUS = DATASETS / "citeulike-t"
DEPTH = 300
DEPTHS = (50, 100, 300)


def events(split: Path) -> Iterator[dict[str, str]]:
    """The lines of the file as the service takes them."""
    with gzip.open(split / "interactions.jsonl.gz", "rt") as file:
        for number, line in enumerate(file):
            fields = json.loads(line)
            yield {
                "id": f"line-{number}",
                "reader_id": fields["user"],
                "paper_id": fields["paper"],
                "type": fields["type"],
            }


def offline(split: Path, readers: Iterable[str], folder: Path) -> dict[str, list[str]]:
    """The lists of a model that was trained on the events."""
    model, run_file, reader_file = (folder / name for name in ("offline", "run", "readers"))
    reader_file.write_text("".join(f"{reader}\n" for reader in readers))
    papers, interactions = CORPUS / "papers.jsonl.gz", split / "interactions.jsonl.gz"
    run(COMMAND, "train", "--papers", papers, "--interactions", interactions, "--output", model)
    options = ("--readers", reader_file, "--depth", str(DEPTH), "--output", run_file)
    run(COMMAND, "rank", "readers", "--model", model, *options)
    ranked: dict[str, list[str]] = SCORE.read_run(str(run_file))
    return ranked


def online(split: Path, readers: Iterable[str], model: Path, data: Path) -> dict[str, list[str]]:
    """The lists of a service that learned from the events."""
    with serve_command(model, data) as address, Client(address, timeout_seconds=60) as client:
        begun = time.monotonic()
        settled = 0
        for acknowledgement in client.stream_feedback(events(split)):
            assert not acknowledgement.failures
            settled += acknowledgement.settled
        stored = time.monotonic()
        command = (COMMAND, "feedback", "drain", "--model", model, "--data-dir", data)
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
        print(
            f"{split.name}: {settled:,} events durable in {stored - begun:.0f} s; drained in "
            f"{time.monotonic() - stored:.0f} s more, {said.splitlines()[-1]}\n",
            flush=True,
        )
        return {
            reader: [result.paper.id for result in client.recommend_papers(reader, limit=DEPTH)]
            for reader in readers
        }


def main(splits: Iterable[str]) -> None:
    """Measure each split and print the table."""
    heading("Learning online and offline")
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = folder / "papers alone"
        run(COMMAND, "train", "--papers", CORPUS / "papers.jsonl.gz", "--output", model)
        for split in splits:
            relevant: Qrels = SCORE.read_qrels(str(CORPUS / split / "qrels.txt.gz"))
            here = folder / split
            here.mkdir()
            for how, ranked in (
                ("training", offline(CORPUS / split, sorted(relevant), here)),
                ("the service", online(CORPUS / split, sorted(relevant), model, here / "data")),
            ):
                found = figures(relevant, ranked)
                rows.append((split, how, *(f"{found[f'recall@{at}']:.4f}" for at in DEPTHS)))
    table(("events", "learned by", *(f"recall@{at}" for at in DEPTHS)), rows)


if __name__ == "__main__":
    main(sys.argv[1:] or ["10-per-user", "1-per-user"])
