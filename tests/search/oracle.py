"""Search in plain Python, from its documentation: slow, and plain enough to be believed."""

import math
from collections.abc import Sequence
from dataclasses import replace

from models.search_query import Clause, Query
from models.search_words import GRAMMAR, stem, words
from models.searcher import Restriction
from tests.search.corpora import Paper

K1, B = 1.2, 0.75


class Oracle:
    """Answers over papers that have titles, abstracts, authors, venues, years and citations."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers
        self._fields = {
            "title": [words(paper["title"]) for paper in papers],
            "author": [_joined(paper["authors"], 4) for paper in papers],
            "venue": [words(paper["venue"]) for paper in papers],
            "text": [
                _joined([paper["title"], paper["abstract"], *paper["authors"], paper["venue"]], 1)
                for paper in papers
            ],
        }

    def scores(self, query: Query, only: Restriction) -> dict[int, float]:
        """The score of every paper that matches, by row."""
        found = {}
        for row, paper in enumerate(self._papers):
            required = [self._clause(each, row) for each in query.clauses]
            if not self._passes(query, only, row) or not all(required):
                continue
            alternatives = [self._clause(each, row) for each in query.any_of]
            if alternatives and not any(alternatives):
                continue
            if not required and not alternatives and query.text and not query.years:
                continue
            score = sum(required) + sum(alternatives)
            score += sum(self._clause(each, row) for each in query.grammar)
            if not required and not alternatives:
                score = 1.0
            if query.whole and list(query.whole) == self._fields["title"][row]:
                score += 1_000.0
            found[row] = score * (1.0 + 0.2 * math.log2(1 + paper["citation_count"]))
        return found

    def relaxed_scores(self, query: Query, only: Restriction) -> dict[int, float]:
        """The same for any of the words, if there are two and one can be left out."""
        free = [each for each in query.clauses if each.field is None]
        of_all = {word for each in free if not each.begins for word in each.words}
        texts = self._fields["text"]
        frequency = {word: sum(word in text for text in texts) for word in of_all}
        of_all = of_all - GRAMMAR or of_all
        rarest = sorted((frequency[word], word) for word in of_all if frequency[word])[:8]
        if not rarest or sum(len(each.words) for each in free) < 2:
            return {}
        fields = tuple(each for each in query.clauses if each.field is not None)
        any_of = tuple(Clause((word,)) for _, word in rarest)
        return self.scores(replace(query, clauses=fields, any_of=any_of, grammar=()), only)

    def _passes(self, query: Query, only: Restriction, row: int) -> bool:
        paper = self._papers[row]
        for first, last in (*query.years, (only.first_year, only.last_year)):
            if (first, last) != (None, None):
                year = paper["year"]
                if not year or year < (first or 0) or year > (last or 9999):
                    return False
        return paper["work"] not in only.excluded_works

    def _clause(self, clause: Clause, row: int) -> float:
        """What it scores: 0 if it does not match."""
        if clause.begins:
            return self._beginning(clause.words[0], clause.field, row)
        if clause.field is not None:
            return self._bm25(clause.words, clause.field, row)
        score = self._bm25(clause.words, "text", row)
        if clause.words[0] in GRAMMAR and len(clause.words) == 1:
            return score
        title = self._bm25(clause.words, "title", row)
        return score + 2.0 * title + self._bm25(clause.words, "author", row)

    def _beginning(self, folded: str, field: str | None, row: int) -> float:
        def begins(name: str) -> bool:
            plurals = {stem(folded), stem(f"{folded}s")}
            return any(
                word.startswith(folded) or word in plurals for word in self._fields[name][row]
            )

        if field is not None:
            return float(begins(field))
        if len(folded) <= 3:
            of_names = [*self._fields["title"][row], *self._fields["author"][row]]
            starts = any(word.startswith(folded) for word in of_names)
            return float(starts or stem(folded) in self._fields["text"][row])
        return begins("text") + 2.0 * begins("title")

    def _bm25(self, phrase: tuple[str, ...], field: str, row: int) -> float:
        texts = self._fields[field]
        times = _occurrences(phrase, texts[row])
        if not times:
            return 0.0
        weight = 0.0
        for word in phrase:
            having = sum(word in text for text in texts)
            weight += math.log(1 + (len(texts) - having + 0.5) / (having + 0.5))
        relative = len(texts[row]) / (sum(map(len, texts)) / len(texts))
        return weight * times * (K1 + 1) / (times + K1 * (1 - B + B * relative))


def _occurrences(phrase: tuple[str, ...], text: list[str]) -> int:
    size = len(phrase)
    return sum(tuple(text[at : at + size]) == phrase for at in range(len(text) - size + 1))


def _joined(values: Sequence[str], gap: int) -> list[str]:
    """The words of several values, with a gap between those that have any."""
    found: list[str] = []
    for value in map(words, values):
        if value:
            found += (["|"] * gap if found else []) + value
    return found
