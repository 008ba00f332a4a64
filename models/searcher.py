"""Finds papers by a query: text and citations together, over the search index.

score = BM25 x (1 + FAME x log2(1 + citations))

BM25 (Robertson and Spärck Jones; k1 = 1.2, b = 0.75) is summed over the words: each in everything
that is known of a paper, and again in its title and in its authors' names, times their weights.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import tantivy
from numpy.typing import NDArray
from tantivy import Occur

from models.search_index import SHORT, digest
from models.search_query import Clause, Query
from models.search_words import GRAMMAR, stem

DEPTH = 1_000
"""How long a list is at most."""

WEIGHTS = {"title": 2.0, "author": 1.0}
"""What a word's BM25 in a field counts, beside the 1 of a paper's whole text."""

NAMED = 1_000.0
"""What the paper has before all others whose title or id the query is."""

NAME_SLOP = 3
"""By how many places the words of an author's name may be apart or change places: as many as lie
between `Hinton, Geoffrey E.` and `Geoffrey Hinton`."""

RELAXED_WORDS = 8
"""How many words are looked for, the rarest, when no paper has all of them."""

LONGEST_BEGINNING = 64
"""How many letters of the word that is being typed count."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """Which papers may be found.

    first_year, last_year: inclusive; an unknown year passes neither.
    venue_codes: of which one must be its own; None for all.
    excluded_works: works (see `Papers`) that may not.
    """

    first_year: int | None = None
    last_year: int | None = None
    venue_codes: Sequence[int] | None = None
    excluded_works: Sequence[int] = ()


NO_RESTRICTION = Restriction()


class Found(NamedTuple):
    """What a query found, best first, one version of each work.

    rows, scores: at most DEPTH; ties by citations, then by row.
    total: how many papers match, versions counted each.
    query: what they match: the query or, if `relaxed`, some of its words.
    """

    rows: list[int]
    scores: list[float]
    total: int
    query: Query
    relaxed: bool = False


class Searcher:
    """Answers queries over one artifact. Threads may share it.

    work: int32, equal for versions of one work.
    row_of: the row of a paper's id in any spelling, or None.
    """

    def __init__(
        self, index: tantivy.Index, work: NDArray[np.int32], row_of: Callable[[str], int | None]
    ) -> None:
        self._index = index.searcher()
        self._schema = index.schema
        self._work = work
        self._row_of = row_of

    def find(self, query: Query, only: Restriction = NO_RESTRICTION) -> Found:
        """The papers that match all of the query; if there are none, some of its words."""
        found = self._find(query, only)
        if found.total or not (relaxed := self._relaxed(query)):
            return found
        easier = self._find(relaxed, only)
        return easier._replace(relaxed=True) if easier.total else found

    def _find(self, query: Query, only: Restriction) -> Found:
        wanted = [(Occur.Must, self._matching(query)), *self._limits(query, only)]
        result = self._index.search(_all(wanted), DEPTH, weight_by_field="fame")
        hits = result.hits
        addresses = [address for _, address in hits]
        rows = np.array(self._index.fast_field_values("row", addresses), np.int64)
        _, first = np.unique(self._work[rows], return_index=True)
        kept = sorted(first.tolist())
        scores = [hits[at][0] for at in kept]
        return Found(rows[kept].tolist(), scores, result.count, query)  # type: ignore[attr-defined] # its stub forgets it

    def _relaxed(self, query: Query) -> Query | None:
        """The same fields and years, but any of the words; None if nothing can be left out."""
        free = [each for each in query.clauses if each.field is None]
        words = {word for each in free if not each.begins for word in each.words}
        words = words - GRAMMAR or words
        if not words or sum(len(each.words) for each in free) < 2:
            return None
        papers = {word: self._index.doc_freq("text", word) for word in words}
        known = sorted(filter(papers.get, words), key=lambda word: (papers[word], word))
        if not known:
            return None
        return replace(
            query,
            clauses=tuple(each for each in query.clauses if each.field is not None),
            any_of=tuple(Clause((word,)) for word in known[:RELAXED_WORDS]),
            grammar=(),
        )

    def _matching(self, query: Query) -> tantivy.Query:
        """What matches, and the paper that the query names."""
        parts = [(Occur.Must, self._clause(each)) for each in query.clauses]
        if query.any_of:
            parts.append((Occur.Must, _any(map(self._clause, query.any_of))))
        matching = _all(parts + [(Occur.Should, self._clause(each)) for each in query.grammar])
        if not parts and not query.years and query.text:  # there is no word in it
            matching = tantivy.Query.empty_query()
        elif not parts:
            matching = _constant(tantivy.Query.all_query(), 1.0)
        named = []
        if (row := self._row_of(query.text)) is not None:
            named.append(self._term("row", row))
        if query.whole and self._index.doc_freq("whole", title := digest(query.whole)):
            named.append(self._term("whole", title))
        return _any([matching, *(_constant(each, NAMED) for each in named)])

    def _limits(
        self, query: Query, only: Restriction
    ) -> Iterator[tuple[tantivy.Occur, tantivy.Query]]:
        """What years, venues and excluded works leave; none of it scores."""
        for first, last in (*query.years, (only.first_year, only.last_year)):
            if first is not None or last is not None:
                years = tantivy.Query.range_query(
                    self._schema, "year", tantivy.FieldType.Unsigned, max(first or 1, 1), last
                )
                yield Occur.Must, _constant(years, 0.0)
        if only.venue_codes is not None:
            venues = self._terms("venue_code", only.venue_codes)
            yield Occur.Must, _constant(venues, 0.0)
        if only.excluded_works:
            yield Occur.MustNot, self._terms("work", only.excluded_works)

    def _clause(self, clause: Clause) -> tantivy.Query:
        if clause.begins:
            return self._beginning(clause.words[0], clause.field)
        if clause.field is not None:
            return self._words(clause.field, clause.words)
        if len(clause.words) == 1 and clause.words[0] in GRAMMAR:
            return self._words("text", clause.words)
        return _all(
            [
                (Occur.Must, self._words("text", clause.words)),
                *(
                    (
                        Occur.Should,
                        tantivy.Query.boost_query(self._words(field, clause.words), weight),
                    )
                    for field, weight in WEIGHTS.items()
                ),
            ]
        )

    def _words(self, field: str, words: Sequence[str]) -> tantivy.Query:
        if len(words) == 1:
            return self._term(field, words[0])
        slop = NAME_SLOP if field == "author" else 0
        return tantivy.Query.phrase_query(self._schema, field, list(words), slop)

    def _beginning(self, folded: str, field: str | None) -> tantivy.Query:
        """Words that begin so: 1, and more in a title. BM25 would put the rarest word first.

        A plural that is being typed finds what the index has of it: `studie`, `study`.
        """
        if field is not None:
            return _constant(self._starting(field, folded), 1.0)
        if len(folded) <= SHORT:
            known = _any([self._term("starts", folded), self._term("text", stem(folded))])
            return _constant(known, 1.0)
        return _any(
            [
                _constant(self._starting("text", folded), 1.0),
                _constant(self._starting("title", folded), WEIGHTS["title"]),
            ]
        )

    def _starting(self, field: str, folded: str) -> tantivy.Query:
        # The library's own query for beginnings: nothing need be escaped, no letter may differ.
        starting = tantivy.Query.fuzzy_term_query(
            self._schema, field, folded[:LONGEST_BEGINNING], distance=0, prefix=True
        )
        plurals = {stem(folded), stem(f"{folded}s")}
        return _any([starting, *(self._term(field, word) for word in sorted(plurals))])

    def _term(self, field: str, value: str | int) -> tantivy.Query:
        return tantivy.Query.term_query(self._schema, field, value)

    def _terms(self, field: str, values: Sequence[int]) -> tantivy.Query:
        return tantivy.Query.term_set_query(self._schema, field, list(values))


def _all(parts: Sequence[tuple[tantivy.Occur, tantivy.Query]]) -> tantivy.Query:
    return tantivy.Query.boolean_query(parts)


def _any(queries: Iterable[tantivy.Query]) -> tantivy.Query:
    return tantivy.Query.boolean_query([(Occur.Should, each) for each in queries])


def _constant(query: tantivy.Query, score: float) -> tantivy.Query:
    return tantivy.Query.const_score_query(query, score)
