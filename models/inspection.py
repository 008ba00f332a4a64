"""Why papers are related, as a table for people."""

import re
from io import StringIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from models.artifact import Artifact
from models.blend import score
from models.formats import InputError

SHOWN_TERMS, SHOWN_CITING = 6, 2
PICTURE_COLUMNS = 120
_WEB_FONT = re.compile(r"@font-face\s*\{.*?\}\s*", re.DOTALL)


def neighbor_table(artifact: Artifact, paper_id: str, depth: int) -> Table:
    """The neighbours of a paper, best first; beside each its contributions, largest first, the
    shared terms with their parts of the TF-IDF cosine, and papers that cite both.

    Raises InputError for an unknown paper.
    """
    papers, scorer, blend = artifact.papers, artifact.scorer, artifact.blend
    row = papers.row(paper_id)
    if row is None:
        raise InputError(f"{paper_id}: unknown paper; the model {artifact.version} has no such id")
    query, seed = scorer.seed(row), papers.record(row)
    ranking = scorer.rank(query, depth)
    table = Table(
        "#",
        "score",
        "paper",
        "why",
        title=f"Related to {escape(seed.title or seed.id)}",
        caption=f"score = logistic({blend.bias:+.2f} + the sum of all contributions); "
        f"model {artifact.version}",
        show_lines=True,
    )
    for rank, (other, logit) in enumerate(zip(ranking.rows, ranking.logits, strict=True), 1):
        record = papers.record(int(other))
        paper = Text(record.title or "(no title)")
        paper.append(f"\n{record.id}", style="dim")
        if record.year:
            paper.append(f", {record.year}", style="dim")
        why = _contributions(blend.term_names, ranking.contributions[rank - 1].tolist())
        if shared := scorer.shared_terms(query, int(other), SHOWN_TERMS):
            terms = ", ".join(f"{term} {part:.3f}" for term, part in shared)
            why += f"\nshared terms: {terms}"
        for citing in scorer.co_citing(row, int(other), SHOWN_CITING):
            why += f"\nboth cited by: {papers.record(citing).title or papers.id(citing)}"
        table.add_row(str(rank), f"{score(float(logit)):.3f}", paper, Text(why))
    return table


def drawn(table: Table) -> str:
    """The table as an SVG picture, which fetches nothing from anywhere."""
    console = Console(record=True, width=PICTURE_COLUMNS, file=StringIO())
    console.print(table)
    picture = console.export_svg(title="related-papers inspect", theme=SVG_EXPORT_THEME)
    return _WEB_FONT.sub("", picture)


def _contributions(names: tuple[str, ...], parts: list[float]) -> str:
    largest = sorted(zip(names, parts, strict=True), key=lambda each: -abs(each[1]))
    return ", ".join(f"{name} {part:+.2f}" for name, part in largest if abs(part) >= 0.005)
