"""The offline commands: train, rank, evaluate, inspect, search.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from models.console import (
    console,
    heeding_interrupts,
    messages,
    one_sentence,
    progress_bars,
)
from models.formats import Format

app = typer.Typer(no_args_is_help=True, add_completion=False)
rank = typer.Typer(no_args_is_help=True, help="Rank papers into a TREC run file.")
app.add_typer(rank, name="rank")


class ManyFiles(TyperCommand):
    """Lets an option that may come again take several values at once: --papers A B."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Name the option again before each further value."""
        many = {
            name
            for parameter in self.params
            if getattr(parameter, "multiple", False)
            for name in parameter.opts
        }
        expanded: list[str] = []
        option: str | None = None
        for argument in args:
            if argument.startswith("-"):
                option = argument if argument in many else None
            elif option and expanded[-1] != option:
                expanded.append(option)
            expanded.append(argument)
        return super().parse_args(ctx, expanded)


def _file(help_text: str) -> Any:
    return typer.Option(help=help_text, exists=True, dir_okay=False, readable=True)


Model = Annotated[Path, typer.Option(help="The output folder of `train`.")]
Depth = Annotated[int, typer.Option(min=1, help="Papers to rank for each query.")]
Output = Annotated[Path, typer.Option(help="The run file to write.")]
Threads = Annotated[int, typer.Option(min=1, help="Threads; the result does not depend on it.")]
Popularity = Annotated[
    float, typer.Option(min=0, max=1, help="Weight of a paper's own fame in its score.")
]

CORES = os.cpu_count() or 1
MAX_SEED = 2**32 - 1
"""The largest that every generator of random numbers takes."""


@app.command(cls=ManyFiles)
def train(
    papers: Annotated[list[Path], _file("Files of papers.")],
    output: Annotated[Path, typer.Option(help="The model folder to write a new version into.")],
    interactions: Annotated[list[Path] | None, _file("Files of readers' events.")] = None,
    forget: Annotated[
        Path | None, _file("Whose events to leave out, from `feedback export --forget`.")
    ] = None,
    papers_format: Annotated[
        Format, typer.Option("--format", help="How the papers are written.")
    ] = Format.AUTO,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The seed of every draw.")] = 0,
    threads: Threads = CORES,
) -> None:
    """Train a model on papers and, where there are any, readers' events.

    Papers are JSON Lines (.jsonl, also .gz or .xz): {"id", "title", "abstract", "authors", "year",
    "venue", "keywords", "references", "external_references"}, only "id" required. Events are
    {"user", "paper", "type", "time", "id", "value", "retracts"}, only "user" and "paper" required,
    as `feedback export` writes them; the first line of a file may define types of events:
    {"event_types": {"dwell": {"strength": 0.3, "sign": 1}}}. The version that serves is untouched
    until the new one is whole.

    Example: related-papers train --papers papers.jsonl.gz --output data/model
    """
    from models.corpus import read_corpus
    from models.forgotten import Forgotten
    from models.formats import read_papers
    from models.interactions import read_interactions
    from models.train import train as train_model

    with one_sentence(), progress_bars() as bars, heeding_interrupts(bars) as report:
        size = sum(path.stat().st_size for path in papers)
        corpus = read_corpus(read_papers(papers, papers_format, report("Reading papers", size)))
        forgotten = Forgotten.read(forget) if forget else None
        events = read_interactions(interactions or [], corpus, forgotten)
        manifest = train_model(corpus, output, events, seed=seed, threads=threads, report=report)
    for note, count in {**corpus.notes, **events.notes}.items():
        messages.print(f"{count} {note}", highlight=False)
    console.print(
        f"{output / manifest.version}: {len(corpus)} papers, {corpus.citations.nnz} citations, "
        f"{len(events)} readers",
        highlight=False,
        soft_wrap=True,
    )


@rank.command("papers")
def rank_papers(
    model: Model,
    queries: Annotated[Path, _file("A paper id a line.")],
    output: Output,
    depth: Depth = 100,
    popularity: Popularity = 1,
    threads: Threads = CORES,
) -> None:
    """Rank the papers related to each query; the query itself is never among them.

    Example: related-papers rank papers --model data/model --queries ids.txt --output run.txt
    """
    from models.ranking import rank_papers as lists
    from models.runs import read_ids

    with one_sentence():
        _write(output, lists(_open(model), read_ids(queries), depth, popularity, threads))


