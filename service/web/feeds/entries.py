"""A paper as an entry of a feed."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from relatedpapers.v1.paper_pb2 import Paper
from service.urls import outside_url, paper_url
from service.web.explorer.text import fold
from service.web.feeds.feed import Entry, plain
from service.web.feeds.ids import paper_urn
from service.web.pages import environment

_AUTHORS = 30
_KEYWORDS = 20
_SUMMARY_CHARACTERS = 280


def entry(
    paper: Paper,
    public_url: str,
    why: str = "",
    *,
    updated_ms: int | None = None,
    **facts: object,
) -> Entry:
    """What a feed says of a paper.

    paper: in full. why: why it is in the list, in a sentence. facts: more of them.
    updated_ms: Unix time; absent, the beginning of the paper's year is when it was published and
        updated, since that is all that is known.
    """
    year = paper.year if paper.HasField("year") else None
    begun = None if year is None else _begin_ms(year)
    abstract = plain(paper.abstract)
    return Entry(
        id=paper_urn(paper.id, public_url),
        title=plain(paper.title) or plain(paper.id),
        url=public_url + paper_url(paper.id),
        outside_url=outside_url(paper.id) or "",
        authors=_texts(paper.authors)[:_AUTHORS],
        summary=_folded(abstract, _SUMMARY_CHARACTERS),
        content=_content(paper, _folded(abstract), why),
        keywords=_texts(paper.keywords)[:_KEYWORDS],
        updated_ms=begun if updated_ms is None else updated_ms,
        published_ms=begun if updated_ms is None else None,
        facts={"paper_id": paper.id, **_year(year), **facts},
    )


def _year(year: int | None) -> Mapping[str, object]:
    return {} if year is None else {"year": year}


def _begin_ms(year: int) -> int:
    return round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000)


def _texts(values: Iterable[str]) -> list[str]:
    """Texts that say something, each once, in their order."""
    return list(dict.fromkeys(filter(None, map(plain, values))))


def _folded(text: str, short: int = 600) -> str:
    first, rest = fold(text, short)
    return f"{first} …" if rest else first


def _content(paper: Paper, abstract: str, why: str) -> str:
    names = _texts(paper.authors)
    others = len(names) - 4
    return environment.get_template("feed_entry.html").render(
        byline=", ".join(names[:4]) + (f" and {others} more" if others > 0 else ""),
        venue=plain(paper.venue),
        year=paper.year if paper.HasField("year") else "",
        abstract=abstract,
        why=plain(why),
    )