@rank.command("drafts")
def rank_drafts(
    model: Model,
    drafts: Annotated[
        Path, _file('JSON Lines {"id", "title", "abstract"}; optionally "references", "year".')
    ],
    output: Output,
    depth: Depth = 100,
    popularity: Popularity = 1,
) -> None:
    """Rank the papers related to papers that are not indexed, from their text and references.

    Example: related-papers rank drafts --model data/model --drafts new.jsonl --output run.txt
    """
    from models.ranking import rank_drafts as lists
    from models.ranking import read_drafts

    with one_sentence():
        _write(output, lists(_open(model), read_drafts(drafts), depth, popularity))


@rank.command("readers")
def rank_readers(
    model: Model,
    readers: Annotated[Path, _file("A reader id a line.")],
    output: Output,
    depth: Depth = 100,
    threads: Threads = CORES,
) -> None:
    """Rank papers for readers; what a reader already has is never ranked.

    A reader without history gets the papers that are popular now.

    Example: related-papers rank readers --model data/model --readers ids.txt --output run.txt
    """
    from models.ranking import rank_readers as lists
    from models.runs import read_ids

    with one_sentence():
        _write(output, lists(_open(model), read_ids(readers), depth, threads))


@app.command()
def evaluate(
    qrels: Annotated[Path, typer.Argument(help="Lines `query 0 document gain`.", exists=True)],
    run: Annotated[
        Path, typer.Argument(help="Lines `query Q0 document rank score tag`.", exists=True)
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Score a run against relevance judgements.

    Example: related-papers evaluate qrels.txt run.txt
    """
    from models.evaluation import evaluate as score
    from models.runs import read_qrels, read_run

    with one_sentence():
        result = score(read_qrels(qrels), read_run(run))
    if as_json:
        figures = {name: round(value, 5) for name, value in result.figures.items()}
        typer.echo(
            json.dumps(figures | {"queries": result.queries, "queries answered": result.answered})
        )
        return
    from rich.table import Table

    table = Table(
        "measure", "mean", title=f"{result.answered} of {result.queries} queries answered"
    )
    for name, value in result.figures.items():
        table.add_row(name, f"{value:.5f}")
    console.print(table)


@app.command()
def inspect(
    paper_id: Annotated[str, typer.Argument(help="A paper's id, in any spelling.")],
    model: Model,
    depth: Annotated[int, typer.Option(min=1, help="Neighbours to show.")] = 10,
    svg: Annotated[Path | None, typer.Option(help="Also draw the table into this file.")] = None,
) -> None:
    """Show which papers are related to one, and why.

    Example: related-papers inspect arXiv:1706.03762 --model data/model
    """
    from models.inspection import drawn, neighbor_table

    with one_sentence():
        table = neighbor_table(_open(model), paper_id, depth)
        console.print(table)
        if svg is not None:
            svg.write_text(drawn(table), encoding="utf-8")


@app.command()
def search(
    query: Annotated[str, typer.Argument(help='Words, "phrases", author: venue: title: year:')],
    model: Model = Path("data/model"),
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="Papers to show.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a paper a line.")] = False,
) -> None:
    """Find papers by what is written in them, without a server.

    Example: related-papers search '"neural networks" author:hinton year:2010..2015'
    """
    from models.finding import as_lines, as_table, find

    with one_sentence():
        found = find(_open(model), query, limit)
        if as_json:
            for line in as_lines(found):
                typer.echo(line)
        else:
            console.print(as_table(found))


def _open(model: Path) -> Any:
    from models.artifact import Artifact

    return Artifact.open(model)


def _write(output: Path, lists: Iterator[tuple[str, Sequence[str], Sequence[float]]]) -> None:
    from models.runs import write_run

    with progress_bars() as report:
        advance = report("Ranking", 0)

        def counted() -> Iterator[tuple[str, Sequence[str], Sequence[float]]]:
            for each in lists:
                advance(1)
                yield each

        queries = write_run(output, counted())
    messages.print(f"{output}: {queries} queries", highlight=False, soft_wrap=True)
